#include "node/last_seen.h"

#include "node/day.h"
#include "node/own_clock.h"

namespace linnet::node {
namespace {

// What is stored may be this much too old.
constexpr std::chrono::seconds kOfAnEnd{60};
constexpr std::chrono::seconds kWhileItStands{600};

void note(Rooms& rooms, const Link& link, std::chrono::seconds every) {
  rooms.contacts.note_heard(link.remote.account, link.heard, rooms.wall, every);
}

}  // namespace

void note_heard(Rooms& rooms, Link& link) {
  link.heard = rooms.wall;
  note(rooms, link, kOfAnEnd);
  save_people(rooms);
}

void note_heard(Rooms& rooms, Time now) {
  for (auto& entry : rooms.links.all()) {
    auto& link = entry.second;
    const auto at = rooms.peer.last_heard(link.id);
    if (!at) continue;
    link.heard = rooms.wall - std::chrono::duration_cast<std::chrono::seconds>(now - *at);
    note(rooms, link, kWhileItStands);
  }
  save_people(rooms);
}

// Its session is gone already, and only who closed it himself was heard just now.
void note_heard(Rooms& rooms, const Link& link, overlay::DownReason why) {
  auto last = link;
  if (why == overlay::DownReason::peer_closed) last.heard = rooms.wall;
  note(rooms, last, kOfAnEnd);
  save_people(rooms);
}

std::string last_seen(const Contact* contact, Wall now) {
  if (contact == nullptr || !contact->listed() || !contact->heard) return {};
  const auto when = ago(*contact->heard, now);
  return when.empty() ? std::string() : "\n  Last seen " + when + ".";
}

std::string not_online(const Rooms& rooms, const std::string& who, const Contact* contact) {
  return who + " is known but not online: no device of theirs can be found now." + last_seen(contact, rooms.wall) +
         wrong_clock(rooms);
}

}  // namespace linnet::node
