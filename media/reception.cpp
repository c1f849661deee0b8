#include "media/reception.h"

#include <algorithm>
#include <cmath>

namespace linnet::media {
namespace {

constexpr auto kTransitWindow = std::chrono::seconds(10);

std::size_t place(std::int64_t sequence, std::int64_t size) {
  return static_cast<std::size_t>(((sequence % size) + size) % size);
}

}  // namespace

bool Reception::seen(std::int64_t sequence) const {
  return received_ > 0 && arrivals_[place(sequence, kRemembered)].sequence == sequence;
}

void Reception::remember(std::int64_t sequence) {
  arrivals_[place(sequence, kRemembered)] = {sequence, false};
  // A jump so far is another numbering, not a loss of all between.
  if (highest_ - judged_ > 8 * kRemembered) judged_ = highest_ - kJudgedAfter;
  for (; judged_ <= highest_ - kJudgedAfter; ++judged_) {
    const auto& a = arrivals_[place(judged_, kRemembered)];
    const bool came = a.sequence == judged_;
    bursts_.add(!came         ? BurstMeter::Fate::lost
                : a.discarded ? BurstMeter::Fate::discarded
                              : BurstMeter::Fate::received);
  }
}

void Reception::on_discard(std::int64_t sequence) {
  auto& a = arrivals_[place(sequence, kRemembered)];
  if (a.sequence == sequence) a.discarded = true;
}

void Reception::on_packet(Time now, const RtpHeader& header, int clock, bool timed) {
  const std::int64_t sequence = unwrap_.unwrap(header.sequence);
  if (received_ == 0) first_ = highest_ = judged_ = sequence;
  first_ = std::min(first_, sequence);  // the first one heard may have been overtaken
  highest_ = std::max(highest_, sequence);
  ++received_;
  remember(sequence);
  if (timed) note_transit(now, header, clock);
}

void Reception::note_transit(Time now, const RtpHeader& header, int clock) {
  if (clock != clock_) {
    clock_ = clock;
    transit_.reset();
    base_.reset();
  }
  const auto arrival = static_cast<std::uint32_t>(micros(now.time_since_epoch()) * clock / 1'000'000);
  const std::uint32_t transit = arrival - header.timestamp;
  const std::int32_t moved = transit_ ? static_cast<std::int32_t>(transit - *transit_) : 0;
  if (transit_) {
    const auto d = static_cast<double>(std::abs(static_cast<std::int64_t>(moved)));
    jitter_ += (d - jitter_) / 16;
    ++jitter_samples_;
  } else {
    base_.reset();
  }
  transit_ = transit;
  note_lateness(now, moved);
}

void Reception::note_lateness(Time now, std::int32_t moved) {
  if (!base_ || std::abs(static_cast<std::int64_t>(moved)) > std::int64_t{10} * clock_) {
    transit_sum_ = 0;
    base_ = 0;
    next_base_.reset();
    base_since_ = now;
  } else {
    transit_sum_ += moved;
  }
  base_ = std::min(*base_, transit_sum_);
  next_base_ = std::min(next_base_.value_or(transit_sum_), transit_sum_);
  if (now - base_since_ > kTransitWindow) {
    base_ = *next_base_;
    next_base_.reset();
    base_since_ = now;
  }
  lateness_ms_ = static_cast<double>(transit_sum_ - *base_) * 1000 / clock_;
}

void Reception::on_sender_report(Time now, std::uint64_t ntp) {
  last_sr_ = ntp_middle(ntp);
  last_sr_at_ = now;
}

std::uint64_t Reception::expected() const {
  return received_ == 0 ? 0 : static_cast<std::uint64_t>(highest_ - first_ + 1);
}

std::int64_t Reception::lost_since_report() const {
  return static_cast<std::int64_t>(expected_since_report()) - static_cast<std::int64_t>(received_ - received_prior_);
}

ReportBlock Reception::report(Time now, std::uint32_t ssrc) {
  ReportBlock block;
  block.ssrc = ssrc;
  const auto wanted = static_cast<std::int64_t>(expected_since_report());
  const auto missed = lost_since_report();
  expected_prior_ = expected();
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
