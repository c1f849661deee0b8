// One SQL statement of the store. Private to store*.cpp.
#pragma once

#include <sqlite3.h>

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace linnet::io {

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
  Statement& bind(int at, const std::optional<std::int64_t>& value) {
    if (value) return bind(at, *value);
    sqlite3_bind_null(s_, at);
    return *this;
  }
  bool row() { return s_ != nullptr && (last_ = sqlite3_step(s_)) == SQLITE_ROW; }
  bool done() { return s_ != nullptr && (last_ = sqlite3_step(s_)) == SQLITE_DONE; }
  bool finished() const { return last_ == SQLITE_DONE; }
  // What it cost so far, in operations of SQLite's machine and in rows read one after another for want of an index.
  int steps() const { return sqlite3_stmt_status(s_, SQLITE_STMTSTATUS_VM_STEP, 0); }
  int scanned() const { return sqlite3_stmt_status(s_, SQLITE_STMTSTATUS_FULLSCAN_STEP, 0); }

  bool null(int column) { return sqlite3_column_type(s_, column) == SQLITE_NULL; }
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

inline bool run(sqlite3* db, const char* sql) { return sqlite3_exec(db, sql, nullptr, nullptr, nullptr) == SQLITE_OK; }

inline std::int64_t pragma(sqlite3* db, const char* sql) {
  Statement s(db, sql);
  return s.row() ? s.integer(0) : -1;
}

}  // namespace linnet::io
