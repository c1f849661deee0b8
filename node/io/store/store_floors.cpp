// Floors of a supernode's record store: what it must not forget over a restart.
#include <algorithm>
#include <optional>

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
// Whose youngest is to go, what has ended, and how many each prefix has: answered without walking the table. The counts
// are made anew at each start, for an older program keeps none.
constexpr const char* kIndexes =
    "CREATE INDEX IF NOT EXISTS floors_of_prefix ON floors(prefix, until);"
    "CREATE INDEX IF NOT EXISTS floors_end ON floors(max(until, epoch_until));"
    "CREATE TABLE IF NOT EXISTS floor_counts(prefix BLOB PRIMARY KEY, n INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS floor_counts_n ON floor_counts(n);"
    "CREATE TRIGGER IF NOT EXISTS floor_came AFTER INSERT ON floors BEGIN"
    " INSERT INTO floor_counts VALUES(new.prefix, 1) ON CONFLICT(prefix) DO UPDATE SET n = n + 1; END;"
    "CREATE TRIGGER IF NOT EXISTS floor_went AFTER DELETE ON floors BEGIN"
    " UPDATE floor_counts SET n = n - 1 WHERE prefix = old.prefix;"
    " DELETE FROM floor_counts WHERE prefix = old.prefix AND n <= 0; END;"
    "DELETE FROM floor_counts;"
    "INSERT INTO floor_counts SELECT prefix, count(*) FROM floors GROUP BY prefix;";
// The youngest of the prefix that has most.
constexpr const char* kCut =
    "DELETE FROM floors WHERE (user, account, device) = (SELECT user, account, device FROM floors"
    " WHERE prefix = (SELECT prefix FROM floor_counts ORDER BY n DESC LIMIT 1) ORDER BY until DESC LIMIT 1)";
constexpr const char* kEnded =
    "DELETE FROM floors WHERE (user, account, device) IN (SELECT user, account, device FROM floors"
    " WHERE max(until, epoch_until) <= ?1 LIMIT ?2)";

bool prepare(sqlite3* db) {
  if (!run(db, kFloors)) return false;
  const bool two_ends = pragma(db, "SELECT count(*) FROM pragma_table_info('floors') WHERE name = 'epoch_until'") == 1;
  const bool good = (two_ends || run(db, kTwoEnds)) && run(db, "BEGIN;") && run(db, kIndexes) && run(db, "COMMIT;");
  if (!good) run(db, "ROLLBACK;");
  return good;
}

template <std::size_t N>
bool take(ByteView from, ByteArray<N>& to) {
  if (from.size() != N) return false;
  std::memcpy(to.data(), from.data(), N);
  return true;
}

// By how many rows the table grew; nothing when it failed.
std::optional<std::int64_t> insert(sqlite3* db, const dht::Floor& f) {
  // The device's own floor before, and what a higher epoch refuses as well. Deleted, not replaced: triggers count.
  Statement old(db, "DELETE FROM floors WHERE user = ?1 AND account = ?2 AND (device = ?3 OR epoch < ?4)");
  old.bind(1, ByteView(f.user)).bind(2, ByteView(f.account)).bind(3, ByteView(f.device)).bind(4, std::int64_t{f.epoch});
  if (!old.done()) return std::nullopt;
  const auto gone = sqlite3_changes(db);
  Statement s(db,
              "INSERT INTO"
              " floors(user, account, device, sequence, epoch, digest, until, prefix, epoch_until)"
              " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)");
  s.bind(1, ByteView(f.user)).bind(2, ByteView(f.account)).bind(3, ByteView(f.device));
  s.bind(4, static_cast<std::int64_t>(f.sequence)).bind(5, std::int64_t{f.epoch}).bind(6, ByteView(f.digest));
  s.bind(7, seconds(f.until)).bind(8, ByteView(f.prefix)).bind(9, seconds(f.epoch_until));
  if (!s.done()) return std::nullopt;
  return 1 - gone;
}

}  // namespace

Outcome<std::vector<dht::Floor>> Store::floors(Wall now, std::size_t most) {
  most_floors_ = static_cast<std::int64_t>(most);
  if (!prepare(db_.get())) return failed("clear what records were kept");
  count_floors();
  floors_work_ = {};
  if (!end_floors(now, floors_) || !cut_floors()) return failed("clear what records were kept");
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

void Store::count_floors() { floors_ = pragma(db_.get(), "SELECT coalesce(sum(n), 0) FROM floor_counts"); }

bool Store::end_floors(Wall now, std::int64_t most) {
  Statement ended(db_.get(), kEnded);
  if (!ended.bind(1, seconds(now)).bind(2, most).done()) return false;
  floors_ -= sqlite3_changes(db_.get());
  floors_work_.add(ended);
  return true;
}

bool Store::cut_floors() {
  while (floors_ > most_floors_) {
    Statement cut(db_.get(), kCut);
    if (!cut.done() || sqlite3_changes(db_.get()) != 1) return false;
    --floors_;
    floors_work_.add(cut);
  }
  return true;
}

void Store::FloorsWork::add(const Statement& statement) {
  steps += statement.steps();
  scanned += statement.scanned();
}

Done Store::save_floors(const std::vector<dht::Floor>& floors) {
  floors_work_ = {};
  bool good = run(db_.get(), kEase);
  for (const auto& floor : floors) {
    const auto grew = good ? insert(db_.get(), floor) : std::nullopt;
    good = grew.has_value();
    floors_ += grew.value_or(0);
  }
  good = good && cut_floors() && run(db_.get(), "COMMIT;");
  Done out;
  if (!good) {
    out = failed("save what records were kept");
    run(db_.get(), "ROLLBACK;");
    count_floors();
  }
  run(db_.get(), kStrict);
  return out;
}

Done Store::purge_floors(Wall now) {
  floors_work_ = {};
  if (floors_ == 0) return {};
  if (!end_floors(now, kFloorsEndedAtOnce)) return failed("clear what records were kept");
  return {};
}

}  // namespace linnet::io
