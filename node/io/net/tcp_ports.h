// TCP for networks that let no UDP through: a supernode listens beside its UDP sockets, anybody connects. Connections
// are known by the other side's address; what they carry are the same packets as on UDP.
#pragma once

#include <map>
#include <vector>

#include "node/io/net/tcp_connection.h"

namespace linnet::io {

class TcpPorts {
 public:
  struct Limits {
    std::size_t total = 2048;      // and half of the descriptors that the system gives us
    std::size_t per_prefix = 256;  // of a /24 or /48; many people may sit behind one address. Loopback is exempt
    std::size_t outgoing = 64;
  };
  struct Counters {
    std::uint64_t accepted = 0, refused = 0, closed_slow = 0, malformed = 0, dropped = 0, dialled = 0;
  };
  using Receive = std::function<void(const Datagram&)>;
  // Whether a session stands at this endpoint.
  using Standing = std::function<bool(const Endpoint&)>;

  explicit TcpPorts(Limits limits);
  TcpPorts() : TcpPorts(Limits{}) {}

  // At these addresses, from start() on. Those that are taken are named.
  Done listen(const std::vector<Endpoint>& at);
  std::vector<Endpoint> bound() const;
  void start(Loop& loop, Receive receive, std::function<void()> drained, Standing standing);

  // By the connection that is there. Only what begins something (message 1, FORWARD to a leaf) opens one: an answer
  // never makes us connect to whoever claimed an address.
  void send(const Transmit& transmit);
  void flush();

  std::size_t size() const { return connections_.size(); }
  const Counters& counters() const { return counters_; }

 private:
  struct Listener {
    Fd fd;
    Endpoint local;
    std::unique_ptr<Loop::Watch> watch;
  };
  using Connections = std::map<Endpoint, std::unique_ptr<TcpConnection>>;

  void accept_some(Listener& listener);
  void take(Fd fd, const Endpoint& remote);
  bool make_room(const Endpoint& newcomer);
  void begin(std::unique_ptr<TcpConnection> connection);
  Connections::iterator drop(Connections::iterator at);
  void on_readable(const Endpoint& remote);
  void on_writable(const Endpoint& remote);
  void sweep();

  Limits limits_;
  Counters counters_;
  std::vector<Listener> listeners_;
  Connections connections_;
  std::vector<Endpoint> waiting_;  // have something to send
  std::size_t outgoing_ = 0;  // of connections_
  Fd spare_;  // given up for a moment when descriptors run out, so that who waits can be turned away
  Loop* loop_ = nullptr;
  std::unique_ptr<Loop::Alarm> alarm_;
  Receive receive_;
  std::function<void()> drained_;
  Standing standing_;
};

}  // namespace linnet::io
