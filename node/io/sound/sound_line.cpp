#include "node/io/sound/sound_line.h"

#include <algorithm>

namespace linnet::io {
namespace {

bool& cleaned() {
  static bool ever = false;
  return ever;
}

}  // namespace

bool SoundLine::cleaning_started() { return cleaned(); }

void SoundLine::use(std::shared_ptr<SoundCard> card, const media::AudioProcessingConfig& config) {
  card_ = std::move(card);
  processing_ = config.nothing() ? nullptr : std::make_unique<media::AudioProcessing>(config);
  cleaned() = cleaned() || processing_ != nullptr;
  filled_ = 0;
  mute_ticks_ = 0;
  pulse_ = {};
  still_microphone_ = still_loudspeaker_ = kStill - kAwakening;
}

std::shared_ptr<SoundCard> SoundLine::take_card() {
  processing_.reset();
  return std::exchange(card_, nullptr);
}

void SoundLine::tick() {
  if (card_)
    card_tick();
  else
    file_tick();
}

// Time that passed, not the thread's CPU time: where others take the CPU away, voice must come with less of it too.
void SoundLine::say(std::span<const std::int16_t> samples) {
  const Time begin = clock_();
  node_.capture(begin, call_, samples);
  node_.capture_took(call_, clock_() - begin, samples.size());
}

void SoundLine::file_tick() {
  std::array<std::int16_t, kTickSamples> samples{};
  if (speech_ && at_ < speech_->size()) {
    const std::size_t n = std::min(kTickSamples, speech_->size() - at_);
    std::copy_n(speech_->begin() + static_cast<std::ptrdiff_t>(at_), n, samples.begin());
    at_ += n;
  }
  say(samples);
  samples.fill(0);
  write(samples, node_.play(clock_(), call_, samples));
}

void SoundLine::card_tick() {
  feel_pulse();
  hear();
  std::array<std::int16_t, 4 * kTickSamples> samples;
  const std::size_t wanted = std::min(card_->wanted(), samples.size());
  if (wanted == 0) return;
  const auto out = std::span(samples).first(wanted);
  node_.play(clock_(), call_, out);
  if (processing_) processing_->played(out);
  card_->play(out);
}

void SoundLine::hear() {
  bool heard = false;
  std::array<std::int16_t, 4 * kTickSamples> samples;
  if (!processing_) {
    for (std::size_t n; (n = card_->capture(samples)) > 0; heard = true) say(std::span(samples).first(n));
  }
  while (processing_) {
    const std::size_t n = card_->capture(std::span(frame_).subspan(filled_));
    heard = heard || n > 0;
    filled_ += n;
    if (filled_ < frame_.size()) break;
    processing_->process(frame_, card_->delay());
    say(frame_);
    filled_ = 0;
  }
  mute_ticks_ = heard ? 0 : mute_ticks_ + 1;
  // A microphone that stands still (it wakes up, it was pulled out) is silence to the other side, no broken line.
  if (mute_ticks_ <= kMicrophonePatience) return;
  samples.fill(0);
  say(std::span(samples).first(kTickSamples));
}

void SoundLine::feel_pulse() {
  const auto pulse = card_->pulse();
  still_microphone_ = pulse.microphone != pulse_.microphone ? 0 : still_microphone_ + 1;
  still_loudspeaker_ = pulse.loudspeaker != pulse_.loudspeaker ? 0 : still_loudspeaker_ + 1;
  pulse_ = pulse;
}

void SoundLine::write(std::span<const std::int16_t> samples, std::size_t first) {
  if (!recorder_) return;
  if (!started_) samples = samples.subspan(std::min(first, samples.size()));
  if (samples.empty()) return;
  started_ = true;
  recorder_->write(samples);
}

}  // namespace linnet::io
