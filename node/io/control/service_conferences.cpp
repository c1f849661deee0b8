// Conferences, as programs begin, follow and rule them. To all else here they are calls.
#include <algorithm>

#include "node/io/clock.h"
#include "node/io/control/conference_json.h"
#include "node/io/control/lines.h"
#include "node/io/control/service.h"
#include "node/io/log.h"

namespace linnet::io {

// One who cannot be called at all is a slip of the keys: nobody is rung before it is mended.
std::optional<Trouble> Service::cannot_call(const std::vector<std::string>& who) const {
  for (const auto& one : who)
    if (!is_contact(one) && !crypto::Address::parse(one)) return Trouble{no_contact(one), Exit::not_found};
  return std::nullopt;
}

// A room that this node keeps is never meant as somebody to be called.
bool Service::is_room(const std::string& word) const {
  const auto rooms = driver_.node().status(now()).rooms;
  const auto address = crypto::Address::parse(word);
  return address && std::any_of(rooms.begin(), rooms.end(), [&](const node::RoomView& room) {
           return room.address == address->text() || room.key_name == address->text();
         });
}

void Service::handle(ClientId client, const request::Confer& confer) {
  auto at = confer.at;
  auto words = confer.words;
  if (at.empty() && confer.name.empty() && !words.empty() && is_room(words.front())) {
    at = words.front();
    words.erase(words.begin());
  }
  if (!at.empty()) {
    if (auto why = cannot_call(words)) return finish(client, lines::never_began(*why, at, node::CallResult::not_found));
    return begin(client, confer.files, at, node::command::Confer{confer.name, words, confer.duration, at});
  }
  NameFirst called{confer.name, confer.words};
  if (confer.name.empty()) called = name_first(confer.words, [this](const auto& word) { return is_contact(word); });
  if (auto why = cannot_call(called.who)) {
    const bool may_be_name = confer.words.size() == 1 && confer.words.front().find('@') == std::string::npos;
    if (may_be_name)
      why->text += "\n  A name for the conference is followed by whom to call: linnet conf new NAME WHO...";
    return finish(client, lines::never_began(*why, called.who.front(), node::CallResult::not_found));
  }
  const auto title = called.name.empty() ? called.who.front() : called.name;
  begin(client, confer.files, title, node::command::Confer{called.name, called.who, confer.duration, {}});
}

void Service::handle(ClientId client, const request::Join& join) {
  begin(client, join.files, join.who, node::command::JoinConference{join.who, join.duration});
}

void Service::handle(ClientId client, const request::Conferences&) {
  const auto status = driver_.node().status(now());
  finish(client, lines::conferences(status.conferences, status.rooms));
}

void Service::handle(ClientId client, const request::Conference& asked) {
  if (asked.rule)
    return run(client, node::command::RuleConference{asked.which, *asked.rule, asked.who},
               pending::Conference{asked.which, asked.who});
  if (const auto why = cannot_call({asked.who})) return refuse(client, *why);
  run(client, node::command::InviteToConference{asked.which, asked.who}, pending::Conference{asked.which, asked.who});
}

void Service::handle(ClientId client, const request::Keepers& asked) {
  const auto keepers = driver_.node().keepers(asked.which);
  if (!keepers && is_room(asked.which))
    return refuse(client, {"Only who founded a room knows who keeps it.", Exit::failed});
  if (!keepers)
    return refuse(client, {"No room " + asked.which + " is kept here. See: linnet conf ls", Exit::not_found});
  finish(client, lines::keepers(asked.which, *keepers));
}

std::string Service::no_such_conference(const std::string& which) const {
  const auto conferences = driver_.node().status(now()).conferences;
  if (conferences.empty()) return "There is no conference. Begin one: linnet conf new NAME WHO...";
  if (which.empty()) return "There are several conferences. Say which, by its name or number (see linnet conf ls).";
  return "There is no conference \"" + which + "\". See: linnet conf ls";
}

void Service::on(const node::event::ConferenceSaid& said) {
  log_info("Conference: " + shown({said.text}));
  tell_sound(said.call, said.text);
}

}  // namespace linnet::io
