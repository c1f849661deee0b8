// When the driver is to measure how long the NAT in front of us keeps a mapping (nat/binding_life, on two sockets of
// its own), and how often supernodes are to hear of us for it. Only behind an IPv4 NAT, once for each address that it
// shows us at; a measurement takes minutes and some bytes a second. A server can lie: what would make us heard of
// seldomer than usual is measured with a second one too, and the shorter life holds.
#pragma once

#include "nat/binding_life.h"
#include "node/nat_facts.h"
#include "overlay/control_message.h"
#include "overlay/peer.h"

namespace linnet::node {

class BindingWatch {
 public:
  using Found = nat::BindingLife::Found;
  static constexpr Duration kSettle = std::chrono::seconds(10);  // after the NAT was looked at
  static constexpr Duration kAgain = std::chrono::minutes(10);   // after nobody could tell
  // While nothing is known, and where it cannot be known. Also the most for people, who wait for an answer.
  static constexpr Duration kUsual = std::chrono::seconds(25);
  static constexpr Duration kLeast = overlay::control::kLeastKeepalive;
  static constexpr Duration kMost = overlay::control::kMostKeepalive;

  // A run that looked at the NAT is over.
  void look(Time now, const Probed& probed);
  Time next_timeout() const { return due_; }
  // Whom to ask, once when a measurement is due.
  std::optional<Endpoint> begin(Time now, const std::vector<overlay::SupernodeInfo>& supernodes);
  void found(Time now, const Found& found);

  const std::optional<Found>& known() const { return known_; }
  Duration keepalive() const;

 private:
  void agree(const Found& second);

  std::optional<IpAddress> outside_;  // the NAT's address; none: there is no NAT
  std::optional<Found> known_;        // of this NAT
  std::optional<Endpoint> asked_;     // last
  std::optional<Endpoint> waits_;     // who spoke of a long life: another is to say so too
  Time due_ = kNever;
  std::size_t turn_ = 0;
};

}  // namespace linnet::node
