// When one STUN request over UDP is sent again and when it is given up (RFC 8489, section 6.2.1): at 0, 1, 3, 7 ...
// times the RTO, Rc times in all, and then Rm times the RTO of waiting.
#pragma once

#include <algorithm>
#include <optional>

#include "base/time.h"

namespace linnet::nat::stun {

struct RetransmitPlan {
  Duration rto = std::chrono::milliseconds(500);
  int rc = 7;
  int rm = 16;
};

class Retransmission {
 public:
  Retransmission() = default;
  // The first sending is due at once.
  Retransmission(Time now, const RetransmitPlan& plan) : plan_(plan), began_(now), next_(now) {}

  // True when the request is to be sent now.
  bool due(Time now) {
    if (sent_ >= plan_.rc || next_ > now) return false;
    if (sent_ == 0) began_ = now;
    ++sent_;
    next_ = now + (sent_ < plan_.rc ? plan_.rto * (1 << (sent_ - 1)) : plan_.rto * plan_.rm);
    return true;
  }
  bool over(Time now) const { return sent_ >= plan_.rc && next_ <= now; }
  // Nothing is sent any more, but an answer still counts until it is over (RFC 8445, section 7.3.1.4).
  void stop_sending(Time now) {
    if (sent_ >= plan_.rc) return;
    plan_.rc = sent_;
    next_ = now + plan_.rto * plan_.rm;
  }
  // From now on with this RTO at least.
  void slow_down(Time now, Duration rto) {
    plan_.rto = std::max(plan_.rto, rto);
    if (sent_ > 0) next_ = std::max(next_, now + rto);
  }
  Time next() const { return next_; }
  int sent() const { return sent_; }
  // Karn's algorithm (RFC 6298): an answer to one of several sendings measures nothing.
  std::optional<Duration> round_trip(Time now) const {
    if (sent_ != 1) return std::nullopt;
    return now - began_;
  }
  // Since the first sending: no round trip is longer.
  Duration age(Time now) const { return now - began_; }

 private:
  RetransmitPlan plan_;
  Time began_{};
  Time next_ = kNever;
  int sent_ = 0;
};

// RFC 6298 without its lower bound of a second (RFC 8489, section 6.2.1).
class RoundTrip {
 public:
  static constexpr Duration kLeast = std::chrono::milliseconds(50);
  static constexpr Duration kMost = std::chrono::seconds(3);

  void sample(Duration rtt) {
    if (!srtt_) {
      srtt_ = rtt;
      deviation_ = rtt / 2;
      return;
    }
    const auto off = *srtt_ > rtt ? *srtt_ - rtt : rtt - *srtt_;
    deviation_ = (3 * deviation_ + off) / 4;
    srtt_ = (7 * *srtt_ + rtt) / 8;
  }
  std::optional<Duration> smoothed() const { return srtt_; }
  Duration rto(Duration before_any) const {
    return srtt_ ? std::clamp(*srtt_ + 4 * deviation_, kLeast, kMost) : before_any;
  }

 private:
  std::optional<Duration> srtt_;
  Duration deviation_{};
};

}  // namespace linnet::nat::stun
