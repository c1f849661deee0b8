// When to stop sending altogether (RFC 8083): reports stay away, nothing arrives, or the path is trodden down although
// the rate was lowered. Rate control should never let it come to this.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>

#include "base/time.h"

namespace linnet::media {

enum class Break : std::uint8_t { no_reports, nothing_arrives, congestion };

// "no reports", "nothing arrives", "congestion".
std::string_view to_string(Break why);

class CircuitBreaker {
 public:
  // What the peer reported last, and our own figures at that time.
  struct Sample {
    std::uint32_t highest = 0;  // extended sequence number heard
    double loss = 0;            // 0..1, since its last report
    std::optional<Duration> round_trip;
    double rate = 0;           // octets of RTP a second that we send
    double packet_octets = 0;  // mean
    Duration frame{};          // media time of a packet
  };

  // The peer reports; `interval` is how often it should. Reports count from the first one on: a peer that never sends
  // any is judged only where `reports_due`.
  void on_report(Time now, const Sample& sample, Duration interval);
  // Media leaves; to be told with each packet.
  void on_sent(Time now, bool reports_due);
  // Nothing is being sent: nothing can be judged.
  void pause();

  std::optional<Break> broken() const { return broken_; }

 private:
  bool crowded(const Sample& s) const;

  static constexpr std::uint32_t kMediaReports = 5;                    // k of section 4.2
  static constexpr Duration kLeastInterval = std::chrono::seconds(5);  // Td, RFC 3550 section 6.2

  std::optional<Time> waiting_since_;  // for a report
  bool heard_ = false;
  std::optional<std::uint32_t> highest_;
  std::uint32_t without_progress_ = 0;
  std::uint32_t crowded_ = 0;
  std::optional<Time> crowded_since_;
  std::optional<Break> broken_;
};

}  // namespace linnet::media
