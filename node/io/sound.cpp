#include "node/io/sound.h"

#include <array>

#include "media/codec_kind.h"
#include "media/resampler.h"
#include "media/wav.h"
#include "node/io/clock.h"
#include "node/io/files.h"
#include "node/io/sound_card.h"
#include "node/io/wav_recorder.h"

namespace linnet::io {
namespace {

constexpr int kMicrophonePatience = 5;  // ticks; sound servers hand over up to 50 ms at once

}  // namespace

Outcome<Speech> load_speech(const std::string& path) {
  const auto bytes = read_file(path, media::kMaxWavBytes);
  if (!bytes) return tl::unexpected(bytes.error());
  if (!*bytes) return trouble("There is no file " + path + ".");
  auto audio = media::parse_wav(**bytes);
  if (!audio)
    return trouble(path + " is no WAV file that can be played (" + std::string(to_string(audio.error())) + ").");
  if (audio->rate == media::kRate) return std::make_shared<const std::vector<std::int16_t>>(std::move(audio->samples));
  return std::make_shared<const std::vector<std::int16_t>>(media::resample(audio->samples, audio->rate, media::kRate));
}

// One call's ends. Without a file and without a card: silence in, nothing out.
class Sound::Line {
 public:
  Line(node::Node& node, node::CallId call) : node_(node), call_(call) {}

  Done open(const SoundPlan& plan) {
    speech_ = plan.play;
    if (!plan.record.empty()) {
      auto made = WavRecorder::create(plan.record);
      if (!made) return tl::unexpected(made.error());
      recorder_ = std::make_unique<WavRecorder>(std::move(*made));
    }
    if (plan.files() || !plan.card) return {};
    auto card = SoundCard::open();
    if (!card) return tl::unexpected(card.error());
    card_ = std::move(*card);
    return {};
  }

  void tick() {
    if (card_)
      card_tick();
    else
      file_tick();
  }

 private:
  void file_tick() {
    std::array<std::int16_t, kTickSamples> samples{};
    if (speech_ && at_ < speech_->size()) {
      const std::size_t n = std::min(kTickSamples, speech_->size() - at_);
      std::copy_n(speech_->begin() + static_cast<std::ptrdiff_t>(at_), n, samples.begin());
      at_ += n;
    }
    node_.capture(now(), call_, samples);
    samples.fill(0);
    record(samples, node_.play(now(), call_, samples));
  }

  void card_tick() {
    std::array<std::int16_t, 4 * kTickSamples> samples;
    bool heard = false;
    for (std::size_t n; (n = card_->capture(samples)) > 0; heard = true)
      node_.capture(now(), call_, std::span(samples).first(n));
    mute_ticks_ = heard ? 0 : mute_ticks_ + 1;
    // A microphone that stands still (it wakes up, it was pulled out) is silence to the other side, no broken line.
    if (mute_ticks_ > kMicrophonePatience) {
      samples.fill(0);
      node_.capture(now(), call_, std::span(samples).first(kTickSamples));
    }
    const std::size_t wanted = std::min(card_->wanted(), samples.size());
    if (wanted == 0) return;
    const auto out = std::span(samples).first(wanted);
    node_.play(now(), call_, out);
    card_->play(out);
  }

  void record(std::span<const std::int16_t> samples, std::size_t first) {
    if (!recorder_) return;
    if (!started_) samples = samples.subspan(std::min(first, samples.size()));
    if (samples.empty()) return;
    started_ = true;
    recorder_->write(samples);
  }

  node::Node& node_;
  node::CallId call_;
  Speech speech_;
  std::size_t at_ = 0;
  std::unique_ptr<WavRecorder> recorder_;
  bool started_ = false;
  std::unique_ptr<SoundCard> card_;
  int mute_ticks_ = 0;  // without a sample of the microphone
};

Sound::Sound(Loop& loop, node::Node& node, std::function<void()> ticked)
    : node_(node), ticked_(std::move(ticked)), alarm_(loop.alarm([this] { ring(); })) {}
Sound::~Sound() = default;

Done Sound::start(node::CallId call, const SoundPlan& plan) {
  auto line = std::make_unique<Line>(node_, call);
  const auto opened = line->open(plan);
  if (calls_.empty()) {
    next_ = now() + kTick;
    alarm_->set(next_);
  }
  calls_[call] = std::move(line);
  return opened;
}

void Sound::stop(node::CallId call) {
  calls_.erase(call);
  if (calls_.empty()) alarm_->set(kNever);
}

// Ticks keep to the grid next_ + n * 10 ms, so no drift adds up. A late one is made up for, one extra tick at a time:
// the packets of a stall do not leave in one burst.
void Sound::ring() {
  const Time at = now();
  if (at - next_ > kLost) next_ = at;
  tick();
  next_ += kTick;
  if (next_ <= at && !calls_.empty()) {
    tick();
    next_ += kTick;
  }
  if (calls_.empty()) return;
  alarm_->set(std::max(next_, at + kTick / 4));
}

void Sound::tick() {
  for (auto& [id, line] : calls_) line->tick();
  ticked_();
}

}  // namespace linnet::io
