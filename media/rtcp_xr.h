// Extended reports: the VoIP metrics block (RFC 3611 section 4.7) and what it is computed from.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/result.h"

namespace linnet::media {

inline constexpr std::uint8_t kXrUnknown8 = 127;  // of levels and ratings

// Rates and densities in 1/256, times in ms. All since the beginning of reception.
struct VoipMetrics {
  std::uint32_t ssrc = 0;  // whose stream is reported on
  std::uint8_t loss_rate = 0;
  std::uint8_t discard_rate = 0;
  std::uint8_t burst_density = 0;
  std::uint8_t gap_density = 0;
  std::uint16_t burst_duration = 0;
  std::uint16_t gap_duration = 0;
  std::uint16_t round_trip = 0;
  std::uint16_t end_system_delay = 0;
  std::uint8_t signal_level = kXrUnknown8;
  std::uint8_t noise_level = kXrUnknown8;
  std::uint8_t rerl = kXrUnknown8;
  std::uint8_t gmin = 16;
  std::uint8_t r_factor = kXrUnknown8;
  std::uint8_t external_r_factor = kXrUnknown8;
  std::uint8_t mos_lq = kXrUnknown8;  // ten times the MOS
  std::uint8_t mos_cq = kXrUnknown8;
  std::uint8_t rx_config = 0;
  std::uint16_t buffer_nominal = 0;
  std::uint16_t buffer_maximum = 0;
  std::uint16_t buffer_absolute = 0;
  bool operator==(const VoipMetrics&) const = default;
};

inline constexpr std::size_t kVoipMetricsBytes = 36;  // block header included
inline constexpr std::uint8_t kVoipMetricsBlock = 7;

// The block with its header.
void write_voip_metrics(Writer& out, const VoipMetrics& metrics);
// The body of a report: blocks after the sender's SSRC. The first VoIP metrics block; blocks of other types are
// stepped over. Faults: truncated, malformed (a VoIP block of another length).
Result<std::optional<VoipMetrics>> read_xr_blocks(ByteView blocks);

// How long the stream was lost at a stretch, in ms; 0 when losses come singly or too mixed to say.
int outage_ms(const VoipMetrics& metrics);

// Bursts and gaps of a stream (section 4.7.2, after RFC 3611 appendix A): a burst holds no run of Gmin packets that
// came. Packets are told in order of sequence.
class BurstMeter {
 public:
  enum class Fate : std::uint8_t { received, lost, discarded };
  static constexpr std::uint64_t kGmin = 16;

  void add(Fate fate);
  // Fills the rates, densities and durations; `packet_ms` is the length of a packet.
  void fill(VoipMetrics& out, double packet_ms) const;
  std::uint64_t packets() const { return total_; }

 private:
  void end_of_loss_free_run();

  std::uint64_t total_ = 0, lost_ = 0, discarded_ = 0;
  std::uint64_t run_ = kGmin;  // received since the last bad one
  // The stretch that may be a burst: from its first bad packet to its last.
  std::uint64_t open_length_ = 0, open_bad_ = 0;
  std::uint64_t bursts_ = 0, burst_length_ = 0, burst_bad_ = 0, lone_bad_ = 0;
};

}  // namespace linnet::media
