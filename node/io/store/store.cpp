#include "node/io/store/store.h"

#include <sys/stat.h>
#include <unistd.h>

#include "node/io/files.h"
#include "node/io/store/statement.h"

namespace linnet::io {
namespace {

constexpr int kApplication = 0x4C4E4554;  // "LNET"
constexpr int kSchemaVersion = 4;
constexpr const char* kSchema =
    "CREATE TABLE counters(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE history(id INTEGER PRIMARY KEY AUTOINCREMENT, started INTEGER NOT NULL, outgoing INTEGER NOT NULL,"
    " peer TEXT NOT NULL, result TEXT NOT NULL, text TEXT NOT NULL, json TEXT NOT NULL);";
// Version 2; `heard` is of version 3. `key` is BLAKE2b-256 of the account key, times are Unix seconds.
constexpr const char* kPeople =
    "CREATE TABLE pins(address TEXT PRIMARY KEY, key BLOB NOT NULL CHECK(length(key)=32)) WITHOUT ROWID;"
    "CREATE TABLE contacts(key BLOB PRIMARY KEY CHECK(length(key)=32), key_name TEXT NOT NULL, address TEXT NOT NULL,"
    " name TEXT NOT NULL, account BLOB, source INTEGER NOT NULL, since INTEGER NOT NULL, verified INTEGER,"
    " blocked INTEGER NOT NULL, epoch INTEGER NOT NULL, heard INTEGER) WITHOUT ROWID;"
    "CREATE TABLE invitations(id BLOB PRIMARY KEY CHECK(length(id)=16), made INTEGER NOT NULL, expires INTEGER NOT "
    "NULL,"
    " used_by BLOB) WITHOUT ROWID;"
    "CREATE TABLE acceptances(inviter BLOB PRIMARY KEY CHECK(length(inviter)=32), secret BLOB NOT NULL"
    " CHECK(length(secret)=16), expires INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE requests(key BLOB PRIMARY KEY CHECK(length(key)=32), key_name TEXT NOT NULL, address TEXT NOT NULL,"
    " first INTEGER NOT NULL, last INTEGER NOT NULL, times INTEGER NOT NULL) WITHOUT ROWID;";

// Version 4: rooms with an address that this device keeps; `certificate` is the room's, of this device, and keepers are
// those whom its founder certifies.
constexpr const char* kRooms =
    "CREATE TABLE rooms(address TEXT PRIMARY KEY, certificate BLOB NOT NULL, founded INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE keepers(address TEXT NOT NULL REFERENCES rooms(address), key BLOB NOT NULL CHECK(length(key)=32),"
    " PRIMARY KEY(address, key)) WITHOUT ROWID;";

// SQLite makes its -wal and -shm files by the mask.
struct PrivateMask {
  ::mode_t before = ::umask(0077);
  PrivateMask() = default;
  PrivateMask(const PrivateMask&) = delete;
  PrivateMask& operator=(const PrivateMask&) = delete;
  ~PrivateMask() { ::umask(before); }
};

// A new store is made whole beside its place and then linked there: a file with half a schema never stands under the
// name.
Done create(const std::filesystem::path& path) {
  const std::filesystem::path fresh = path.string() + ".new";
  ::unlink(fresh.c_str());
  sqlite3* raw = nullptr;
  const int opened = sqlite3_open_v2(fresh.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
  const std::string head = "PRAGMA application_id=" + std::to_string(kApplication) +
                           ";PRAGMA user_version=" + std::to_string(kSchemaVersion) + ";";
  const bool made = opened == SQLITE_OK && run(raw, "PRAGMA synchronous=FULL;BEGIN;") && run(raw, head.c_str()) &&
                    run(raw, kSchema) && run(raw, kPeople) && run(raw, kRooms) && run(raw, "COMMIT;");
  const std::string why = raw != nullptr ? sqlite3_errmsg(raw) : "out of memory";
  sqlite3_close(raw);
  const bool placed = made && ::link(fresh.c_str(), path.c_str()) == 0;
  ::unlink(fresh.c_str());
  if (!placed) return trouble("Cannot make " + path.string() + ": " + (made ? os_error() : why) + ".");
  return {};
}

// Version 1 pinned account keys; version 2 pins their hashes, which key names carry too. All of it or nothing.
bool migrate_pins(sqlite3* db) {
  Statement old(db, "SELECT address, account FROM old_pins");
  while (old.row()) {
    const auto account = old.blob(1);
    if (account.size() != 32) return false;
    Statement pin(db, "INSERT INTO pins(address, key) VALUES(?1, ?2)");
    const auto key = crypto::hash256({account});
    if (!pin.bind(1, std::string_view(old.text(0))).bind(2, ByteView(key)).done()) return false;
  }
  return old.finished();
}

bool from_first(sqlite3* db) {
  return run(db, "ALTER TABLE pins RENAME TO old_pins;") && run(db, kPeople) && migrate_pins(db) &&
         run(db, "DROP TABLE old_pins;");
}

// Version 3 knows when contacts were last heard from.
bool from_second(sqlite3* db) { return run(db, "ALTER TABLE contacts ADD COLUMN heard INTEGER;"); }

// The tables of people, brought to version 3.
bool people_from(sqlite3* db, std::int64_t version) {
  if (version == 1) return from_first(db);
  return version != 2 || from_second(db);
}

bool migrate(sqlite3* db, std::int64_t from) {
  const bool moved = run(db, "PRAGMA synchronous=FULL;BEGIN IMMEDIATE;") && people_from(db, from) && run(db, kRooms) &&
                     run(db, ("PRAGMA user_version=" + std::to_string(kSchemaVersion) + ";COMMIT;").c_str());
  if (!moved) run(db, "ROLLBACK;");
  return moved;
}

}  // namespace

tl::unexpected<Trouble> damaged_store(const std::filesystem::path& path, const std::string& why) {
  return trouble(
      "The store " + path.string() + " is damaged (" + why +
      "). It was left as it is.\n  Put a copy of it back, or move it away to start without history and contacts.");
}

void Store::Close::operator()(sqlite3* db) const { sqlite3_close(db); }

tl::unexpected<Trouble> Store::failed(const char* what) const {
  return trouble(std::string("Cannot ") + what + " in " + name_ + ": " + sqlite3_errmsg(db_.get()) + ".");
}

Outcome<Store> Store::open(const std::filesystem::path& path) {
  if (auto checked = check_private_file(path); !checked) return tl::unexpected(checked.error());
  const PrivateMask mask;
  if (!file_exists(path))
    if (auto made = create(path); !made) return tl::unexpected(made.error());
  sqlite3* raw = nullptr;
  const int opened = sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READWRITE, nullptr);
  Store store(std::unique_ptr<sqlite3, Close>(raw), path.string());
  if (raw == nullptr || opened != SQLITE_OK)
    return trouble("Cannot open " + path.string() + ": " + (raw != nullptr ? sqlite3_errmsg(raw) : "out of memory") +
                   ".");
  sqlite3_busy_timeout(raw, 2000);
  const std::int64_t application = pragma(raw, "PRAGMA application_id");
  const std::int64_t version = pragma(raw, "PRAGMA user_version");
  if (application != kApplication)
    return damaged_store(path, application < 0 ? sqlite3_errmsg(raw) : "not a store of Linnet");
  if (version < 1 || version > kSchemaVersion)
    return trouble("The store " + path.string() + " was written by another version of Linnet (format " +
                   std::to_string(version) + "). It was left as it is.");
  std::string verdict = "unreadable";
  if (Statement check(raw, "PRAGMA quick_check(1)"); check.row()) verdict = check.text(0);
  if (verdict != "ok")
    return damaged_store(path, verdict.substr(verdict.rfind('\n') + 1));  // a headline may stand before
  if (version < kSchemaVersion && !migrate(raw, version)) return store.failed("bring the tables to this version");
  const bool ready = run(raw, "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;PRAGMA trusted_schema=OFF;");
  if (!ready) return store.failed("write");
  return store;
}

Outcome<std::uint64_t> Store::sequence() {
  Statement s(db_.get(), "SELECT value FROM counters WHERE name='sequence'");
  if (s.row()) return static_cast<std::uint64_t>(s.integer(0));
  if (!s.finished()) return failed("read the record sequence");
  return std::uint64_t{1};
}

Done Store::save_sequence(std::uint64_t below) {
  Statement s(db_.get(),
              "INSERT INTO counters(name, value) VALUES('sequence', ?1) ON CONFLICT(name) DO UPDATE SET "
              "value=max(value, excluded.value)");
  if (!s.bind(1, static_cast<std::int64_t>(below)).done()) return failed("save the record sequence");
  return {};
}

Done Store::add_history(const HistoryRow& row) {
  Statement s(db_.get(),
              "INSERT INTO history(started, outgoing, peer, result, text, json) VALUES(?1, ?2, ?3, ?4, ?5, ?6)");
  s.bind(1, seconds(row.started)).bind(2, std::int64_t{row.direction == node::Direction::outgoing});
  s.bind(3, std::string_view(row.peer))
      .bind(4, std::string_view(row.result))
      .bind(5, std::string_view(row.text))
      .bind(6, std::string_view(row.json));
  if (!s.done()) return failed("save history");
  Statement trim(db_.get(), "DELETE FROM history WHERE id <= (SELECT max(id) FROM history) - ?1");
  trim.bind(1, static_cast<std::int64_t>(kMaxHistory)).done();
  return {};
}

Outcome<std::vector<HistoryRow>> Store::history(std::size_t newest) {
  Statement s(db_.get(),
              "SELECT * FROM (SELECT id, started, outgoing, peer, result, text, json FROM history ORDER BY id DESC "
              "LIMIT ?1) ORDER BY id");
  s.bind(1, static_cast<std::int64_t>(newest));
  std::vector<HistoryRow> out;
  while (s.row()) {
    HistoryRow row;
    row.started = Wall{s.integer(1)};
    row.direction = s.integer(2) != 0 ? node::Direction::outgoing : node::Direction::incoming;
    row.peer = s.text(3);
    row.result = s.text(4);
    row.text = s.text(5);
    row.json = s.text(6);
    out.push_back(std::move(row));
  }
  if (!s.finished()) return failed("read history");
  return out;
}

}  // namespace linnet::io
