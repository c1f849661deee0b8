// `linnet audio test`: what the devices do, found out by playing and recording. Waits; for a command, not for the loop.
#pragma once

#include <functional>
#include <optional>

#include "node/io/sound/sound_card.h"

namespace linnet::io {

struct SoundCheck {
  double noise_db = 0;                 // rms of the microphone while nothing is played, of full scale; -99: only zeros
  std::optional<Duration> round_trip;  // from handing a sample over to having it back; absent: the microphone does not
                                       // hear the loudspeaker (a headset, a loudspeaker that is off)
  std::optional<double> echo_db;       // of what comes back against what was played
  std::optional<double> voice_db;      // rms of the loudest second of what was spoken
  bool clipped = false;
  bool stood_still = false;  // the card took or gave nothing
};

// Two seconds: noise, then a rising tone.
SoundCheck check_sound(SoundCard& card);
// Records for `length` (into the result) and plays it back. `before_playing` comes between.
void check_voice(SoundCard& card, Duration length, const std::function<void()>& before_playing, SoundCheck& result);

}  // namespace linnet::io
