#include "overlay/channel_tx.h"

#include <algorithm>

namespace linnet::overlay {

void ChannelTx::push(ByteView message) {
  const auto length = static_cast<std::uint32_t>(message.size());
  for (int shift = 24; shift >= 0; shift -= 8) data_.push_back(static_cast<std::uint8_t>(length >> shift));
  append(data_, message);
}

bool ChannelTx::has_piece() const {
  return !lost_.empty() || (next_ < end() && next_ < base_ + kStreamWindow);
}

std::optional<ChannelTx::Piece> ChannelTx::next(std::size_t room) {
  if (room == 0) return std::nullopt;
  if (!lost_.empty()) {
    const auto range = lost_.front();
    const auto length = std::min<std::uint64_t>(range.end - range.begin, room);
    lost_.remove(range.begin, range.begin + length);
    return piece(range.begin, length);
  }
  const auto limit = std::min(end(), base_ + kStreamWindow);
  if (next_ >= limit) return std::nullopt;
  const auto offset = next_;
  const auto length = std::min<std::uint64_t>(limit - offset, room);
  next_ += length;
  return piece(offset, length);
}

ChannelTx::Piece ChannelTx::piece(std::uint64_t offset, std::size_t length) const {
  return {offset, ByteView(data_).subspan(head_ + (offset - base_), length)};
}

void ChannelTx::acked(std::uint64_t offset, std::size_t length) {
  const auto begin = std::max(offset, base_);
  const auto stop = std::min(offset + length, next_);
  if (begin >= stop) return;
  acked_.add(begin, stop);
  lost_.remove(begin, stop);
  forget_acked();
}

void ChannelTx::forget_acked() {
  if (acked_.empty() || acked_.front().begin > base_) return;
  const auto advance = acked_.front().end - base_;
  acked_.drop_front();
  head_ += advance;
  base_ += advance;
  if (head_ == data_.size()) {
    data_ = Bytes();  // an idle channel owns no buffer
    head_ = 0;
  } else if (head_ > data_.size() / 2 && head_ > 4096) {
    data_.erase(data_.begin(), data_.begin() + static_cast<std::ptrdiff_t>(head_));
    head_ = 0;
  }
}

void ChannelTx::lost(std::uint64_t offset, std::size_t length) {
  const auto begin = std::max(offset, base_);
  const auto stop = std::min(offset + length, next_);
  if (begin >= stop) return;
  lost_.add(begin, stop);
  for (const auto& range : acked_.ranges()) lost_.remove(range.begin, range.end);
}

}  // namespace linnet::overlay
