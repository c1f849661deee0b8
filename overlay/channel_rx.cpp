#include "overlay/channel_rx.h"

#include <algorithm>

#include "overlay/channel_tx.h"

namespace linnet::overlay {

ChannelRx::Verdict ChannelRx::receive(std::uint64_t offset, ByteView bytes, std::uint64_t window,
                                      std::vector<Bytes>& messages) {
  const auto end = offset + bytes.size();
  if (end <= next_) return Verdict::taken;
  if (end > next_ + window) return Verdict::no_room;
  if (offset < next_) {
    bytes = bytes.subspan(next_ - offset);
    offset = next_;
  }
  if (data_.size() < end - start_) data_.resize(end - start_);
  std::copy(bytes.begin(), bytes.end(), data_.begin() + static_cast<std::ptrdiff_t>(offset - start_));
  have_.add(offset, end);
  if (have_.front().begin > next_) return Verdict::taken;
  next_ = have_.front().end;
  have_.drop_front();
  return take_messages(messages);
}

ChannelRx::Verdict ChannelRx::take_messages(std::vector<Bytes>& messages) {
  std::size_t at = 0;
  for (;;) {
    const auto arrived = static_cast<std::size_t>(next_ - start_);
    if (arrived - at < 4) break;
    Reader in(ByteView(data_).subspan(at, arrived - at));
    const std::size_t length = in.u32();
    if (length > kMaxMessage) return Verdict::broken;
    if (in.remaining() < length) break;
    messages.push_back(copy(in.bytes(length)));
    at += 4 + length;
  }
  start_ += at;
  if (at == data_.size()) {
    data_ = Bytes();  // an idle channel owns no buffer
  } else if (at > 0) {
    data_.erase(data_.begin(), data_.begin() + static_cast<std::ptrdiff_t>(at));
  }
  return Verdict::taken;
}

}  // namespace linnet::overlay
