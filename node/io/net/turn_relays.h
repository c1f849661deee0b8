// The relayed sockets of a TURN server: opened on request, read together into one set of buffers.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "base/rng.h"
#include "nat/turn_server.h"
#include "node/io/files.h"
#include "node/io/loop.h"
#include "node/io/net/batch_sender.h"

namespace linnet::io {

class TurnRelays {
 public:
  // RFC 8656 section 7.2 wants the dynamic ports of RFC 6335.
  static constexpr std::uint16_t kFirstPort = 49'152;
  static constexpr std::size_t kBatch = BatchSender::kBatch;

  // Called for each datagram that came to a relayed socket; the bytes may be changed until `drained` has been called.
  struct Ears {
    std::function<void(Time read_at, nat::turn::RelayId, const Endpoint& peer, nat::turn::Room)> receive;
    std::function<void()> drained;
  };

  TurnRelays(Loop& loop, Rng& rng, Ears ears);
  ~TurnRelays();

  // At that address, on a port of nobody's choice. Nothing: there is no port or no descriptor. `next`: even, and the
  // port above it as well.
  enum class Port : std::uint8_t { any, even, pair };
  struct Opened {
    nat::turn::Relay relay, next;
  };
  Opened open(const IpAddress& at, Port port);
  void close(nat::turn::RelayId relay);
  // Of an open one.
  int descriptor(nat::turn::RelayId relay) const { return slots_[relay].get(); }
  // Sends one datagram at once that no router may cut (RFC 8656, section 14). False: the system refused.
  bool send_whole(nat::turn::RelayId relay, const Endpoint& to, ByteView bytes);
  std::size_t size() const { return open_; }

 private:
  struct Buffers;

  bool read_alone();
  void read_some();
  std::size_t read(nat::turn::RelayId relay, std::size_t used);
  void hand_out(std::size_t count);
  nat::turn::Relay keep(Fd fd, const Endpoint& at);

  Rng& rng_;
  Ears ears_;
  Fd ready_;  // epoll of the relayed sockets alone: the loop looks at one descriptor, however many there are
  std::vector<Fd> slots_;  // at RelayId
  std::vector<nat::turn::RelayId> free_;
  std::size_t open_ = 0;
  std::unique_ptr<Buffers> buffers_;
  std::unique_ptr<Loop::Watch> watch_;
};

}  // namespace linnet::io
