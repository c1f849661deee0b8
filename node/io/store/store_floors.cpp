// Floors of a supernode's record store: what it must not forget over a restart.
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
    " PRIMARY KEY(user, account, device)) WITHOUT ROWID;";
// Written with every record that is kept: this much may be lost with the power, never with the process, and never
// consistency (WAL without a sync at each commit).
constexpr const char* kEase = "PRAGMA synchronous=NORMAL;BEGIN;";
constexpr const char* kStrict = "PRAGMA synchronous=FULL;";

template <std::size_t N>
bool take(ByteView from, ByteArray<N>& to) {
  if (from.size() != N) return false;
  std::memcpy(to.data(), from.data(), N);
  return true;
}

bool insert(sqlite3* db, const dht::Floor& f) {
  Statement s(db, "INSERT OR REPLACE INTO floors(user, account, device, sequence, epoch, digest, until, prefix)"
                  " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
  s.bind(1, ByteView(f.user)).bind(2, ByteView(f.account)).bind(3, ByteView(f.device));
  s.bind(4, static_cast<std::int64_t>(f.sequence)).bind(5, std::int64_t{f.epoch}).bind(6, ByteView(f.digest));
  s.bind(7, seconds(f.until)).bind(8, ByteView(f.prefix));
  return s.done();
}

}  // namespace

Outcome<std::vector<dht::Floor>> Store::floors(Wall now) {
  const bool ready = run(db_.get(), kFloors);
  Statement old(db_.get(), "DELETE FROM floors WHERE until <= ?1");
  if (!ready || !old.bind(1, seconds(now)).done()) return failed("clear what records were kept");
  Statement s(db_.get(),
              "SELECT user, account, device, sequence, epoch, digest, until, prefix FROM floors ORDER BY until DESC "
              "LIMIT ?1");
  s.bind(1, static_cast<std::int64_t>(kMaxFloors));
  std::vector<dht::Floor> out;
  while (s.row()) {
    dht::Floor f;
    const bool whole = take(s.blob(0), f.user.bytes) && take(s.blob(1), f.account.bytes) &&
                       take(s.blob(2), f.device.bytes) && take(s.blob(5), f.digest.bytes) && take(s.blob(7), f.prefix);
    if (!whole) return failed("read what records were kept");
    f.sequence = static_cast<std::uint64_t>(s.integer(3));
    f.epoch = static_cast<std::uint32_t>(s.integer(4));
    f.until = Wall{s.integer(6)};
    out.push_back(f);
  }
  if (!s.finished()) return failed("read what records were kept");
  return out;
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
  return out;
}

Done Store::purge_floors(Wall now) {
  Statement old(db_.get(), "DELETE FROM floors WHERE until <= ?1");
  if (!old.bind(1, seconds(now)).done()) return failed("clear what records were kept");
  return {};
}

}  // namespace linnet::io
