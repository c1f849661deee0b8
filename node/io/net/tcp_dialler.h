// TCP connections that a supernode opens for those who asked for it (overlay/dial_desk.h says which): one packet goes
// out, and it is closed. Never through a proxy.
#pragma once

#include <list>

#include "node/io/net/byte_stream.h"
#include "overlay/dial_desk.h"

namespace linnet::io {

class TcpDialler {
 public:
  static constexpr std::size_t kAtOnce = 32;
  static constexpr Duration kPatience = std::chrono::seconds(4);  // for the connection, and for the packet to leave

  explicit TcpDialler(Loop& loop) : loop_(loop) {}

  // A STUN answer in our framing: its transaction is the nonce, its address the one that was dialled. Dropped when too
  // many are under way.
  void dial(const overlay::DialWanted& wanted);
  std::size_t under_way() const { return dials_.size(); }

 private:
  struct Dial {
    std::unique_ptr<ByteStream> stream;
    Bytes packet;  // empty: it was written
    Time until{};
  };
  using Dials = std::list<Dial>;

  void move_on(Dials::iterator at);
  void sweep();

  Loop& loop_;
  Dials dials_;  // oldest first
  std::unique_ptr<Loop::Alarm> alarm_;
};

}  // namespace linnet::io
