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
  static constexpr std::size_t kMaxFlows = 256;  // where nothing else is said; the oldest flow goes first

  // Ports are given one after another from 40,000 on, or by lot (`seed`) from 1,024 on.
  NatBox(NatKind kind, IpAddress outside, Duration life = std::chrono::seconds(120), std::size_t most = kMaxFlows,
         std::optional<std::uint64_t> seed = std::nullopt)
      : kind_(kind), outside_(outside), life_(life), most_(most), lots_(seed) {}

  // The source that the world sees for a datagram of the host to `to`.
  Endpoint outbound(Time now, const Endpoint& inside, const Endpoint& to);
  // The inside endpoint that receives a datagram from `from` to our `outside` port, if the filter lets it through.
  std::optional<Endpoint> inbound(Time now, const Endpoint& outside, const Endpoint& from);
  const IpAddress& outside() const { return outside_; }
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
  std::uint16_t give_port();

  NatKind kind_;
  IpAddress outside_;
  Duration life_;
  std::size_t most_;
  std::optional<std::uint64_t> lots_;
  std::uint16_t next_port_ = 40'000;
  std::vector<Flow> flows_;
};

}  // namespace linnet::sim
