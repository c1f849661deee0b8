// Multicast DNS on every link of this machine: one socket and one machine for each interface and family, as links come
// and go. What is found goes to the node; what the node has to announce is announced.
#pragma once

#include <functional>
#include <map>

#include "base/rng.h"
#include "node/io/net/interfaces.h"
#include "overlay/mdns.h"
#include "overlay/neighbour.h"

namespace linnet::io {

class LanDiscovery {
 public:
  struct Ears {
    std::function<void(const overlay::Neighbour&)> heard;
    std::function<void(const overlay::Neighbour&)> lost;
    std::function<void()> done;                        // after a batch of the above
    std::function<bool(const overlay::LanText&)> met;  // it answered us otherwise
  };

  // `listen`: what the node's sockets are bound to; only addresses that reach them are announced. Rng and loop outlive
  // this.
  LanDiscovery(Loop& loop, Rng& rng, crypto::NetworkId network, std::vector<Endpoint> listen, Ears ears);
  ~LanDiscovery();

  void start();
  // Links or addresses of this machine changed.
  void rescan();
  // Announces this, or what is new in it. Cheap when nothing is.
  void announce(const std::optional<overlay::LanText>& text);
  // Good-bye, at once.
  void leave();

  std::size_t links() const { return links_.size(); }

 private:
  struct OnLink;

  void open(const Interface& interface, bool v4);
  void timeout();
  void pump(OnLink& link);
  void prove(OnLink& link);
  void arm();
  bool reaches(const IpAddress& ip) const;
  std::uint16_t port_for(const IpAddress& ip) const;
  std::optional<overlay::Neighbour> neighbour(const overlay::mdns::Found& found) const;
  void forget(OnLink& link);

  Loop& loop_;
  Rng& rng_;
  crypto::NetworkId network_;
  std::vector<Endpoint> listen_;
  Ears ears_;
  std::map<std::pair<std::uint32_t, bool>, std::unique_ptr<OnLink>> links_;  // by index and family
  std::vector<Interface> seen_;
  std::vector<std::string> text_;
  std::unique_ptr<Loop::Alarm> alarm_;
  bool left_ = false;
};

}  // namespace linnet::io
