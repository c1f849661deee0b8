// The receiving half of one channel: pieces in any order become whole messages in order.
#pragma once

#include <memory>
#include <vector>

#include "base/bytes.h"
#include "overlay/range_set.h"

namespace linnet::overlay {

class ChannelRx {
 public:
  enum class Verdict : std::uint8_t {
    taken,    // or known already
    no_room,  // outside the window, or with too many holes: the packet must not be acknowledged
    broken,   // no sender of ours writes this; the session ends
  };

  // Ranges behind the first hole. Who sends crumbs with a hole after each fills what is first before more is taken.
  static constexpr std::size_t kMaxRanges = 256;

  // Appends the messages that are complete now to `messages`. `window`: how far ahead of the first missing byte to
  // buffer.
  Verdict receive(std::uint64_t offset, ByteView bytes, std::uint64_t window, std::vector<Bytes>& messages);

  std::size_t buffered() const { return busy_ ? busy_->data.size() : 0; }
  std::size_t memory_bytes() const { return sizeof *this + (busy_ ? sizeof *busy_ + busy_->data.capacity() : 0); }
  std::size_t ranges() const { return busy_ ? busy_->have.size() : 0; }

 private:
  // While a message is not whole.
  struct Busy {
    Bytes data;               // data[0] is the byte at offset start; holes where `have` says so
    std::uint64_t start = 0;  // where the first undelivered message begins
    RangeSet have;            // above next_
  };

  Verdict take_messages(std::vector<Bytes>& messages);

  std::uint64_t next_ = 0;  // everything below arrived
  std::unique_ptr<Busy> busy_;
};

}  // namespace linnet::overlay
