// A TURN server on the node's own ports (nat/turn_server.h): clients by its UDP sockets and by its TCP ports, in TLS or
// not; relayed sockets of its own.
#pragma once

#include <memory>

#include "base/rng.h"
#include "nat/binding_server.h"
#include "node/io/net/turn_reach.h"
#include "node/io/net/turn_relays.h"
#include "node/io/net/turn_streams.h"
#include "node/io/net/udp_ports.h"

namespace linnet::io {

class TurnService {
 public:
  // Hears when what was read then has been passed on that came in neither by `ports` nor by their owner's hand.
  using PassedOn = std::function<void(Time read_at)>;

  // Who may be asked to come in by a relayed port.
  using Supernodes = std::function<std::vector<Endpoint>()>;

  // `config` without the families and our own ports: they are found out here. `tcp` may be null. All outlive the
  // service.
  TurnService(Loop& loop, Rng& rng, UdpPorts& ports, TcpPorts* tcp, nat::turn::ServerConfig config, PassedOn passed_on,
              Supernodes supernodes);
  ~TurnService();

  // Of a UDP socket; before anything else looks at it. True: it is ours. The bytes are read until passed().
  bool take(Time read_at, const Datagram& datagram);
  // What take() passed on leaves, and what it asked for is answered.
  void passed();
  // Where we are told of, as a supernode that is known on its own network alone; nothing: we are none. From there we
  // relay to there.
  void set_told(std::optional<IpAddress> told);
  // The addresses of this machine may have changed.
  void addresses_changed();
  nat::turn::Status status() const;
  std::uint64_t carried() const { return server_.counters().bytes; }
  // What time it is, each second.
  void handle_wall(Time now, Wall wall) { server_.handle_wall(now, wall); }

 private:
  void on_stream(Time read_at, const Endpoint& client, MutableBytes message);
  void on_peer(Time read_at, nat::turn::RelayId relay, const Endpoint& peer, nat::turn::Room datagram);
  void go_on(Time now, const nat::turn::Onward& onward, const Endpoint& client, ByteView packet);
  void pump();
  void open(const nat::turn::event::Open& wanted);
  std::optional<IpAddress> address_for(const Endpoint& client, bool v4) const;
  std::vector<Endpoint> own_places() const;
  std::vector<Endpoint> served() const;
  void look_at_lan();
  std::vector<Endpoint> outward() const;
  std::vector<IpAddress> relay_addresses() const;
  IpAddress told(const IpAddress& bound) const { return reach_.outside(bound).value_or(bound); }

  UdpPorts& ports_;
  TcpPorts* tcp_;
  PassedOn passed_on_;
  Time read_at_{};  // what passes through
  std::size_t users_;
  bool short_lived_;
  std::vector<Endpoint> reachable_;
  std::optional<IpAddress> told_;
  bool lan_ = false;  // our own network is relayed to
  nat::turn::Server server_;
  nat::BindingServer binding_{nat::BindingServerConfig{}};  // for who came by a stream
  BatchSender sender_;
  TurnRelays relays_;
  TurnReach reach_;
  TurnStreams streams_;
  std::unique_ptr<Loop::Alarm> alarm_;
};

}  // namespace linnet::io
