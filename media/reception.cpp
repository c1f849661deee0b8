#include "media/reception.h"

#include <algorithm>
#include <cmath>

namespace linnet::media {

void Reception::on_packet(Time now, const RtpHeader& header, int clock) {
  const std::int64_t sequence = unwrap_.unwrap(header.sequence);
  if (received_ == 0) first_ = highest_ = sequence;
  first_ = std::min(first_, sequence);  // the first one heard may have been overtaken
  highest_ = std::max(highest_, sequence);
  ++received_;

  if (clock != clock_) {
    clock_ = clock;
    transit_.reset();
  }
  const auto arrival = static_cast<std::uint32_t>(micros(now.time_since_epoch()) * clock / 1'000'000);
  const std::uint32_t transit = arrival - header.timestamp;
  if (transit_) {
    const auto d =
        static_cast<double>(std::abs(static_cast<std::int64_t>(static_cast<std::int32_t>(transit - *transit_))));
    jitter_ += (d - jitter_) / 16;
    ++jitter_samples_;
  }
  transit_ = transit;
}

void Reception::on_sender_report(Time now, std::uint64_t ntp) {
  last_sr_ = ntp_middle(ntp);
  last_sr_at_ = now;
}

std::uint64_t Reception::expected() const {
  return received_ == 0 ? 0 : static_cast<std::uint64_t>(highest_ - first_ + 1);
}

ReportBlock Reception::report(Time now, std::uint32_t ssrc) {
  ReportBlock block;
  block.ssrc = ssrc;
  const std::uint64_t expected_now = expected();
  const auto wanted = static_cast<std::int64_t>(expected_now - expected_prior_);
  const auto missed = wanted - static_cast<std::int64_t>(received_ - received_prior_);
  expected_prior_ = expected_now;
  received_prior_ = received_;
  if (wanted > 0 && missed > 0)
    block.fraction_lost = static_cast<std::uint8_t>(std::min<std::int64_t>(255, missed * 256 / wanted));
  block.cumulative_lost = static_cast<std::int32_t>(std::clamp<std::int64_t>(lost(), -0x800000, 0x7fffff));
  block.highest_sequence = static_cast<std::uint32_t>(highest_);
  block.jitter = static_cast<std::uint32_t>(jitter_);
  block.last_sr = last_sr_;
  if (last_sr_ != 0) {
    block.delay_since_last_sr = static_cast<std::uint32_t>(micros(now - last_sr_at_) * 65536 / 1'000'000);
  }
  return block;
}

std::optional<double> Reception::jitter_ms() const {
  if (jitter_samples_ == 0) return std::nullopt;
  return jitter_ * 1000 / clock_;
}

}  // namespace linnet::media
