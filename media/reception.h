// What RTCP reports about one received source: RFC 3550 sections 6.4.1, A.1, A.3, A.8; bursts by RFC 3611.
#pragma once

#include <array>
#include <optional>

#include "base/time.h"
#include "media/rtcp.h"
#include "media/rtp.h"

namespace linnet::media {

class Reception {
 public:
  // The extended sequence number of a packet that is not counted yet.
  std::int64_t extend(std::uint16_t sequence) const { return unwrap_.peek(sequence); }
  // Was counted before; remembers kRemembered packets back.
  bool seen(std::int64_t sequence) const;
  // Counts a packet that is no duplicate. `timed` is false for events, whose timestamp stands still.
  void on_packet(Time now, const RtpHeader& header, int clock, bool timed = true);
  // It came, but too late to be played.
  void on_discard(std::int64_t sequence);
  void on_sender_report(Time now, std::uint64_t ntp);

  // A report block; the fraction lost covers the time since the last call.
  ReportBlock report(Time now, std::uint32_t ssrc);
  // Loss, bursts and gaps; the newest packets, which may yet be overtaken, are not judged.
  void fill(VoipMetrics& metrics, double packet_ms) const { bursts_.fill(metrics, packet_ms); }

  std::uint64_t received() const { return received_; }
  // Whether a packet of this extended sequence number is newer than all that came.
  bool is_newest(std::int64_t sequence) const { return received_ == 0 || sequence > highest_; }
  std::uint64_t expected() const;
  std::int64_t lost() const { return static_cast<std::int64_t>(expected()) - static_cast<std::int64_t>(received_); }
  // Of those expected since the last report: how many, and how many did not come.
  std::uint64_t expected_since_report() const { return expected() - expected_prior_; }
  std::int64_t lost_since_report() const;
  std::optional<double> jitter_ms() const;
  // How much longer than the quickest of the last packets this one took.
  double lateness_ms() const { return lateness_ms_; }

 private:
  static constexpr std::int64_t kRemembered = 128, kJudgedAfter = 32;
  struct Arrival {
    std::int64_t sequence = -1;
    bool discarded = false;
  };

  void remember(std::int64_t sequence);
  void note_transit(Time now, const RtpHeader& header, int clock);
  void note_lateness(Time now, std::int32_t transit_us);

  Unwrapper<std::uint16_t> unwrap_;
  std::int64_t first_ = 0;
  std::int64_t highest_ = 0;
  std::uint64_t received_ = 0;
  std::uint64_t expected_prior_ = 0;
  std::uint64_t received_prior_ = 0;
  int clock_ = 48000;
  std::optional<std::uint32_t> transit_;  // arrival minus timestamp of the last packet, timestamp units
  double jitter_ = 0;                     // timestamp units
  std::uint64_t jitter_samples_ = 0;
  std::uint32_t last_sr_ = 0;
  Time last_sr_at_{};
  std::array<Arrival, kRemembered> arrivals_{};
  std::int64_t judged_ = 0;  // the next sequence the burst meter has not been told
  BurstMeter bursts_;
  // The least transit of the last two windows, and the current one over it.
  std::optional<std::int64_t> base_, next_base_;
  std::int64_t transit_sum_ = 0;
  Time base_since_{};
  double lateness_ms_ = 0;
};

}  // namespace linnet::media
