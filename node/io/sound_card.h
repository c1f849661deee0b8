// Microphone and loudspeaker through PortAudio, opened at first use. The card's callback only moves samples between two
// rings; the loop reads and writes them at 48 kHz, resampled when the card runs at another rate.
#pragma once

#include <memory>
#include <span>

#include "node/io/trouble.h"

namespace linnet::io {

class SoundCard {
 public:
  // The system's default devices. Trouble says what is missing: "No microphone: ..."
  static Outcome<std::unique_ptr<SoundCard>> open();
  // Whether open() has anything to open. Asks PortAudio once for the life of the process.
  static Outcome<void> present();
  virtual ~SoundCard() = default;

  // What the microphone took since the last call, at most out.size() samples.
  virtual std::size_t capture(std::span<std::int16_t> out) = 0;
  // How many samples the loudspeaker wants now to keep its few milliseconds ahead.
  virtual std::size_t wanted() const = 0;
  virtual void play(std::span<const std::int16_t> samples) = 0;
};

}  // namespace linnet::io
