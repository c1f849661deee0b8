// Store: the month's count of a relay. Two rows of the counters, written together.
#include "node/io/store/statement.h"
#include "node/io/store/store.h"

namespace linnet::io {

Outcome<overlay::RelayedMonth> Store::relayed() {
  Statement s(db_.get(), "SELECT name, value FROM counters WHERE name IN ('relay_month', 'relay_bytes')");
  overlay::RelayedMonth out;
  while (s.row()) {
    if (s.text(0) == std::string_view("relay_month")) {
      out.month = static_cast<int>(s.integer(1));
    } else {
      out.bytes = static_cast<std::uint64_t>(s.integer(1));
    }
  }
  if (!s.finished()) return failed("read what was relayed");
  return out;
}

Done Store::save_relayed(const overlay::RelayedMonth& month) {
  Statement s(db_.get(),
              "INSERT INTO counters(name, value) VALUES('relay_month', ?1), ('relay_bytes', ?2) "
              "ON CONFLICT(name) DO UPDATE SET value=excluded.value");
  if (!s.bind(1, std::int64_t{month.month}).bind(2, static_cast<std::int64_t>(month.bytes)).done())
    return failed("save what was relayed");
  return {};
}

}  // namespace linnet::io
