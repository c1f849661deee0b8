// A loudspeaker alone, for tones: a ringing telephone does not listen. Opened and closed on the thread of sound cards
// (node/io/sound/sound_thread.h).
#pragma once

#include <memory>
#include <span>

#include "node/io/sound/sound_devices.h"

namespace linnet::io {

class Speaker {
 public:
  static Outcome<std::unique_ptr<Speaker>> open(const SoundChoice& choice);
  virtual ~Speaker() = default;

  // How many samples at 48 kHz it wants now to keep its few milliseconds ahead.
  virtual std::size_t wanted() const = 0;
  virtual void play(std::span<const std::int16_t> samples) = 0;
};

}  // namespace linnet::io
