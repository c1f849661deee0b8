// Floors of a supernode's record store: what it must not forget over a restart.
#include <algorithm>

#include "node/io/store/statement.h"
#include "node/io/store/store.h"

namespace linnet::io {
namespace {

// In a store of an older version there is none; an older program passes it by.
constexpr const char* kFloors =
    "CREATE TABLE IF NOT EXISTS floors(user BLOB NOT NULL CHECK(length(user)=32),"
    " account BLOB NOT NULL CHECK(length(account)=32), device BLOB NOT NULL CHECK(length(device)=32),"
    " sequence INTEGER NOT NULL, epoch INTEGER NOT NULL, digest BLOB NOT NULL CHECK(length(digest)=32),"
    " until INTEGER NOT NULL, prefix BLOB NOT NULL CHECK(length(prefix)=7),"
    " epoch_until INTEGER NOT NULL DEFAULT 0, PRIMARY KEY(user, account, device)) WITHOUT ROWID;";
// Written with every record that is kept: this much may be lost with the power, never with the process, and never
// consistency (WAL without a sync at each commit).
constexpr const char* kEase = "PRAGMA synchronous=NORMAL;BEGIN;";
constexpr const char* kStrict = "PRAGMA synchronous=FULL;";
// A first form had one end for both, the epoch's: 31 days after the sequence's.
constexpr const char* kTwoEnds =
    "BEGIN; ALTER TABLE floors ADD COLUMN epoch_until INTEGER NOT NULL DEFAULT 0;"
    "UPDATE floors SET epoch_until = until, until = until - iif(epoch > 0, 2678400, 0); COMMIT;";
// Every prefix keeps its oldest, and all as many as the table allows.
constexpr const char* kTrim =
    "DELETE FROM floors WHERE (user, account, device) IN (SELECT user, account, device FROM"
    " (SELECT user, account, device, row_number() OVER (PARTITION BY prefix ORDER BY until) AS place FROM floors)"
    " ORDER BY place LIMIT -1 OFFSET ?1)";

bool prepare(sqlite3* db) {
  if (!run(db, kFloors)) return false;
  if (pragma(db, "SELECT count(*) FROM pragma_table_info('floors') WHERE name = 'epoch_until'") == 1) return true;
  const bool good = run(db, kTwoEnds);
  if (!good) run(db, "ROLLBACK;");
  return good;
}

template <std::size_t N>
bool take(ByteView from, ByteArray<N>& to) {
  if (from.size() != N) return false;
  std::memcpy(to.data(), from.data(), N);
  return true;
}

bool insert(sqlite3* db, const dht::Floor& f) {
  // A higher epoch refuses what these refuse.
  Statement old(db, "DELETE FROM floors WHERE user = ?1 AND account = ?2 AND epoch < ?3");
  old.bind(1, ByteView(f.user)).bind(2, ByteView(f.account)).bind(3, std::int64_t{f.epoch});
  if (!old.done()) return false;
  Statement s(db,
              "INSERT OR REPLACE INTO"
              " floors(user, account, device, sequence, epoch, digest, until, prefix, epoch_until)"
              " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)");
  s.bind(1, ByteView(f.user)).bind(2, ByteView(f.account)).bind(3, ByteView(f.device));
  s.bind(4, static_cast<std::int64_t>(f.sequence)).bind(5, std::int64_t{f.epoch}).bind(6, ByteView(f.digest));
  s.bind(7, seconds(f.until)).bind(8, ByteView(f.prefix)).bind(9, seconds(f.epoch_until));
  return s.done();
}

}  // namespace

Outcome<std::vector<dht::Floor>> Store::floors(Wall now, std::size_t most) {
  most_floors_ = most;
  if (!prepare(db_.get()) || !trim_floors(now)) return failed("clear what records were kept");
  Statement s(db_.get(),
              "SELECT user, account, device, sequence, epoch, digest, until, prefix, epoch_until FROM floors"
              " ORDER BY until");
  std::vector<dht::Floor> out;
  while (s.row()) {
    dht::Floor f;
    const bool whole = take(s.blob(0), f.user.bytes) && take(s.blob(1), f.account.bytes) &&
                       take(s.blob(2), f.device.bytes) && take(s.blob(5), f.digest.bytes) && take(s.blob(7), f.prefix);
    if (!whole) return failed("read what records were kept");
    f.sequence = static_cast<std::uint64_t>(s.integer(3));
    f.epoch = static_cast<std::uint32_t>(s.integer(4));
    f.until = Wall{s.integer(6)};
    f.epoch_until = Wall{std::max(s.integer(6), s.integer(8))};
    out.push_back(f);
  }
  if (!s.finished()) return failed("read what records were kept");
  return out;
}

bool Store::trim_floors(Wall now) {
  Statement old(db_.get(), "DELETE FROM floors WHERE max(until, epoch_until) <= ?1");
  if (!old.bind(1, seconds(now)).done()) return false;
  untrimmed_floors_ = 0;
  const auto most = static_cast<std::int64_t>(most_floors_);
  if (pragma(db_.get(), "SELECT count(*) FROM floors") <= most) return true;
  Statement trim(db_.get(), kTrim);
  return trim.bind(1, most).done();
}

Done Store::save_floors(const std::vector<dht::Floor>& floors) {
  bool good = run(db_.get(), kEase);
  for (const auto& floor : floors) good = good && insert(db_.get(), floor);
  good = good && run(db_.get(), "COMMIT;");
  Done out;
  if (!good) {
    out = failed("save what records were kept");
    run(db_.get(), "ROLLBACK;");
  }
  run(db_.get(), kStrict);
  untrimmed_floors_ += floors.size();
  if (out && untrimmed_floors_ > most_floors_ / 4 && !trim_floors(Wall{0}))
    out = failed("clear what records were kept");
  return out;
}

Done Store::purge_floors(Wall now) {
  if (!trim_floors(now)) return failed("clear what records were kept");
  return {};
}

}  // namespace linnet::io
