// TCP for networks that let no UDP through: a supernode listens beside its UDP sockets, anybody connects. Connections
// are known by the other side's address; what they carry are the same packets as on UDP. On each port TLS is told by
// its first byte and taken off, and who speaks STUN inside or outside of it is handed on (a TURN server's clients).
#pragma once

#include <map>
#include <unordered_map>
#include <vector>

#include "node/io/net/tcp_connection.h"

namespace linnet::io {

// Somebody who speaks STUN on a stream. `stream` has no callbacks yet: start() it, then look at `first` and read on.
struct StreamGuest {
  Endpoint remote;  // its transport says whether it came in TLS
  Endpoint local;   // where we listen
  std::unique_ptr<ByteStream> stream;
  Bytes first;  // what came already, at least kOpeningBytes
};

class TcpPorts {
 public:
  struct Limits {
    std::size_t total = 2048;      // and half of the descriptors that the system gives us
    std::size_t per_prefix = 256;  // of a /24 or /48; many people may sit behind one address. Loopback is exempt
    std::size_t outgoing = 128;
  };
  struct Counters {
    std::uint64_t accepted = 0, refused = 0, closed_slow = 0, malformed = 0, dropped = 0, dialled = 0, guests = 0,
                  outdated = 0, rests = 0;
  };
  // Without memory for who waits a listener rests so long: it would else be readable on the spot, again and again.
  static constexpr Duration kRest = std::chrono::milliseconds(200);
  // A core that did not try an endpoint is asked again after it: it looks through all its sessions.
  static constexpr Duration kAskAgain = std::chrono::milliseconds(100);
  using Receive = std::function<void(const Datagram&)>;
  // What a core knows of an endpoint.
  struct Core {
    std::function<bool(const Endpoint&)> stands;  // a session stands there
    std::function<bool(const Endpoint&)> tries;   // it waits for an answer from there, and may connect for it
  };
  // How an endpoint is reached: straight, or through a proxy. Nothing: not at all.
  using Route = std::function<std::optional<ByteStream::Dial>(const Endpoint&)>;
  using Guests = std::function<void(StreamGuest)>;

  explicit TcpPorts(Limits limits);
  TcpPorts() : TcpPorts(Limits{}) {}

  // At these addresses, from start() on. Those that are taken are named.
  Done listen(const std::vector<Endpoint>& at);
  // Connections that came by them stay.
  void stop_listening(const std::vector<Endpoint>& at);
  std::vector<Endpoint> bound() const;
  void set_route(Route route) { route_ = std::move(route); }
  // Without it who speaks STUN is shown out. A guest counts no longer among the connections here.
  void set_guests(Guests guests) { guests_ = std::move(guests); }
  void start(Loop& loop, Receive receive, std::function<void()> drained, Core core);

  // By the connection that is there. Only what begins something (message 1, FORWARD to a leaf) and what the core tries
  // opens one: an answer never makes us connect to whoever claimed an address.
  void send(const Transmit& transmit);
  void flush();

  // The other side opened the connection that is there.
  bool came_in(const Endpoint& remote) const {
    const auto at = connections_.find(remote);
    return at != connections_.end() && at->second->connection.incoming();
  }

  std::size_t size() const { return connections_.size(); }
  const Counters& counters() const { return counters_; }
  // Why the last connection through a proxy failed, for a person; empty when the last one stood.
  const std::string& proxy_trouble() const { return proxy_trouble_; }

 private:
  struct Listener {
    Fd fd;
    Endpoint local;
    std::unique_ptr<Loop::Watch> watch;
  };
  struct Entry {
    TcpConnection connection;
    Endpoint local;  // of the listener it came by
  };
  using Connections = std::map<Endpoint, std::unique_ptr<Entry>>;

  void watch(Listener& listener);
  void accept_some(Listener& listener);
  bool turn_away(Listener& listener);
  bool tried(const Endpoint& to);
  void take(Fd fd, const Endpoint& remote, const Endpoint& local);
  bool make_room(const Endpoint& newcomer);
  Connections::iterator dial(const Endpoint& to);
  Connections::iterator begin(std::unique_ptr<Entry> entry);
  Connections::iterator drop(Connections::iterator at);
  void on_readable(TcpConnection& connection);
  void on_writable(TcpConnection& connection);
  bool rename(const Endpoint& before, const Endpoint& after);
  void hand_on(Connections::iterator at);
  void sweep();

  Limits limits_;
  Counters counters_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  Connections connections_;
  std::vector<Endpoint> waiting_;  // have something to send
  std::size_t outgoing_ = 0;       // of connections_
  Fd spare_;  // given up for a moment when descriptors run out, so that who waits can be turned away
  std::string proxy_trouble_;
  std::unordered_map<Endpoint, Time> untried_;  // the core waited for nothing from there; when
  Loop* loop_ = nullptr;
  std::unique_ptr<Loop::Alarm> alarm_;
  std::unique_ptr<Loop::Alarm> rested_;
  Receive receive_;
  std::function<void()> drained_;
  Core core_;
  Route route_;
  Guests guests_;
};

}  // namespace linnet::io
