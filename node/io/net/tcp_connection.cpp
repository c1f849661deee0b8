#include "node/io/net/tcp_connection.h"

#include <algorithm>
#include <array>

namespace linnet::io {
namespace {

constexpr int kReadsAtOnce = 4;  // then others get their turn
// Handed to the stream beyond what the system takes: the rest waits where outdated voice is dropped.
constexpr std::size_t kAhead = 4 * 1024;

}  // namespace

TcpConnection::TcpConnection(std::unique_ptr<ByteStream> stream, const Endpoint& remote, bool incoming, Time now)
    : stream_(std::move(stream)),
      remote_(remote),
      incoming_(incoming),
      undecided_(incoming),
      greeted_(incoming),
      since_(now),
      last_whole_(now),
      last_taken_(now),
      last_standing_(now),
      reader_(incoming) {}

TcpConnection::Read TcpConnection::read(Time now, const std::function<void(MutableBytes)>& receive) {
  static thread_local std::array<std::uint8_t, overlay::kMaxStreamPacket> chunk;
  for (int round = 0; round < kReadsAtOnce; ++round) {
    const auto n = stream_->read(chunk);
    if (!n) return Read::over;
    if (*n == 0) break;
    const auto became = on_bytes(now, ByteView(chunk.data(), *n), receive);
    if (became != Read::goes_on) return became;
    if (*n < chunk.size()) break;
  }
  if (!reader_.in_the_middle()) last_whole_ = now;
  return Read::goes_on;
}

TcpConnection::Read TcpConnection::on_bytes(Time now, ByteView bytes,
                                            const std::function<void(MutableBytes)>& receive) {
  Bytes first;
  if (undecided_) {
    append(opening_, bytes);
    const auto opening = overlay::stream_opening(opening_);
    if (opening == overlay::StreamOpening::undecided) return Read::goes_on;
    if (opening == overlay::StreamOpening::stun) return Read::guest;
    first = std::exchange(opening_, {});
    if (opening == overlay::StreamOpening::tls && remote_.transport == Transport::tcp) {
      remote_.transport = Transport::tls;
      return stream_->answer_tls(first) ? Read::in_tls : Read::over;
    }
    if (opening != overlay::StreamOpening::ours) return Read::over;
    undecided_ = false;
    bytes = first;
  }
  while (!bytes.empty()) {
    const auto some = bytes.first(std::min(bytes.size(), overlay::kMaxStreamPacket));
    bytes = bytes.subspan(some.size());
    if (!reader_.push(some)) return Read::over;
    for (;;) {
      const auto packet = reader_.next();
      if (!packet) return Read::over;
      if (!*packet) break;
      last_whole_ = now;
      receive(**packet);
    }
  }
  return Read::goes_on;
}

bool TcpConnection::flush(Time now) {
  static thread_local Bytes frames;
  const auto before = stream_->unsent();
  if (!stream_->flush()) return false;
  bool moved = stream_->unsent() < before;
  while (stream_->ready() && stream_->unsent() < kAhead) {
    frames.clear();
    if (!std::exchange(greeted_, true)) append(frames, overlay::kStreamMagic);
    while (frames.size() < kAhead) {
      const auto packet = queue_.pop(now);
      if (!packet) break;
      (void)overlay::write_stream_packet(frames, *packet);
    }
    if (frames.empty()) break;
    moved = true;
    stream_->write(frames);
    if (!stream_->flush()) return false;
  }
  if (moved || (queue_.empty() && stream_->unsent() == 0)) last_taken_ = now;
  return true;
}

bool TcpConnection::slow(Time now, bool standing) const {
  const bool holds_back = reader_.in_the_middle() && now - last_whole_ >= kSlow;
  const bool waiting = !queue_.empty() || stream_->unsent() > 0;
  const bool takes_nothing = waiting && now - last_taken_ >= kSlow;
  const bool of_no_use = !standing && now - last_standing_ >= kSlow;
  return holds_back || takes_nothing || of_no_use;
}

}  // namespace linnet::io
