// The names a shell completes: contacts, and people who were pinned or spoken to.
#include <nlohmann/json.hpp>
#include <set>

#include "node/io/control/service.h"

namespace linnet::io {
namespace {

constexpr std::size_t kRecent = 200;  // rows of history

}  // namespace

void Service::handle(ClientId client, const request::Names&) {
  std::set<std::string> names;
  const auto& memory = driver_.node().memory();
  for (const auto& entry : memory.pins) names.insert(entry.first.text());
  for (const auto& entry : memory.contacts)
    if (entry.second.listed() && !entry.second.blocked) names.insert(entry.second.name);
  if (const auto rows = store_.history(kRecent))
    for (const auto& row : *rows) names.insert(row.peer);
  using Json = nlohmann::ordered_json;
  control_->send(client, Json{{"ok", true}, {"names", names}}.dump(-1, ' ', false, Json::error_handler_t::replace));
  control_->finish(client);
}

}  // namespace linnet::io
