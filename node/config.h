// What a node is told at start. Values only; node/io reads them from flags, environment and config.toml.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "nat/turn_policy.h"
#include "node/people.h"
#include "overlay/peer.h"

namespace linnet::node {

enum class CodecChoice : std::uint8_t { opus, pcmu, pcma, l16 };

// A supernode that has one address, and two ports at it: what a partner makes RFC 5780 of (node/partner_desk.h).
struct OneAddress {
  Endpoint primary;  // as others reach it
  std::uint16_t second_port = 0;
  nat::turn::Policy policy;  // where to nothing goes that another asks for
};

struct NodeConfig {
  overlay::PeerConfig peer;
  std::vector<Endpoint> sockets;  // as bound, in the order of Endpoint::socket
  std::optional<OneAddress> one_address;
  std::string user_agent = "Linnet";
  bool auto_answer = false;               // answers anyone, at once
  Strangers strangers = Strangers::ring;  // what happens when somebody unknown calls
  Duration ring_timeout = std::chrono::seconds(60);
  Duration drain = std::chrono::seconds(10);
  std::size_t max_calls = 16;             // one person's calls at once, ringing ones included
  CodecChoice codec = CodecChoice::opus;  // offered first
  std::uint32_t bitrate = 24'000;         // bit/s, Opus
  Duration frame = std::chrono::milliseconds(20);
  bool low_delay = false;                          // 10 ms frames and a small jitter buffer
  Duration means_good = std::chrono::minutes(15);  // what a member of a conference measured itself good for
};

// What was stored by earlier runs (protocol.md section 1: a pin always wins).
struct Memory {
  std::map<crypto::Address, PersonKey> pins;
  std::map<PersonKey, Contact> contacts;
  std::vector<StoredInvitation> invitations;
  std::vector<Acceptance> acceptances;
  std::vector<Request> requests;
  std::vector<StoredRoom> rooms;
};

}  // namespace linnet::node
