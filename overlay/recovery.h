// Loss recovery and congestion control of one session, after RFC 9002 (QUIC): packets are numbered once, frames are
// sent again in new packets. Round trips after RFC 6298.
#pragma once

#include <algorithm>
#include <optional>
#include <vector>

#include "base/time.h"
#include "overlay/frame.h"

namespace linnet::overlay {

// A receiver answers within this time (RFC 9002, max_ack_delay).
inline constexpr Duration kMaxAckDelay = std::chrono::milliseconds(5);

class RttEstimator {
 public:
  static constexpr Duration kMinTimeout = std::chrono::milliseconds(30);
  static constexpr Duration kInitial = std::chrono::milliseconds(250);

  void sample(Duration rtt);
  bool known() const { return latest_ > Duration{}; }
  Duration smoothed() const { return known() ? smoothed_ : kInitial; }
  // The longer of the smoothed and the latest one.
  Duration recent() const { return known() ? std::max(smoothed_, latest_) : kInitial; }
  // Probe timeout before backoff.
  Duration timeout() const;

 private:
  Duration smoothed_{};
  Duration variation_{};
  Duration latest_{};  // 0: none yet
};

// Slow start, then additive increase; half the window at most once a round trip.
class CongestionWindow {
 public:
  static constexpr std::size_t kInitial = 10 * kMaxInner;
  static constexpr std::size_t kMin = 2 * kMaxInner;
  static constexpr std::size_t kMax = 512 * 1024;

  std::size_t bytes() const { return window_; }
  void acked(std::size_t bytes, Time sent_at);
  void lost(Time now, Time sent_at);

 private:
  std::uint32_t window_ = kInitial;
  std::uint32_t threshold_ = kMax;
  std::uint32_t grown_ = 0;  // towards the next step of congestion avoidance
  Time recovering_since_ = Time::min();
};

struct Fragment {
  std::uint8_t channel = 0;
  std::uint16_t length = 0;
  std::uint64_t offset = 0;
};

struct SentPacket {
  std::uint64_t number = 0;
  Time sent_at{};
  std::uint16_t size = 0;
  std::vector<Fragment> fragments;
};

// Packets that want an acknowledgement and have none yet.
class Flight {
 public:
  struct Outcome {
    std::vector<SentPacket> acked;
    std::vector<SentPacket> lost;
    std::optional<Duration> rtt;
  };

  void sent(SentPacket packet);
  Outcome on_ack(Time now, const frame::Ack& ack, const RttEstimator& rtt);
  // Packets that are late although a later one arrived.
  std::vector<SentPacket> take_late(Time now, const RttEstimator& rtt);
  // The oldest ones, to be sent again by a probe.
  std::vector<SentPacket> take_oldest(std::size_t count);
  std::vector<SentPacket> take_all() { return take_oldest(packets_.size()); }

  bool empty() const { return packets_.empty(); }
  std::size_t bytes() const { return bytes_; }
  Time last_sent() const { return packets_.empty() ? kNever : packets_.back().sent_at; }
  // When the next packet counts as late.
  Time late_at(const RttEstimator& rtt) const;

 private:
  static Duration lateness(const RttEstimator& rtt);

  std::vector<SentPacket> packets_;  // by number
  std::size_t bytes_ = 0;
  std::uint64_t acked_to_ = 0;  // one above the largest number that was acknowledged; 0: none was
};

// Numbers of packets that arrived, and when to say so.
class AckTracker {
 public:
  // `at_once`: nothing will come that the acknowledgement could share a packet with.
  void arrived(Time now, std::uint64_t number, bool wants_ack, bool at_once = false);
  // There is something that was not acknowledged.
  bool pending() const { return unanswered_ > 0; }
  Time due() const { return due_; }
  std::optional<std::uint64_t> largest() const;
  // What to send now; it counts as sent.
  frame::Ack take(Time now);

 private:
  RangeSet numbers_;
  Time largest_at_{};
  Time due_ = kNever;
  std::uint32_t unanswered_ = 0;
};

}  // namespace linnet::overlay
