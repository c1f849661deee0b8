// The receiving half of one channel: pieces in any order become whole messages in order.
#pragma once

#include <vector>

#include "base/bytes.h"
#include "overlay/range_set.h"

namespace linnet::overlay {

class ChannelRx {
 public:
  enum class Verdict : std::uint8_t {
    taken,    // or known already
    no_room,  // outside the window: the packet must not be acknowledged
    broken,   // no sender of ours writes this; the session ends
  };

  // Appends the messages that are complete now to `messages`. `window`: how far ahead of the first missing byte to buffer.
  Verdict receive(std::uint64_t offset, ByteView bytes, std::uint64_t window, std::vector<Bytes>& messages);

  std::size_t buffered() const { return data_.size(); }
  std::size_t memory_bytes() const { return sizeof *this + data_.capacity(); }

 private:
  Verdict take_messages(std::vector<Bytes>& messages);

  Bytes data_;              // data_[0] is the byte at offset start_; holes where have_ says so
  std::uint64_t start_ = 0;  // where the first undelivered message begins
  std::uint64_t next_ = 0;   // everything below arrived
  RangeSet have_;           // above next_
};

}  // namespace linnet::overlay
