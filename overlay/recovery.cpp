#include "overlay/recovery.h"

#include <algorithm>
#include <iterator>

namespace linnet::overlay {

namespace {
constexpr Duration kGranularity = std::chrono::milliseconds(1);
constexpr std::uint64_t kReordering = 3;      // RFC 9002, kPacketThreshold
constexpr std::uint64_t kForgetBehind = 512;  // the sender has settled these long ago
}  // namespace

void RttEstimator::sample(Duration rtt) {
  rtt = std::max(rtt, Duration(1));
  const bool first = !known();
  latest_ = rtt;
  if (first) {
    smoothed_ = rtt;
    variation_ = rtt / 2;
    return;
  }
  const auto error = smoothed_ > rtt ? smoothed_ - rtt : rtt - smoothed_;
  variation_ = (3 * variation_ + error) / 4;
  smoothed_ = (7 * smoothed_ + rtt) / 8;
}

Duration RttEstimator::timeout() const {
  if (!known()) return kInitial;
  return std::max(kMinTimeout, smoothed_ + std::max(4 * variation_, kGranularity) + kMaxAckDelay);
}

void CongestionWindow::acked(std::size_t bytes, Time sent_at) {
  if (sent_at <= recovering_since_) return;
  if (window_ < threshold_) {
    window_ = static_cast<std::uint32_t>(std::min(window_ + bytes, kMax));
    return;
  }
  grown_ += static_cast<std::uint32_t>(std::min(bytes, kMax));
  if (grown_ < window_) return;
  grown_ = 0;
  window_ = static_cast<std::uint32_t>(std::min(window_ + kMaxInner, kMax));
}

void CongestionWindow::lost(Time now, Time sent_at) {
  if (sent_at <= recovering_since_) return;
  recovering_since_ = now;
  window_ = static_cast<std::uint32_t>(std::max<std::size_t>(window_ / 2, kMin));
  threshold_ = window_;
  grown_ = 0;
}

void Flight::sent(SentPacket packet) {
  bytes_ += packet.size;
  packets_.push_back(std::move(packet));
}

Flight::Outcome Flight::on_ack(Time now, const frame::Ack& ack, const RttEstimator& rtt) {
  Outcome outcome;
  acked_to_ = std::max(acked_to_, ack.largest() + 1);
  std::vector<SentPacket> left;
  std::size_t range = ack.count;  // ranges come highest first; walk them from the lowest
  for (auto& packet : packets_) {
    while (range > 0 && ack.ranges[range - 1].end <= packet.number) --range;
    if (range == 0 || packet.number < ack.ranges[range - 1].begin) {
      left.push_back(std::move(packet));
      continue;
    }
    bytes_ -= packet.size;
    if (packet.number == ack.largest()) {
      outcome.rtt = std::max(now - packet.sent_at - std::min(ack.delay, kMaxAckDelay), Duration(1));
    }
    outcome.acked.push_back(std::move(packet));
  }
  packets_ = std::move(left);
  outcome.lost = take_late(now, rtt);
  return outcome;
}

Duration Flight::lateness(const RttEstimator& rtt) { return std::max(rtt.recent() * 9 / 8, kGranularity); }

std::vector<SentPacket> Flight::take_late(Time now, const RttEstimator& rtt) {
  std::size_t count = 0;
  for (const auto& packet : packets_) {
    if (packet.number + 1 >= acked_to_) break;
    const bool overtaken = packet.number + kReordering < acked_to_;
    if (!overtaken && packet.sent_at + lateness(rtt) > now) break;
    ++count;
  }
  return take_oldest(count);
}

std::vector<SentPacket> Flight::take_oldest(std::size_t count) {
  count = std::min(count, packets_.size());
  const auto end = packets_.begin() + static_cast<std::ptrdiff_t>(count);
  std::vector<SentPacket> taken(std::make_move_iterator(packets_.begin()), std::make_move_iterator(end));
  packets_.erase(packets_.begin(), end);
  for (const auto& packet : taken) bytes_ -= packet.size;
  return taken;
}

Time Flight::late_at(const RttEstimator& rtt) const {
  if (packets_.empty() || packets_.front().number + 1 >= acked_to_) return kNever;
  return packets_.front().sent_at + lateness(rtt);
}

void AckTracker::arrived(Time now, std::uint64_t number, bool wants_ack, bool at_once) {
  const auto before = largest();
  numbers_.add(number, number + 1);
  while (numbers_.size() > frame::Ack::kMaxRanges ||
         (numbers_.size() > 1 && numbers_.front().end + kForgetBehind < numbers_.ranges().back().end)) {
    numbers_.drop_front();
  }
  if (!before || number > *before) largest_at_ = now;
  if (!wants_ack) return;
  ++unanswered_;
  // A gap or a latecomer is news the sender waits for; so is every second packet (RFC 9000, section 13.2.2).
  const bool in_order = before ? number == *before + 1 : true;
  due_ = std::min(due_, in_order && !at_once && unanswered_ < 2 ? now + kMaxAckDelay : now);
}

std::optional<std::uint64_t> AckTracker::largest() const {
  if (numbers_.empty()) return std::nullopt;
  return numbers_.ranges().back().end - 1;
}

frame::Ack AckTracker::take(Time now) {
  frame::Ack ack;
  ack.delay = now - largest_at_;
  for (auto range = numbers_.ranges().rbegin(); range != numbers_.ranges().rend(); ++range) {
    if (ack.count == frame::Ack::kMaxRanges) break;
    ack.ranges[ack.count++] = *range;
  }
  unanswered_ = 0;
  due_ = kNever;
  return ack;
}

}  // namespace linnet::overlay
