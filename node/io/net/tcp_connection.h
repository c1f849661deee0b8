// One TCP connection that carries packets (overlay/stream.h), in TLS or not. Never waits; what the other side does not
// take in time is dropped, as UDP would, and voice that waited is dropped first.
#pragma once

#include "node/io/net/byte_stream.h"
#include "overlay/stream.h"

namespace linnet::io {

class TcpConnection {
 public:
  static constexpr Duration kSlow =
      std::chrono::seconds(8);  // for a packet to come whole, for one to be taken, for a session to stand

  // An accepted connection, or one that is being made. `remote`: as what the cores know it.
  TcpConnection(std::unique_ptr<ByteStream> stream, const Endpoint& remote, bool incoming, Time now);

  void start(Loop& loop, std::function<void()> readable, std::function<void()> writable) {
    stream_->start(loop, std::move(readable), std::move(writable));
  }
  // What became of it: `in_tls`, once and before any packet: remote() has changed, read on. `guest`: it speaks STUN.
  enum class Read : std::uint8_t { goes_on, over, in_tls, guest };
  // Calls `receive` for every whole packet, which may not destroy the connection.
  Read read(Time now, const std::function<void(MutableBytes)>& receive);
  // False when the queue is full.
  bool send(Time now, Bytes packet) { return queue_.push(now, std::move(packet)); }
  // False: the connection is over.
  bool flush(Time now);
  bool waits() const { return stream_->waits(); }
  void on_writable() { stream_->on_writable(); }

  const Endpoint& remote() const { return remote_; }
  bool incoming() const { return incoming_; }
  // The proxy was passed, the handshake is over.
  bool ready() const { return stream_->ready(); }
  const std::string& why() const { return stream_->why(); }
  Time since() const { return since_; }
  void stands(Time now) { last_standing_ = now; }
  // It holds up a packet, either way, or says nothing that a session of ours stands on (`standing`).
  bool slow(Time now, bool standing) const;
  std::uint64_t outdated() const { return queue_.outdated(); }

  // Of a guest: the stream and what came by it. The connection is of no use after that.
  std::unique_ptr<ByteStream> take_stream() { return std::move(stream_); }
  Bytes take_opening() { return std::move(opening_); }

 private:
  Read on_bytes(Time now, ByteView bytes, const std::function<void(MutableBytes)>& receive);

  std::unique_ptr<ByteStream> stream_;
  Endpoint remote_;
  bool incoming_;
  bool undecided_;  // what it speaks
  bool greeted_;    // our magic is out
  Time since_;
  Time last_whole_;  // the reader was between packets then
  Time last_taken_;  // the socket took bytes, or there were none for it
  Time last_standing_;
  Bytes opening_;  // while undecided
  overlay::StreamReader reader_;
  overlay::StreamQueue queue_;
};

}  // namespace linnet::io
