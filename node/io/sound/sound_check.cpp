#include "node/io/sound/sound_check.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <thread>
#include <vector>

#include "media/codec_kind.h"
#include "media/echo_delay.h"
#include "node/io/clock.h"

namespace linnet::io {
namespace {

using Samples = std::vector<std::int16_t>;
using std::numbers::pi;

constexpr std::size_t kMs = media::kSamplesPerMs;
constexpr double kSilent = -99;
constexpr double kToneFrom = 250, kToneTo = 3300, kToneSeconds = 0.8, kToneLevel = 6000;
constexpr std::size_t kPad = 50 * kMs;  // a device that records before it plays must not give a negative delay

double decibel(double rms) { return rms < 0.5 ? kSilent : 20 * std::log10(rms / 32768); }

double rms(std::span<const std::int16_t> samples) {
  double sum = 0;
  for (const auto s : samples) sum += static_cast<double>(s) * s;
  return samples.empty() ? 0 : std::sqrt(sum / static_cast<double>(samples.size()));
}

// Rises through the band of speech, twice.
Samples tone() {
  Samples out(static_cast<std::size_t>(kToneSeconds * media::kRate));
  for (std::size_t i = 0; i < out.size(); ++i) {
    const double t = static_cast<double>(i) / media::kRate;
    const double phase = 2 * pi * (kToneFrom * t + (kToneTo - kToneFrom) * t * t / (2 * kToneSeconds));
    const double edge = std::min({1.0, t * 50, (kToneSeconds - t) * 50});
    out[i] = static_cast<std::int16_t>(kToneLevel * edge * std::sin(phase));
  }
  out.insert(out.end(), out.begin(), out.end());
  return out;
}

// Everything that was played and recorded while it runs.
class Session {
 public:
  explicit Session(SoundCard& card) : card_(card) {}

  // Plays `samples`, then silence, for `length`. False when the card stands still.
  bool run(std::span<const std::int16_t> samples, Duration length) {
    const Time end = now() + length, limit = end + std::chrono::seconds(3);
    const auto wanted = static_cast<std::size_t>(length.count()) * kMs / 1000;
    const std::size_t from = captured_.size();
    std::size_t at = 0;
    while (now() < end || captured_.size() - from < wanted) {
      if (now() > limit) return false;
      std::array<std::int16_t, 960> chunk{};
      for (std::size_t n; (n = card_.capture(chunk)) > 0;)
        captured_.insert(captured_.end(), chunk.begin(), chunk.begin() + static_cast<std::ptrdiff_t>(n));
      const auto out = std::span(chunk).first(std::min(card_.wanted(), chunk.size()));
      for (auto& s : out) s = at < samples.size() ? samples[at++] : std::int16_t{0};
      card_.play(out);
      played_.insert(played_.end(), out.begin(), out.end());
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return true;
  }

  const Samples& captured() const { return captured_; }
  const Samples& played() const { return played_; }

  // In samples: how late the echo of a sample that is handed over now will come back.
  std::optional<std::ptrdiff_t> round_trip() const {
    media::EchoDelay search;
    Samples late(kPad);
    late.insert(late.end(), captured_.begin(), captured_.end());
    std::optional<int> lag;
    for (std::size_t i = 0; i + 480 <= std::min(late.size(), played_.size()); i += 480)
      if (const auto found = search.push(std::span(late).subspan(i, 480), std::span(played_).subspan(i, 480)))
        lag = found;
    if (!lag) return std::nullopt;
    const auto ahead = static_cast<std::ptrdiff_t>(captured_.size()) - static_cast<std::ptrdiff_t>(played_.size());
    return *lag - static_cast<std::ptrdiff_t>(kPad) - ahead;
  }

 private:
  SoundCard& card_;
  Samples captured_;
  Samples played_;
};

bool clips(std::span<const std::int16_t> samples) {
  return std::count_if(samples.begin(), samples.end(),
                       [](std::int16_t s) { return std::abs(static_cast<int>(s)) >= 32700; }) > 10;
}

}  // namespace

SoundCheck check_sound(SoundCard& card) {
  SoundCheck out;
  Session session(card);
  out.stood_still = !session.run({}, std::chrono::milliseconds(400));
  if (out.stood_still) return out;
  const std::size_t quiet_from = session.captured().size();
  session.run({}, std::chrono::milliseconds(500));
  const std::size_t tone_from = session.captured().size();
  out.noise_db = decibel(rms(std::span(session.captured()).subspan(quiet_from, tone_from - quiet_from)));
  const Samples sound = tone();
  out.stood_still = !session.run(sound, std::chrono::milliseconds(2300));
  const auto heard = std::span(session.captured()).subspan(tone_from);
  out.clipped = clips(heard);
  if (const auto samples = session.round_trip()) {
    out.round_trip = Duration(*samples * 1000 / media::kSamplesPerMs);
    // The tone lasts 1.6 of the 2.3 seconds in which it was listened for.
    out.echo_db = decibel(rms(heard) * std::sqrt(2.3 / 1.6)) - decibel(rms(sound));
  }
  return out;
}

void check_voice(SoundCard& card, Duration length, const std::function<void()>& before_playing, SoundCheck& result) {
  Session listening(card);
  result.stood_still = !listening.run({}, length) || result.stood_still;
  double loudest = 0;
  for (std::size_t at = 0; at + 1000 * kMs <= listening.captured().size(); at += 250 * kMs)
    loudest = std::max(loudest, rms(std::span(listening.captured()).subspan(at, 1000 * kMs)));
  result.voice_db = decibel(loudest);
  result.clipped = result.clipped || clips(listening.captured());
  before_playing();
  Session playing(card);
  result.stood_still =
      !playing.run(listening.captured(), length + std::chrono::milliseconds(200)) || result.stood_still;
}

}  // namespace linnet::io
