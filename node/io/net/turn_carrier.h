// The TURN server that the settings name, as one more socket of the node: keeps an allocation there
// (nat/turn_client.h) over UDP, TCP or TLS, and carries datagrams through it. A UDP socket is connected, so that the
// kernel hands over what comes from the server alone. In TLS the server's certificate is checked: what goes through is
// sealed already, but who reads the challenge and the answer to it can guess our password. A stream goes through the
// proxy of the settings first, where there is one, and straight when that brought nothing.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/machine.h"
#include "nat/turn_client.h"
#include "node/io/files.h"
#include "node/io/loop.h"
#include "node/io/net/byte_stream.h"
#include "node/io/net/name_watch.h"
#include "node/io/net/turn_uri.h"
#include "node/link_agent.h"

namespace linnet::io {

struct TurnLogin {
  TurnUri server;
  nat::turn::ClientConfig user;
  std::shared_ptr<const TlsTrust> trust;  // null: whoever answers by TLS
  // The way through the proxy, if any; asked before each try of a stream. Null: there is none.
  std::function<std::optional<ByteStream::Through>(const overlay::ProxyTarget&)> by_proxy;
};

struct TurnCarrierStatus {
  std::string server;  // "turn.example:3478"
  Transport transport{};
  bool by_proxy = false;  // the try that is under way, or stands
  nat::turn::ClientStatus client;
};

class TurnCarrier {
 public:
  static constexpr Duration kConnect = std::chrono::seconds(10);  // for a stream to be ready
  static constexpr std::size_t kMostUnsent = 64 * 1024;           // what a slow stream may hold back

  struct Ears {
    std::function<void(const Datagram&)> receive;  // from a peer; its socket is overlay::kByTurn
    std::function<void(std::optional<node::TurnPlace>)> changed;
    std::function<void()> drained;  // after receive(), may send
  };

  // Loop and rng outlive it.
  TurnCarrier(Loop& loop, Rng& rng, TurnLogin login, Ears ears);
  ~TurnCarrier();

  void start();
  // Gives the allocation back.
  void stop();
  // Queued until flush().
  void send(const Transmit& transmit);
  void flush();
  void every_second();
  // Begins anew if the way to the server leaves from another address of ours now.
  void addresses_changed();
  TurnCarrierStatus status() const;

 private:
  void found(std::vector<Endpoint> at);
  void pump();
  void on(const nat::turn::ClientEvent& event);
  void open();
  void open_datagrams();
  void open_stream(std::optional<ByteStream::Through> through);
  std::optional<ByteStream::Through> proxy() const;
  void tell_trouble();
  void close();
  void fail(std::string why);
  void read_datagrams();
  void read_stream();
  bool take_frames();
  void take(MutableBytes packet);
  void flush_stream();
  void tick();
  void rearm();

  Loop& loop_;
  TurnLogin login_;
  Ears ears_;
  nat::turn::AllocationClient client_;
  std::unique_ptr<NameWatch> name_;
  std::vector<Endpoint> at_;  // of the name
  std::size_t which_ = 0;     // of the ways: through the proxy, where there is one, then each of these
  bool by_proxy_ = false;
  std::string told_;  // trouble that stands in the log
  Endpoint server_;   // in use
  Fd socket_;
  std::unique_ptr<Loop::Watch> watch_;
  std::unique_ptr<ByteStream> stream_;
  bool stream_ready_ = false;
  Time give_up_ = kNever;  // on a stream that does not get ready
  Bytes came_;             // of a frame that is not whole yet
  bool wanted_ = false;
  std::unique_ptr<Loop::Alarm> alarm_;
  std::unique_ptr<Loop::Alarm> on_;  // a stream that had more than its turn
};

}  // namespace linnet::io
