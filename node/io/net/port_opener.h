// Asks the routers in front of this machine for ports, by UPnP where nothing else helped, and lets supernodes prove
// that they lead to us: the sockets of nat/port_mapper and nat/dial_back.
#pragma once

#include <functional>
#include <memory>

#include "base/rng.h"
#include "nat/dial_back.h"
#include "nat/port_mapper.h"
#include "node/io/files.h"
#include "node/io/loop.h"
#include "node/io/net/gateways.h"
#include "node/io/net/udp_socket.h"
#include "node/io/net/upnp.h"
#include "node/nat_facts.h"

namespace linnet::io {

class PortOpener {
 public:
  struct Ears {
    std::function<std::vector<nat::DialBack::Server>()> servers;  // that may be asked to prove a port
    // Our TCP port, toward a router at which we have this address, to which a port of convention may lead: somebody
    // listens there from now on, and it is us. Nothing: there is none, so none is asked for.
    std::function<std::optional<std::uint16_t>(const IpAddress& local)> stream_port;
    // Says to that supernode: dial us (node::Node::ask_dial).
    std::function<void(const nat::DialBack::Ask&)> dial;
    std::function<void(Transmit)> send;                        // by the node's own socket that `to` names
    std::function<void(std::vector<node::OpenPort>)> changed;  // all there are now
    std::function<std::vector<Gateway>()> gateways = default_gateways;
  };

  // `bound`: the node's UDP sockets, in the order of Endpoint::socket. Loop and rng outlive this.
  // `owner`: as nat::PortMapper has it.
  PortOpener(Loop& loop, Rng& rng, std::vector<Endpoint> bound, const nat::PortOwner& owner, Ears ears);
  ~PortOpener();

  void start();
  // Addresses or routes changed: the routers may be others.
  void rescan();
  // A datagram of the node's own port, or a packet of a stream that somebody else opened. True: it was the answer that
  // proves a port.
  bool take(const Datagram& datagram);
  // Others may see us elsewhere than before.
  void doubt();
  // When it has something to do by itself; kNever, and no alarm is set: nothing until something comes.
  Time next_timeout() const;
  // Gives back what is open, at once.
  void stop();

 private:
  struct ToRouter;

  std::vector<nat::PortWish> wishes() const;
  std::optional<nat::PortWish> stream_wish();
  std::vector<nat::PortMapping> mappings() const;
  void promised();
  void ask_others();
  Endpoint behind(const nat::PortMapping& mapping) const;
  void open(const nat::Router& router);
  void read(ToRouter& to);
  void listen_for_announcements();
  void hear();
  void tick();
  void pump();
  void send_to_routers();
  void ask_servers();
  void send_aside(Transmit out);
  void send_from_port(const nat::DialBack::FromPort& out);
  void tell();

  Loop& loop_;
  Rng& rng_;
  std::vector<Endpoint> bound_;
  nat::PortOwner owner_;
  Ears ears_;
  nat::PortMapper mapper_;
  nat::DialBack dial_;
  std::unique_ptr<Upnp> upnp_;
  std::vector<nat::PortMapping> by_upnp_;
  std::vector<nat::PortWish> wishes_;
  std::vector<Gateway> gateways_;
  bool others_wanted_ = false;  // UPnP was not yet asked at these routers
  std::vector<std::unique_ptr<ToRouter>> routers_;
  Fd announcements_;
  std::unique_ptr<Loop::Watch> announced_;
  std::unique_ptr<UdpSocket> asker_[2];  // of IPv4, of IPv6: asks supernodes to answer elsewhere
  std::vector<node::OpenPort> told_;
  std::unique_ptr<Loop::Alarm> alarm_;
  bool stopped_ = false;
};

}  // namespace linnet::io
