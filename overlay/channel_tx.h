// The sending half of one channel: messages become a byte stream, sent in pieces, kept until acknowledged.
#pragma once

#include <memory>
#include <optional>

#include "base/bytes.h"
#include "overlay/range_set.h"

namespace linnet::overlay {

inline constexpr std::size_t kMaxMessage = 64 * 1024;
// How far a sender may run ahead of the first byte that is not acknowledged. The receiver reserves that much and no
// more, so flow control needs no frame of its own.
inline constexpr std::uint64_t kStreamWindow = 64 * 1024;

class ChannelTx {
 public:
  struct Piece {
    std::uint64_t offset = 0;
    ByteView bytes;  // until the next call
  };

  void push(ByteView message);
  bool has_piece() const;
  // The next piece to send, lost bytes first; it counts as sent.
  std::optional<Piece> next(std::size_t room);
  void acked(std::uint64_t offset, std::size_t length);
  void lost(std::uint64_t offset, std::size_t length);

  // Bytes not yet acknowledged.
  std::size_t queued() const { return busy_ ? busy_->data.size() - busy_->head : 0; }
  std::size_t memory_bytes() const { return sizeof *this + (busy_ ? sizeof *busy_ + busy_->data.capacity() : 0); }

 private:
  // While something is not acknowledged.
  struct Busy {
    Bytes data;
    std::size_t head = 0;    // data[head] is the byte at offset base_
    std::uint64_t next = 0;  // everything from here on was never sent
    RangeSet acked;          // above base_; of both no more than pieces of ours in the window
    RangeSet lost;
  };

  Piece piece(std::uint64_t offset, std::size_t length) const;
  std::uint64_t end() const { return base_ + queued(); }
  void forget_acked();

  std::uint64_t base_ = 0;  // everything below is acknowledged
  std::unique_ptr<Busy> busy_;
};

}  // namespace linnet::overlay
