// The sealed links to other people's devices that stand now, and who is behind each (proven by the overlay).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "node/command.h"
#include "node/contacts.h"
#include "node/link_room.h"
#include "node/path_message.h"
#include "overlay/peer.h"
#include "sip/peer.h"
#include "sip/uri.h"

namespace linnet::node {

// SIP knows a peer by its device key.
sip::PeerId peer_id(const crypto::DeviceKey& device);
sip::Uri uri_of(const crypto::Address& address);

struct Link {
  overlay::SessionId id{};
  std::uint64_t serial = 0;  // grows with each LinkUp
  overlay::Remote remote;
  Time idle_since{};
  bool alarmed = false;  // an impostor's INVITE was reported once
  bool forges = false;   // it sent a certificate that nobody signed: no other of its is looked at

  bool shared = false;                                    // the device has our endpoints
  path_message::Network told;                             // by us, of our network
  std::optional<path_message::Network> network;           // what it said of its own
  std::optional<std::vector<path_message::Tried>> tried;  // what it said it reaches us by
  Time asked = Time::min();                               // when it last asked
  Wall heard{};                                           // when it last said anything
  LinkRoom room;
  std::optional<CallId> voice_of;  // the call that took the last packet of voice

  sip::PeerId peer() const { return peer_id(remote.device); }
};

class Links {
 public:
  static constexpr std::size_t kMax = 512;
  static constexpr Duration kIdle = std::chrono::seconds(60);

  // A link that stood already is named again. Null over kMax.
  Link* add(Time now, const overlay::LinkUp& up);
  void remove(overlay::SessionId id) { links_.erase(id); }
  Link* find(overlay::SessionId id);
  // The youngest link to that device.
  Link* to(const sip::PeerId& peer);
  // What that device may call itself: the names its links came under, and their key names.
  std::vector<std::string> names(const sip::PeerId& peer) const;

  std::map<overlay::SessionId, Link>& all() { return links_; }
  std::size_t size() const { return links_.size(); }

 private:
  std::map<overlay::SessionId, Link> links_;
  std::uint64_t next_serial_ = 1;
};

}  // namespace linnet::node
