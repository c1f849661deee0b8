#include "node/not_answering.h"

#include "node/last_seen.h"
#include "node/path_reason.h"

namespace linnet::node {

namespace {

void add_lan(const Rooms& rooms, const overlay::FoundDevice& device, std::vector<std::string>& out) {
  const auto there = rooms.peer.on_lan(device.body.session);
  if (!there) return;
  if (there->empty()) out.emplace_back("LAN not seen");
  for (const auto& at : *there) out.push_back("LAN " + at.to_string() + " timed out");
}

}  // namespace

std::vector<std::string> ways_tried(const Rooms& rooms, const overlay::FoundDevice& device,
                                    const overlay::LinkDown& down) {
  std::vector<std::string> out;
  add_lan(rooms, device, out);
  for (const auto& tried : tried_from_here(rooms, down.link)) out.push_back(tried.endpoint.to_string() + " timed out");
  for (const auto& home : device.body.homes) {
    if (home.session == device.body.session) out.push_back(home.endpoint.to_string() + " timed out");
  }
  for (const auto& circuit : down.circuits) out.push_back(as_a_way(circuit));
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
