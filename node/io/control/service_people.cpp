// What programs ask about people.
#include <algorithm>
#include <set>

#include "node/io/clock.h"
#include "node/io/control/lines.h"
#include "node/io/control/service.h"
#include "node/io/control/view_json.h"
#include "node/io/near.h"

namespace linnet::io {
namespace {

constexpr std::size_t kRecent = 200;  // rows of history that names are taken from

}  // namespace

void Service::handle(ClientId client, const request::Who& who) {
  run(client, node::command::Who{who.who}, pending::Who{who.who});
}

void Service::handle(ClientId client, const request::People& people) {
  run(client, node::command::People{people.ask}, pending::People{});
}

// The names a shell completes: contacts, and people who were pinned or spoken to.
void Service::handle(ClientId client, const request::Names&) {
  std::set<std::string> names;
  const auto& memory = driver_.node().memory();
  for (const auto& entry : memory.pins) names.insert(entry.first.text());
  for (const auto& entry : memory.contacts)
    if (entry.second.listed() && !entry.second.blocked) names.insert(entry.second.name);
  for (const auto& room : driver_.node().kept_rooms()) names.insert(room.address.text());
  if (const auto rows = store_.history(kRecent))
    for (const auto& row : *rows)
      if (row.result == to_string(node::CallResult::ended)) names.insert(row.peer);
  finish(client, lines::names(names));
}

void Service::handle(ClientId client, const request::Contacts& contacts) {
  const auto& memory = driver_.node().memory();
  const auto say = [&](const std::string& row) { return control_->send(client, row); };
  if (contacts.list == request::List::contacts) {
    for (const auto& [key, contact] : memory.contacts)
      if (!say(lines::row(contact))) return;
  } else if (contacts.list == request::List::requests) {
    for (const auto& request : memory.requests)
      if (!say(lines::row(request))) return;
  } else {
    for (const auto& invitation : memory.invitations)
      if (!say(lines::row(invitation, wall()))) return;
  }
  finish(client, lines::ok());
}

void Service::on(const node::event::WhoResult& result) {
  const auto pending = take(result.command);
  if (!pending) return;
  Trouble trouble{"", exit_of(result.outcome)};
  if (result.outcome != node::Outcome::ok)
    trouble = why(node::event::Done{result.command, result.outcome, std::nullopt, result.text}, *pending);
  finish(pending->client, lines::who(trouble, result));
}

void Service::on(const node::event::PeopleDone& done) {
  const auto pending = take(done.command);
  if (!pending) return;
  if (done.reply.refusal == node::Refusal::none && driver_.store_trouble())
    return refuse(pending->client, *driver_.store_trouble());
  finish(pending->client, lines::people(done.reply));
}

bool Service::is_contact(const std::string& who) const {
  const auto& contacts = driver_.node().memory().contacts;
  return std::any_of(contacts.begin(), contacts.end(),
                     [&](const auto& entry) { return entry.second.listed() && entry.second.name == who; });
}

std::string Service::no_contact(const std::string& who) const {
  std::vector<std::string_view> names;
  for (const auto& [key, contact] : driver_.node().memory().contacts)
    if (contact.listed()) names.push_back(contact.name);
  const auto close = nearest(who, names);
  return "No contact \"" + who + "\". " + (close.empty() ? "" : "Closest: " + std::string(close) + ". Or give") +
         (close.empty() ? "Give name@domain." : " name@domain.");
}

}  // namespace linnet::io
