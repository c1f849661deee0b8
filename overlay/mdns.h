// Multicast DNS (RFC 6762) with DNS-SD (RFC 6763) for one service type on one link and one address family: we announce
// at most one instance, and browse for the others. A core without I/O; node/io owns the socket.
//
// What strangers on the link can make of us: a bounded cache, multicast answers no faster than one a second for each
// of our few records, unicast answers only on the link, and at most kUnicastPerSecond of them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/machine.h"
#include "base/rng.h"
#include "overlay/dns_message.h"

namespace linnet::overlay::mdns {

inline constexpr std::uint16_t kPort = 5353;
inline constexpr std::size_t kMaxPacket = 1400;  // fits an Ethernet frame with either IP header

// An address of ours on a link, and how much of it the whole link shares.
struct Prefix {
  IpAddress ip;
  unsigned length = 0;  // bits; of IPv4 addresses 0 to 32

  bool covers(const IpAddress& other) const;
};

// One interface in one family.
struct Link {
  bool v4 = false;
  std::uint32_t scope = 0;       // interface index
  std::vector<Prefix> prefixes;  // our addresses there, both families

  Endpoint group() const;  // where multicast goes: 224.0.0.251 or ff02::fb with the scope
  bool has(const IpAddress& ip) const;
  bool on_link(const IpAddress& ip) const;
};

// What we announce. Only addresses of the link's prefixes stand beside it.
struct Service {
  std::uint16_t port = 0;
  std::vector<std::string> txt;

  bool operator==(const Service&) const = default;
};

// An instance that somebody else announces. Addresses are on the link; a link-local one has the link's scope.
struct Found {
  std::string instance;
  std::vector<IpAddress> addresses;
  std::uint16_t port = 0;
  std::vector<std::string> txt;

  bool operator==(const Found&) const = default;
};
struct Lost {
  std::string instance;
};
using MdnsEvent = std::variant<Found, Lost>;

class Mdns {
 public:
  using Event = MdnsEvent;

  static constexpr double kUnicastPerSecond = 10;
  static constexpr std::size_t kMaxInstances = 512;
  // Of them announced from one address: a machine runs few, a router that repeats other links many. In a full table
  // the oldest of those that were not met give way.
  static constexpr std::size_t kMaxOfOneSource = 64;

  struct Counters {
    std::uint64_t malformed = 0;   // no message
    std::uint64_t off_link = 0;    // from another network
    std::uint64_t limited = 0;     // unicast answers not given
    std::uint64_t full = 0;        // instances that had to give way to another one, or to one of their source
    std::uint64_t conflicts = 0;   // somebody else claimed our name
    std::uint64_t sent = 0;        // messages
    std::uint64_t suppressed = 0;  // answers that another's message made needless
  };

  // `service` as in "_linnet._udp.local". Rng outlives this.
  Mdns(Link link, const dns::Name& service, Rng& rng);
  ~Mdns();

  // Browsing begins.
  void start(Time now);
  // Announces (after probing), or announces what changed. The instance name is random: it says nothing of its owner.
  void announce(Time now, Service service);
  // Says good-bye; transmits must still be drained.
  void withdraw(Time now);

  void handle_datagram(Time now, const Datagram& datagram);
  void handle_timeout(Time now);
  Time next_timeout() const;
  std::optional<Transmit> poll_transmit();
  std::optional<Event> poll_event();
  // The node behind this instance of somebody else's answered us, and not by multicast DNS.
  void prove(const std::string& instance);

  const Link& link() const;
  std::string instance() const;  // ours; empty when we announce nothing
  bool announced() const;        // probed and said at least once
  const Counters& counters() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace linnet::overlay::mdns
