#include "node/io/sound/ringer.h"

#include <algorithm>
#include <utility>

#include "media/codec_kind.h"
#include "node/io/clock.h"
#include "node/io/log.h"
#include "node/io/sound/sound.h"
#include "node/io/sound/tones.h"

namespace linnet::io {
namespace {

constexpr std::size_t kLongest = std::size_t{30} * media::kRate;  // of a ring tone's file
constexpr std::size_t kPause = std::size_t{2} * media::kRate;     // before it starts again

std::vector<std::int16_t> samples_for(Bell bell, const std::string& tone) {
  if (bell == Bell::ringback) return ringback_tone();
  if (tone == "on") return ring_tone();
  const auto speech = load_speech(tone);
  if (!speech) {
    log_warn(speech.error().text + " The usual tone rings.");
    return ring_tone();
  }
  const auto& all = **speech;
  std::vector<std::int16_t> out(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(std::min(all.size(), kLongest)));
  out.resize(out.size() + kPause);
  return out;
}

}  // namespace

Bell bell_for(const std::vector<node::CallView>& calls, const std::function<bool(node::CallId)>& aloud) {
  Bell out = Bell::silent;
  for (const auto& call : calls) {
    if (call.state == node::CallState::talking || call.state == node::CallState::held) return Bell::silent;
    if (!aloud(call.id)) continue;
    if (call.state == node::CallState::incoming) out = Bell::ring;
    if (call.state == node::CallState::ringing && out == Bell::silent) out = Bell::ringback;
  }
  return out;
}

Ringer::Ringer(Loop& loop, Open open, Close close)
    : open_(std::move(open)), close_(std::move(close)), alarm_(loop.alarm([this] { tick(); })) {}

void Ringer::use(const std::string& tone, bool ringback) {
  tone_ = tone;
  ringback_ = ringback;
}

void Ringer::set(Bell bell) {
  if ((bell == Bell::ring && tone_ == "off") || (bell == Bell::ringback && !ringback_)) bell = Bell::silent;
  if (bell == bell_) return;
  bell_ = bell;
  at_ = 0;
  if (bell == Bell::silent) {
    alarm_->set(kNever);
    close_(std::exchange(speaker_, nullptr));
    samples_ = {};
    return;
  }
  samples_ = samples_for(bell, tone_);
  if (speaker_) return tick();
  if (opening_) return;
  opening_ = true;
  open_([this, alive = std::weak_ptr(alive_)](Opened speaker) {
    if (!alive.expired()) opened(std::move(speaker));
  });
}

void Ringer::opened(Opened speaker) {
  opening_ = false;
  if (!speaker) return log_debug("a call rings without sound: " + speaker.error().text);
  if (bell_ == Bell::silent) return close_(std::move(*speaker));  // answered before it could be heard
  speaker_ = std::move(*speaker);
  tick();
}

void Ringer::tick() {
  if (!speaker_ || samples_.empty()) return;
  alarm_->set(now() + kTick);
  for (std::size_t left = speaker_->wanted(); left > 0;) {
    const std::size_t n = std::min(left, samples_.size() - at_);
    speaker_->play(std::span(samples_).subspan(at_, n));
    at_ = (at_ + n) % samples_.size();
    left -= n;
  }
}

}  // namespace linnet::io
