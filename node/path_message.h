// What two nodes that share their endpoints tell each other of their networks, on the people channel beside
// people_message. Fixed binary: kind 1 byte, then
//   16 network   type 1, mapping 1, filtering 1        what the NAT in front of the sender does; said again when it
//   changes 17 ask                                             how does it look from there? 18 paths     network 3, n
//   1, n x (endpoint, 1)      what the sender tried to reach us by, and whether it answered
#pragma once

#include <variant>
#include <vector>

#include "node/nat_facts.h"

namespace linnet::node::path_message {

inline constexpr std::size_t kMaxTried = 16;

struct Network {
  NatType type = NatType::unknown;
  nat::Dependence mapping = nat::Dependence::unknown;
  nat::Dependence filtering = nat::Dependence::unknown;
  bool operator==(const Network&) const = default;
};
struct Ask {};
struct Tried {
  Endpoint endpoint;
  bool answered = false;
};
struct Paths {
  Network network;
  std::vector<Tried> tried;
};
using Message = std::variant<Network, Ask, Paths>;

Bytes write(const Message& message);
// Fault::unsupported for a kind that is not one of these.
Result<Message> read(ByteView bytes);

}  // namespace linnet::node::path_message
