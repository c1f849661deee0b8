// TURN clients that came by TCP or TLS (RFC 8656, section 2.1): their messages cut from the stream, and what is sent to
// them. A client that says nothing of use, or takes nothing, is closed within ten seconds.
#pragma once

#include <unordered_map>

#include "node/io/net/tcp_ports.h"

namespace linnet::io {

class TurnStreams {
 public:
  static constexpr std::size_t kMaxFrame = 4096;  // of a client's message: more than any datagram we pass on
  static constexpr std::size_t kMaxUnsent = 128 * 1024;
  static constexpr Duration kSlow = std::chrono::seconds(8);

  struct Limits {
    std::size_t total = 1024;
    std::size_t per_prefix = 256;  // of a /24 or /48. Loopback is exempt
  };
  struct Counters {
    std::uint64_t accepted = 0, refused = 0, closed_slow = 0, malformed = 0, dropped = 0;
  };
  struct Ears {
    std::function<void(Time read_at, const Endpoint& client, MutableBytes message)> receive;
    std::function<void()> drained;  // before the bytes change
    std::function<void(const Endpoint& client)> gone;
    std::function<bool(const Endpoint& client)> serves;  // it has an allocation
  };

  TurnStreams(Loop& loop, Limits limits, Ears ears);

  void take(StreamGuest guest);
  // Leaves with flush(); dropped when the client takes too little.
  void send(const Endpoint& client, ByteView bytes);
  void flush();
  // Where the client came in.
  std::optional<Endpoint> local(const Endpoint& client) const;
  std::size_t size() const { return clients_.size(); }
  // Bytes that wait for all of them together, in TLS where they are.
  std::size_t unsent() const;
  const Counters& counters() const { return counters_; }

 private:
  struct Client {
    Endpoint remote, local;
    std::unique_ptr<ByteStream> stream;
    Bytes rest;    // the beginning of a message
    Bytes outbox;  // until flush()
    Time since, last_whole, last_taken, last_served;
  };
  using Clients = std::unordered_map<Endpoint, std::unique_ptr<Client>>;

  bool make_room(const Endpoint& newcomer);
  void on_readable(const Endpoint& remote);
  bool cut(Client& client, MutableBytes bytes);
  bool flush(Client& client);
  void drop(const Endpoint& remote);
  void sweep();

  Loop& loop_;
  Limits limits_;
  Ears ears_;
  Counters counters_;
  Clients clients_;
  std::vector<Endpoint> waiting_;  // have an outbox
  std::unique_ptr<Loop::Alarm> alarm_;
};

}  // namespace linnet::io
