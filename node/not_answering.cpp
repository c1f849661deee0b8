#include "node/not_answering.h"

#include "node/last_seen.h"

namespace linnet::node {

std::vector<std::string> ways_tried(const overlay::FoundDevice& device) {
  std::vector<std::string> out;
  for (const auto& home : device.body.homes) {
    const auto place = home.endpoint.to_string();
    const bool direct = home.session == device.body.session;  // a supernode's person
    out.push_back(direct ? place + " timed out" : "no answer through " + place);
  }
  return out;
}

std::string not_answering(const Rooms& rooms, const crypto::Address& peer, const std::vector<std::string>& tried) {
  const auto* contact = rooms.contacts.find(peer);
  const bool listed = contact != nullptr && contact->listed();
  std::string out = (listed ? contact->name : peer.text()) + " is known but not answering";
  const char* before = ": ";
  for (const auto& way : tried) {
    out += before + way;
    before = "; ";
  }
  return out + "." + last_seen(contact, rooms.wall);
}

}  // namespace linnet::node
