// One TCP connection that carries packets (overlay/stream.h). Never waits; what the other side does not take in time is
// dropped, as UDP would.
#pragma once

#include <memory>

#include "base/machine.h"
#include "node/io/files.h"
#include "node/io/loop.h"
#include "overlay/stream.h"

namespace linnet::io {

class TcpConnection {
 public:
  static constexpr std::size_t kQueue = 64 * 1024;  // some seconds of voice
  static constexpr Duration kSlow =
      std::chrono::seconds(8);  // for a packet to come whole, for one to be taken, for a session to stand

  // An accepted connection, or one that is being made.
  static std::unique_ptr<TcpConnection> accepted(Fd fd, const Endpoint& remote, Time now);
  // Null when the system refuses at once.
  static std::unique_ptr<TcpConnection> dial(const Endpoint& remote, Time now);

  // `readable` may destroy the connection.
  void start(Loop& loop, std::function<void()> readable, std::function<void()> writable);
  // Calls `receive` for every whole packet. False: the connection is over.
  bool read(Time now, const std::function<void(MutableBytes)>& receive);
  // False when the queue is full.
  bool send(ByteView packet);
  // False: the connection is over.
  bool flush(Time now);

  const Endpoint& remote() const { return remote_; }
  bool incoming() const { return incoming_; }
  Time since() const { return since_; }
  // It holds up a packet, either way, or says nothing that a session of ours stands on (`standing`).
  bool slow(Time now, bool standing) const;

 private:
  TcpConnection(Fd fd, const Endpoint& remote, bool incoming, Time now);

  Fd fd_;
  Endpoint remote_;
  bool incoming_;
  bool connecting_;
  bool waits_ = false;  // for the socket to take more
  Time since_;
  Time last_whole_;  // the reader was between packets then
  Time last_taken_;  // the socket took bytes, or there were none for it
  Time last_standing_;
  overlay::StreamReader reader_;
  Bytes out_;
  std::size_t taken_ = 0;  // of out_
  std::function<void()> writable_;
  std::unique_ptr<Loop::Watch> watch_;  // before the descriptor it watches is closed: destroyed first

  friend class TcpPorts;
};

}  // namespace linnet::io
