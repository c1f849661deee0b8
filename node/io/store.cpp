#include "node/io/store.h"

#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/io/files.h"

namespace linnet::io {
namespace {

constexpr int kApplication = 0x4C4E4554;  // "LNET"
constexpr int kSchemaVersion = 1;
constexpr const char* kSchema =
    "CREATE TABLE counters(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE pins(address TEXT PRIMARY KEY, account BLOB NOT NULL CHECK(length(account)=32)) WITHOUT ROWID;"
    "CREATE TABLE history(id INTEGER PRIMARY KEY AUTOINCREMENT, started INTEGER NOT NULL, outgoing INTEGER NOT NULL,"
    " peer TEXT NOT NULL, result TEXT NOT NULL, text TEXT NOT NULL, json TEXT NOT NULL);";

// SQLite makes its -wal and -shm files by the mask.
struct PrivateMask {
  ::mode_t before = ::umask(0077);
  PrivateMask() = default;
  PrivateMask(const PrivateMask&) = delete;
  PrivateMask& operator=(const PrivateMask&) = delete;
  ~PrivateMask() { ::umask(before); }
};

class Statement {
 public:
  Statement(sqlite3* db, const char* sql) { sqlite3_prepare_v2(db, sql, -1, &s_, nullptr); }
  ~Statement() { sqlite3_finalize(s_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Statement& bind(int at, std::int64_t value) {
    sqlite3_bind_int64(s_, at, value);
    return *this;
  }
  Statement& bind(int at, std::string_view value) {
    sqlite3_bind_text(s_, at, value.data(), static_cast<int>(value.size()), SQLITE_TRANSIENT);
    return *this;
  }
  Statement& bind(int at, ByteView value) {
    sqlite3_bind_blob(s_, at, value.data(), static_cast<int>(value.size()), SQLITE_TRANSIENT);
    return *this;
  }
  bool row() { return s_ != nullptr && (last_ = sqlite3_step(s_)) == SQLITE_ROW; }
  bool done() { return s_ != nullptr && (last_ = sqlite3_step(s_)) == SQLITE_DONE; }
  bool finished() const { return last_ == SQLITE_DONE; }

  std::int64_t integer(int column) { return sqlite3_column_int64(s_, column); }
  std::string text(int column) {
    const auto* t = reinterpret_cast<const char*>(sqlite3_column_text(s_, column));
    return t == nullptr ? std::string() : std::string(t, static_cast<std::size_t>(sqlite3_column_bytes(s_, column)));
  }
  ByteView blob(int column) {
    return {static_cast<const std::uint8_t*>(sqlite3_column_blob(s_, column)),
            static_cast<std::size_t>(sqlite3_column_bytes(s_, column))};
  }

 private:
  sqlite3_stmt* s_ = nullptr;
  int last_ = SQLITE_ERROR;
};

bool run(sqlite3* db, const char* sql) { return sqlite3_exec(db, sql, nullptr, nullptr, nullptr) == SQLITE_OK; }

std::int64_t pragma(sqlite3* db, const char* sql) {
  Statement s(db, sql);
  return s.row() ? s.integer(0) : -1;
}

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
                    run(raw, kSchema) && run(raw, "COMMIT;");
  const std::string why = raw != nullptr ? sqlite3_errmsg(raw) : "out of memory";
  sqlite3_close(raw);
  const bool placed = made && ::link(fresh.c_str(), path.c_str()) == 0;
  ::unlink(fresh.c_str());
  if (!placed) return trouble("Cannot make " + path.string() + ": " + (made ? os_error() : why) + ".");
  return {};
}

tl::unexpected<Trouble> damaged(const std::filesystem::path& path, const std::string& why) {
  return trouble(
      "The store " + path.string() + " is damaged (" + why +
      "). It was left as it is.\n  Put a copy of it back, or move it away to start without history and pins.");
}

}  // namespace

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
    return damaged(path, application < 0 ? sqlite3_errmsg(raw) : "not a store of Linnet");
  if (version != kSchemaVersion)
    return trouble("The store " + path.string() + " was written by another version of Linnet (format " +
                   std::to_string(version) + "). It was left as it is.");
  std::string verdict = "unreadable";
  if (Statement check(raw, "PRAGMA quick_check(1)"); check.row()) verdict = check.text(0);
  if (verdict != "ok") return damaged(path, verdict.substr(verdict.rfind('\n') + 1));  // a headline may stand before
  const bool ready = run(raw, "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;PRAGMA trusted_schema=OFF;");
  if (!ready) return store.failed("write");
  return store;
}

Outcome<node::Memory> Store::memory() {
  node::Memory out;
  Statement s(db_.get(), "SELECT address, account FROM pins");
  while (s.row()) {
    const auto address = crypto::Address::parse(s.text(0));
    const auto account = s.blob(1);
    if (!address || account.size() != 32) return damaged(name_, "a pin that cannot be read");
    crypto::AccountKey key;
    std::memcpy(key.bytes.data(), account.data(), 32);
    out.pins.emplace(*address, key);
  }
  if (!s.finished()) return failed("read pins");
  return out;
}

Outcome<std::uint64_t> Store::sequence() {
  Statement s(db_.get(), "SELECT value FROM counters WHERE name='sequence'");
  if (s.row()) return static_cast<std::uint64_t>(s.integer(0));
  if (!s.finished()) return failed("read the record sequence");
  return std::uint64_t{1};
}

Done Store::save_pin(const crypto::Address& address, const crypto::AccountKey& account) {
  Statement s(db_.get(), "INSERT INTO pins(address, account) VALUES(?1, ?2) ON CONFLICT(address) DO NOTHING");
  s.bind(1, std::string_view(address.text())).bind(2, ByteView(account));
  if (!s.done()) return failed("save a pin");
  return {};
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
