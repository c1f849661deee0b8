// When the driver is to find out what the network in front of us does (nat/probe, on a socket of its own), and what it
// found last. Once at start, after our addresses or the supernodes' sight of us changed, and when a person asks; never
// more often than every half minute by itself: a run is some thirty datagrams of 100 bytes.
#pragma once

#include "node/nat_facts.h"
#include "overlay/peer.h"

namespace linnet::node {

class NatWatch {
 public:
  static constexpr Duration kSettle = std::chrono::seconds(1);  // after a change: addresses come one after another
  static constexpr Duration kBetween = std::chrono::seconds(30);
  static constexpr Duration kPatience = std::chrono::minutes(1);  // a driver that does not answer is asked again

  // Supernodes answer, or their set changed.
  void look(Time now, const std::vector<overlay::SupernodeInfo>& supernodes);
  void addresses_changed(Time now);
  Time next_timeout() const { return due_; }
  // True once when a run is due.
  bool begin(Time now);
  void done(Time now, Probed probed);

  const std::optional<Probed>& last() const { return last_; }
  std::optional<Time> at() const { return at_; }
  bool running() const { return until_ != kNever; }
  // By IPv4 where there is any: that is where the NATs are.
  NatType type() const { return type_; }
  // When that was first more than unknown.
  std::optional<Time> known_since() const { return known_since_; }

 private:
  void plan(Time now, Time at);
  void judge(Time now, const Probed& probed);

  std::vector<IpAddress> seen_as_;
  bool tcp_only_ = false;  // every session with a supernode goes by TCP
  std::optional<Probed> last_;
  std::optional<Time> at_;
  NatType type_ = NatType::unknown;
  std::optional<Time> known_since_;
  Time due_ = kNever;
  Time until_ = kNever;  // a run is under way, and how long it is waited for
};

// Whom to ask, those that serve us first.
std::vector<Endpoint> stun_servers(const std::vector<overlay::SupernodeInfo>& supernodes);

}  // namespace linnet::node
