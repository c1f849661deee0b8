// A loudspeaker alone, for tones: a ringing telephone does not listen. PortAudio starts at first use.
#pragma once

#include <memory>
#include <span>

#include "node/io/trouble.h"

namespace linnet::io {

class Speaker {
 public:
  // The system's default output device.
  static Outcome<std::unique_ptr<Speaker>> open();
  virtual ~Speaker() = default;

  // How many samples at 48 kHz it wants now to keep its few milliseconds ahead.
  virtual std::size_t wanted() const = 0;
  virtual void play(std::span<const std::int16_t> samples) = 0;
};

}  // namespace linnet::io
