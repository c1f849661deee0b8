// One call's ends: a file, a card, or silence. Driven by ticks of 10 ms (node/io/sound/sound.h).
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "media/audio_processing.h"
#include "node/io/clock.h"
#include "node/io/sound/sound_card.h"
#include "node/io/sound/wav_recorder.h"
#include "node/node.h"

namespace linnet::io {

// A WAV file, at 48 kHz.
using Speech = std::shared_ptr<const std::vector<std::int16_t>>;

inline constexpr std::size_t kTickSamples = 480;

class SoundLine {
 public:
  using Clock = std::function<Time()>;  // a test brings its own

  SoundLine(node::Node& node, node::CallId call, Clock clock = now)
      : node_(node), call_(call), clock_(std::move(clock)) {}

  void speak(Speech speech) { speech_ = std::move(speech); }
  void record(std::unique_ptr<WavRecorder> recorder) { recorder_ = std::move(recorder); }
  bool records() const { return recorder_ != nullptr; }
  // From now on this card is spoken and heard with, cleaned as the configuration has it.
  // The libraries that clean start with the first card that wants it.
  static bool cleaning_started();
  void use(std::shared_ptr<SoundCard> card, const media::AudioProcessingConfig& config);
  // Silence until the next one.
  std::shared_ptr<SoundCard> take_card();

  void tick();
  // The card has ended or stands still: it was pulled out, or its server is gone.
  bool stands_still() const {
    return card_ && (!card_->alive() || still_microphone_ > kStill || still_loudspeaker_ > kStill);
  }

  const SoundCard* card() const { return card_.get(); }
  const media::AudioProcessing* processing() const { return processing_.get(); }

 private:
  static constexpr int kStill = 200;             // ticks
  static constexpr int kAwakening = 500;         // ticks a device may take for its first block
  static constexpr int kMicrophonePatience = 5;  // ticks; sound servers hand over up to 50 ms at once

  void file_tick();
  void card_tick();
  void hear();
  void say(std::span<const std::int16_t> samples);
  void write(std::span<const std::int16_t> samples, std::size_t first);
  void feel_pulse();

  node::Node& node_;
  node::CallId call_;
  Clock clock_;
  Speech speech_;
  std::size_t at_ = 0;
  std::unique_ptr<WavRecorder> recorder_;
  bool started_ = false;
  std::shared_ptr<SoundCard> card_;
  std::unique_ptr<media::AudioProcessing> processing_;
  std::array<std::int16_t, media::AudioProcessing::kFrame> frame_{};  // of the microphone, filling up
  std::size_t filled_ = 0;
  int mute_ticks_ = 0;  // without a sample of the microphone
  SoundCard::Pulse pulse_;
  int still_microphone_ = 0;
  int still_loudspeaker_ = 0;
};

}  // namespace linnet::io
