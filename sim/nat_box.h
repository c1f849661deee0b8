// A NAT in front of one host. A NAT type is only which fields of the key are blanked (RFC 4787 terms).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/endpoint.h"
#include "base/time.h"

namespace linnet::sim {

enum class NatKind : std::uint8_t {
  none,             // public address, no filter
  full_cone,        // endpoint-independent mapping and filtering
  restricted,       // address-dependent filtering
  port_restricted,  // address-and-port-dependent filtering
  symmetric,        // address-and-port-dependent mapping and filtering
};

class NatBox {
 public:
  static constexpr std::size_t kMaxFlows = 256;  // oldest flow goes first

  NatBox(NatKind kind, IpAddress outside, Duration life = std::chrono::seconds(120))
      : kind_(kind), outside_(outside), life_(life) {}

  // The source that the world sees for a datagram of the host to `to`.
  Endpoint outbound(Time now, const Endpoint& inside, const Endpoint& to);
  // The inside endpoint that receives a datagram from `from` to our `outside` port, if the filter lets it through.
  std::optional<Endpoint> inbound(Time now, const Endpoint& outside, const Endpoint& from);
  const IpAddress& outside() const { return outside_; }
  void warm() const {
    for (std::size_t i = 0; i < flows_.size() && i < 8; ++i) __builtin_prefetch(&flows_[i]);
  }
  // All mappings are gone, as after a reboot of the router.
  void forget() { flows_.clear(); }

 private:
  struct Flow {
    Endpoint inside;
    Endpoint remote;
    std::uint16_t port = 0;
    Time used{};
  };
  Flow* find(Time now, const Endpoint& inside, const Endpoint& to, bool any_remote);
  bool passes(const Flow& flow, const Endpoint& from) const;

  NatKind kind_;
  IpAddress outside_;
  Duration life_;
  std::uint16_t next_port_ = 40'000;
  std::vector<Flow> flows_;
};

}  // namespace linnet::sim
