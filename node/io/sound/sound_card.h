// Microphone and loudspeaker through PortAudio. The card's callbacks only move samples between two rings; the loop
// reads and writes them at 48 kHz, resampled when the card runs at another rate. Opening and closing take a fifth of a
// second and belong on a thread of their own (node/io/sound/sound_thread.h).
#pragma once

#include <memory>
#include <span>

#include "base/time.h"
#include "node/io/sound/sound_devices.h"

namespace linnet::io {

class SoundCard {
 public:
  // Trouble says what is missing: "No microphone: ..."
  static Outcome<std::unique_ptr<SoundCard>> open(const SoundChoice& choice);
  // Whether open() has anything to open.
  static Done present(const SoundChoice& choice);
  virtual ~SoundCard() = default;

  // What the microphone took since the last call, at most out.size() samples.
  virtual std::size_t capture(std::span<std::int16_t> out) = 0;
  // How many samples the loudspeaker wants now to keep its few milliseconds ahead.
  virtual std::size_t wanted() const = 0;
  virtual void play(std::span<const std::int16_t> samples) = 0;

  // From a sample handed to play() now until its echo comes out of capture() as the last sample there is, as far as the
  // devices know their delays.
  virtual Duration delay() const = 0;
  // Samples that wait for capture().
  virtual std::size_t waiting() const = 0;
  // Grow while the devices run. One that stands still was pulled out, or its server is gone.
  struct Pulse {
    std::uint64_t microphone = 0;
    std::uint64_t loudspeaker = 0;
  };
  virtual Pulse pulse() const = 0;
  // False once the system has given a device up.
  virtual bool alive() const = 0;

  struct Facts {
    std::string microphone;
    std::string loudspeaker;
    int microphone_rate = 0;
    int loudspeaker_rate = 0;
    Duration microphone_latency{};   // from the membrane to the ring, as PortAudio reports it
    Duration loudspeaker_latency{};  // from the ring to the membrane
  };
  virtual const Facts& facts() const = 0;
};

}  // namespace linnet::io
