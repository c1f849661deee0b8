// What programs ask about people.
#include "node/io/clock.h"
#include "node/io/control/service.h"
#include "node/io/control/view_json.h"
#include "node/io/near.h"

namespace linnet::io {

void Service::handle(ClientId client, const request::People& people) {
  run(client, node::command::People{people.ask}, std::nullopt);
}

void Service::handle(ClientId client, const request::Contacts& contacts) {
  const auto& memory = driver_.node().memory();
  const auto say = [&](const std::string& row) { return control_->send(client, R"({"row":)" + row + "}"); };
  if (contacts.list == request::List::contacts) {
    for (const auto& [key, contact] : memory.contacts)
      if (!say(contact_json(contact))) return;
  } else if (contacts.list == request::List::requests) {
    for (const auto& request : memory.requests)
      if (!say(request_json(request))) return;
  } else {
    for (const auto& invitation : memory.invitations)
      if (!say(invitation_json(invitation, wall()))) return;
  }
  control_->send(client, R"({"ok":true})");
  control_->finish(client);
}

void Service::on(const node::event::PeopleDone& done) {
  const auto it = pending_.find(done.command);
  if (it == pending_.end()) return;
  const auto client = it->second.client;
  pending_.erase(it);
  const auto& reply = done.reply;
  if (reply.refusal == node::Refusal::none && driver_.store_trouble()) return refuse(client, *driver_.store_trouble());
  std::string line = R"({"ok":true})";
  if (reply.refusal != node::Refusal::none) line = error_line({reply.text, exit_of(reply.refusal)});
  line.pop_back();
  control_->send(client, line + ",\"reply\":" + reply_json(reply) + "}");
  control_->finish(client);
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
