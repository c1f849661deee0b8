// The links of this machine and their addresses, and word when they change (netlink: route(7), rtnetlink(7)).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "node/io/files.h"
#include "node/io/loop.h"
#include "overlay/mdns.h"

namespace linnet::io {

struct Interface {
  std::uint32_t index = 0;
  std::string name;
  std::vector<overlay::mdns::Prefix> prefixes;  // usable addresses; link-local IPv6 ones with their scope

  bool operator==(const Interface& other) const;
};

// Interfaces that are up, carry multicast and are not the loopback. Addresses still being tested for duplicates
// (RFC 4862 section 5.4) are not there yet. In the order of indexes.
std::vector<Interface> multicast_interfaces();

// Calls `changed` after a link, an address or a route came or went; several at once give one call.
class InterfaceWatch {
 public:
  static std::unique_ptr<InterfaceWatch> open(Loop& loop, std::function<void()> changed);

 private:
  InterfaceWatch(Loop& loop, Fd fd, std::function<void()> changed);
  void read();

  Fd fd_;
  std::unique_ptr<Loop::Alarm> soon_;
  std::unique_ptr<Loop::Watch> watch_;
};

// "[fe80::1%eth0]:4400": scopes as people write them. Names that this machine has not stay numbers, and the reverse.
std::string to_text(const Endpoint& endpoint);
// Endpoint::parse, and interface names as scopes.
std::optional<Endpoint> parse_endpoint(std::string_view text);

}  // namespace linnet::io
