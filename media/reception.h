// What RTCP reports about one received source: RFC 3550 sections 6.4.1, A.1, A.3, A.8.
#pragma once

#include <optional>

#include "base/time.h"
#include "media/rtcp.h"
#include "media/rtp.h"

namespace linnet::media {

class Reception {
 public:
  // The extended sequence number of a packet that is not counted yet.
  std::int64_t extend(std::uint16_t sequence) const { return unwrap_.peek(sequence); }
  // Counts a packet that is no duplicate.
  void on_packet(Time now, const RtpHeader& header, int clock);
  void on_sender_report(Time now, std::uint64_t ntp);

  // A report block; the fraction lost covers the time since the last call.
  ReportBlock report(Time now, std::uint32_t ssrc);

  std::uint64_t received() const { return received_; }
  std::uint64_t expected() const;
  std::int64_t lost() const { return static_cast<std::int64_t>(expected()) - static_cast<std::int64_t>(received_); }
  std::optional<double> jitter_ms() const;

 private:
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
};

}  // namespace linnet::media
