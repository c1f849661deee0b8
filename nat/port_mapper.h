// Ports opened at the routers in front of this machine, all of them and both families: for IPv4 mappings, for IPv6
// pinholes. Sans-IO; the driver names the routers, carries datagrams from and to their port 5351, and tries UPnP while
// unhelpful() says so.
#pragma once

#include "nat/port_map_client.h"

namespace linnet::nat {

class PortMapper {
 public:
  static constexpr std::size_t kMaxRouters = 4;

  // `owner`: PortMapClient.
  PortMapper(Rng& rng, const PortOwner& owner, std::chrono::seconds lifetime = PortMapClient::kLifetime)
      : rng_(rng), owner_(owner), lifetime_(lifetime) {}

  // Those that are there now. One that is new is asked, one that went is forgotten: nobody can delete there any more.
  void set_routers(Time now, const std::vector<Router>& routers);
  void set_wishes(Time now, const std::vector<PortWish>& wishes);
  void handle_datagram(Time now, const Datagram& datagram);
  // To the group 224.0.0.1 or ff02::1, port 5350: a router started anew (RFC 6887, section 14.1; RFC 6886,
  // section 3.2.1).
  void handle_announcement(Time now, const Datagram& datagram);
  void unreachable(Time now, const Endpoint& server);
  void handle_timeout(Time now);
  Time next_timeout() const;
  std::optional<Transmit> poll_transmit();
  void stop(Time now);

  // No router of IPv4 opened a port: another protocol may know better.
  bool unhelpful(Time now) const { return unhelpful_at() <= now; }
  // When that is so, unless something comes before; kNever where there is no such router, or one helped.
  Time unhelpful_at() const;
  std::vector<PortMapping> mappings() const;
  bool take_changed();

 private:
  Rng& rng_;
  PortOwner owner_;
  std::chrono::seconds lifetime_;
  std::vector<PortMapClient> clients_;
  std::vector<PortWish> wishes_;
  bool changed_ = false;
  bool stopped_ = false;
};

}  // namespace linnet::nat
