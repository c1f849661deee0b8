#include "node/links.h"

#include <algorithm>

namespace linnet::node {

sip::PeerId peer_id(const crypto::DeviceKey& device) { return sip::PeerId{device.bytes}; }

sip::Uri uri_of(const crypto::Address& address) {
  sip::Uri out;
  out.user = sip::escape_user(address.user());
  out.host = address.domain();
  return out;
}

Link* Links::add(Time now, const overlay::LinkUp& up) {
  auto found = links_.find(up.link);
  if (found == links_.end()) {
    if (links_.size() >= kMax) return nullptr;
    found = links_.emplace(up.link, Link{}).first;
    found->second.id = up.link;
  }
  auto& link = found->second;
  link.serial = next_serial_++;
  link.remote = up.remote;
  link.idle_since = now;
  return &link;
}

Link* Links::find(overlay::SessionId id) {
  const auto found = links_.find(id);
  return found == links_.end() ? nullptr : &found->second;
}

Link* Links::to(const sip::PeerId& peer) {
  Link* best = nullptr;
  for (auto& entry : links_) {
    auto& link = entry.second;
    if (link.peer() == peer && (best == nullptr || link.serial > best->serial)) best = &link;
  }
  return best;
}

std::vector<std::string> Links::names(const sip::PeerId& peer) const {
  std::vector<std::string> out;
  const auto add = [&](const crypto::Address& name) {
    if (!name.empty() && std::find(out.begin(), out.end(), name.text()) == out.end()) out.push_back(name.text());
  };
  for (const auto& entry : links_) {
    if (entry.second.peer() != peer) continue;
    add(entry.second.remote.address);
    add(entry.second.remote.key_name);
  }
  return out;
}

}  // namespace linnet::node
