// All sockets of a node: which addresses to bind, and which socket a datagram leaves by.
#pragma once

#include <vector>

#include "node/io/net/batch_sender.h"
#include "node/io/net/udp_socket.h"
#include "overlay/forwarding.h"

namespace linnet::io {

class UdpPorts {
 public:
  static constexpr std::uint16_t kDefaultPort = 4400;
  static constexpr std::size_t kMost = 64;  // sockets

  // None given: every IPv4 address, and every IPv6 one where there is IPv6, at port 4400.
  static Outcome<UdpPorts> open(const std::vector<Endpoint>& listen);

  std::vector<Endpoint> bound() const;  // as bound: may be the unspecified address
  // The same and those of discovery, in the order of Endpoint::socket.
  const std::vector<Endpoint>& sockets() const { return locals_; }
  // A supernode with two addresses answers from either, at two ports (RFC 5780): binds what is missing for that.
  // Trouble names a port that is taken; everything else goes on without it.
  Done bind_for_discovery();

  // A supernode with one address: another port at it, the next one, so that a partner can make RFC 5780 of both
  // (node/partner_desk.h). Nothing: `at`, which reachable() named, is not the only one of its family that others reach,
  // or a port of the two is taken.
  std::optional<std::uint16_t> bind_for_partner(const Endpoint& at);

  // Not while one of those two is being read from.
  void close_discovery();

  // What a supernode may tell others: unspecified addresses become those of the interfaces, global ones first.
  std::vector<Endpoint> reachable() const;

  // The port of the first socket that is not bound to the loopback; none: only this machine hears us.
  std::optional<std::uint16_t> beyond_loopback() const;

  // Where a datagram that only passes through goes; nothing: it is for `receive`.
  using Forward = std::function<std::optional<overlay::Forward>(Time read_at, const Datagram&)>;
  // `first` sees each datagram first, and takes it where it returns true: `passed` is called then, before the bytes
  // change. `forward` sees the others; see UdpSocket::Ears for the rest. `beside` takes what is passed on to something
  // else than UDP. Those two may be empty.
  struct Ears {
    UdpSocket::Pass first;
    std::function<void()> passed;
    Forward forward;
    std::function<void(const Transmit&)> beside;
    UdpSocket::Receive receive;
    std::function<void()> drained;
  };
  void start(Loop& loop, const Ears& ears);
  // Nothing is passed on from where it lies.
  void start(Loop& loop, UdpSocket::Receive receive, std::function<void()> drained) {
    start(loop, Ears{{}, {}, {}, {}, std::move(receive), std::move(drained)});
  }
  // See UdpSocket; for what a search finds it is not worth it.
  void join_trains();
  // Keeps a socket that a search found (node/port_search.h), under the number that is returned, until close(). Nothing:
  // there are kMostAdopted. After start().
  std::optional<std::uint8_t> adopt(Loop& loop, Fd fd);
  void close(std::uint8_t number);
  // By the socket that the endpoint names; 0: the first of its family, loopback to loopback.
  void send(Transmit transmit);
  void flush();
  // Of the socket that a datagram to there leaves by; -1: there is none. And what it is bound to.
  int descriptor(const Endpoint& to);
  std::optional<Endpoint> bound_for(const Endpoint& to) const;
  std::uint64_t dropped() const;

 private:
  void add(std::unique_ptr<UdpSocket> socket);
  UdpSocket* adopted(std::uint8_t number);
  UdpSocket* choose(const Endpoint& to);
  void start(std::size_t socket);
  bool pass(Time read_at, const Datagram& datagram);
  UdpSocket* usual(const Endpoint& to);
  // As a core shall see who was heard on this socket.
  Endpoint named(Endpoint from, std::size_t socket);

  std::unique_ptr<BatchSender> onward_;  // of what passes through; made once, in the life of a relay
  std::vector<std::unique_ptr<UdpSocket>> sockets_;
  std::vector<Endpoint> locals_;  // of sockets_
  std::size_t of_discovery_ = 0;  // the last ones: nobody is told of them
  std::uint64_t unroutable_ = 0;
  std::vector<std::unique_ptr<UdpSocket>> adopted_;  // from node::kFirstAdopted on; null: the number is free
  Ears ears_;                                        // of start()
  Loop* loop_ = nullptr;                             // likewise
};

// Addresses of the interfaces that are up, without link-local ones.
std::vector<IpAddress> interface_addresses();

}  // namespace linnet::io
