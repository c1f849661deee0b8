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
  if (!busy_) {
    busy_ = std::make_unique<Busy>();
    busy_->start = next_;
  }
  auto& b = *busy_;
  if (offset > next_ && b.have.size() >= kMaxRanges && b.have.stands_apart(offset, end)) return Verdict::no_room;
  if (b.data.size() < end - b.start) b.data.resize(end - b.start);
  std::copy(bytes.begin(), bytes.end(), b.data.begin() + static_cast<std::ptrdiff_t>(offset - b.start));
  if (offset > next_ || !b.have.empty()) {
    b.have.add(offset, end);
    if (b.have.front().begin > next_) return Verdict::taken;
    next_ = b.have.front().end;
    b.have.drop_front();
  } else {
    next_ = end;
  }
  return take_messages(messages);
}

ChannelRx::Verdict ChannelRx::take_messages(std::vector<Bytes>& messages) {
  auto& data = busy_->data;
  std::size_t at = 0;
  for (;;) {
    const auto arrived = static_cast<std::size_t>(next_ - busy_->start);
    if (arrived - at < 4) break;
    Reader in(ByteView(data).subspan(at, arrived - at));
    const std::size_t length = in.u32();
    if (length > kMaxMessage) return Verdict::broken;
    if (in.remaining() < length) break;
    messages.push_back(copy(in.bytes(length)));
    at += 4 + length;
  }
  if (at == data.size()) {
    busy_.reset();  // an idle channel owns nothing
  } else if (at > 0) {
    busy_->start += at;
    data.erase(data.begin(), data.begin() + static_cast<std::ptrdiff_t>(at));
  }
  return Verdict::taken;
}

}  // namespace linnet::overlay
