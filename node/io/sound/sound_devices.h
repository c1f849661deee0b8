// The sound devices of the machine, as PortAudio knows them, and the choice among them. Started at first use: it takes
// a fifth of a second and is therefore not for the event loop. One thread at a time.
#pragma once

#include <string>
#include <vector>

#include "node/io/trouble.h"

namespace linnet::io {

// Names as sound_devices() gives them. Empty: the system's default.
struct SoundChoice {
  std::string microphone;
  std::string loudspeaker;
  friend bool operator==(const SoundChoice&, const SoundChoice&) = default;
};

struct SoundDevice {
  int index = 0;  // counts from 0 and holds until devices come or go
  std::string name;
  std::string system;  // "ALSA", "JACK Audio Connection Kit"
  bool microphone = false;
  bool loudspeaker = false;
  bool default_microphone = false;
  bool default_loudspeaker = false;
  double microphone_latency_ms = 0;  // what the device says it can do
  double loudspeaker_latency_ms = 0;
};

// Whether PortAudio was started yet. From any thread.
bool sound_started();

// What is plugged in now. Trouble: PortAudio cannot be started. No device at all is an empty list.
Outcome<std::vector<SoundDevice>> sound_devices();

// The two devices of a choice. Trouble: "No microphone (asked for "USB Headset"). Found: 0 Built-in. Use: linnet audio
// set 0"
struct SoundPair {
  SoundDevice microphone;
  SoundDevice loudspeaker;
};
Outcome<SoundPair> pick_devices(const std::vector<SoundDevice>& devices, const SoundChoice& choice);

// What somebody typed: an index, a name, or a part of one that no other device has. Empty when nothing fits.
const SoundDevice* find_device(const std::vector<SoundDevice>& devices, std::string_view text);

// While one is alive the list of devices stays as it is.
class SoundInUse {
 public:
  SoundInUse();
  ~SoundInUse();
  SoundInUse(const SoundInUse&) = delete;
  SoundInUse& operator=(const SoundInUse&) = delete;
};

}  // namespace linnet::io
