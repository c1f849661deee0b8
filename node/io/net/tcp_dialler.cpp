#include "node/io/net/tcp_dialler.h"

#include "nat/stun_builder.h"
#include "node/io/clock.h"
#include "overlay/stream.h"

namespace linnet::io {
namespace {

Bytes said_to(const overlay::DialWanted& wanted) {
  nat::stun::Builder answer(nat::stun::Class::success, nat::stun::Method::binding, wanted.nonce);
  answer.endpoint(nat::stun::Attr::xor_mapped_address, wanted.to);
  Bytes out(overlay::kStreamMagic.begin(), overlay::kStreamMagic.end());
  (void)overlay::write_stream_packet(out, answer.take());
  return out;
}

}  // namespace

void TcpDialler::dial(const overlay::DialWanted& wanted) {
  if (dials_.size() >= kAtOnce) return;
  auto stream = ByteStream::dial({wanted.to, std::nullopt, ""});
  if (!stream) return;
  dials_.push_back({std::move(stream), said_to(wanted), now() + kPatience});
  const auto at = std::prev(dials_.end());
  at->stream->start(
      loop_, [this, at] { move_on(at); },
      [this, at] {
        at->stream->on_writable();
        move_on(at);
      });
  if (!alarm_) alarm_ = loop_.alarm([this] { sweep(); });
  if (dials_.size() == 1) alarm_->set(dials_.front().until);
}

// Something happened to it: it stands, took what was written, or is over.
void TcpDialler::move_on(Dials::iterator at) {
  auto& one = *at;
  bool stands = one.stream->flush();
  if (stands && !one.stream->ready()) return;
  if (stands && !one.packet.empty()) {
    one.stream->write(std::exchange(one.packet, {}));
    stands = one.stream->flush();
  }
  if (stands && one.stream->unsent() > 0) return;
  dials_.erase(at);
  if (dials_.empty()) alarm_->set(kNever);
}

void TcpDialler::sweep() {
  while (!dials_.empty() && dials_.front().until <= now()) dials_.pop_front();
  alarm_->set(dials_.empty() ? kNever : dials_.front().until);
}

}  // namespace linnet::io
