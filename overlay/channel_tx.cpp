#include "overlay/channel_tx.h"

#include <algorithm>

namespace linnet::overlay {

void ChannelTx::push(ByteView message) {
  if (!busy_) {
    busy_ = std::make_unique<Busy>();
    busy_->next = base_;
    busy_->data.reserve(4 + message.size());
  }
  auto& data = busy_->data;
  const auto length = static_cast<std::uint32_t>(message.size());
  for (int shift = 24; shift >= 0; shift -= 8) data.push_back(static_cast<std::uint8_t>(length >> shift));
  append(data, message);
}

bool ChannelTx::has_piece() const {
  return busy_ && (!busy_->lost.empty() || (busy_->next < end() && busy_->next < base_ + kStreamWindow));
}

std::optional<ChannelTx::Piece> ChannelTx::next(std::size_t room) {
  if (room == 0 || !busy_) return std::nullopt;
  if (!busy_->lost.empty()) {
    const auto range = busy_->lost.front();
    const auto length = std::min<std::uint64_t>(range.end - range.begin, room);
    busy_->lost.remove(range.begin, range.begin + length);
    return piece(range.begin, length);
  }
  const auto limit = std::min(end(), base_ + kStreamWindow);
  if (busy_->next >= limit) return std::nullopt;
  const auto offset = busy_->next;
  const auto length = std::min<std::uint64_t>(limit - offset, room);
  busy_->next += length;
  return piece(offset, length);
}

ChannelTx::Piece ChannelTx::piece(std::uint64_t offset, std::size_t length) const {
  return {offset, ByteView(busy_->data).subspan(busy_->head + (offset - base_), length)};
}

void ChannelTx::acked(std::uint64_t offset, std::size_t length) {
  if (!busy_) return;
  const auto begin = std::max(offset, base_);
  const auto stop = std::min(offset + length, busy_->next);
  if (begin >= stop) return;
  busy_->acked.add(begin, stop);
  busy_->lost.remove(begin, stop);
  forget_acked();
}

void ChannelTx::forget_acked() {
  auto& b = *busy_;
  if (b.acked.empty() || b.acked.front().begin > base_) return;
  const auto advance = b.acked.front().end - base_;
  b.acked.drop_front();
  b.head += advance;
  base_ += advance;
  if (b.head == b.data.size()) {
    busy_.reset();  // an idle channel owns nothing
  } else if (b.head > b.data.size() / 2 && b.head > 4096) {
    b.data.erase(b.data.begin(), b.data.begin() + static_cast<std::ptrdiff_t>(b.head));
    b.head = 0;
  }
}

void ChannelTx::lost(std::uint64_t offset, std::size_t length) {
  if (!busy_) return;
  const auto begin = std::max(offset, base_);
  const auto stop = std::min(offset + length, busy_->next);
  if (begin >= stop) return;
  busy_->lost.add(begin, stop);
  for (const auto& range : busy_->acked.ranges()) busy_->lost.remove(range.begin, range.end);
}

}  // namespace linnet::overlay
