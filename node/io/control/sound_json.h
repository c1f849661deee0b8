// Sound as JSON: for the control socket and for `linnet audio --json`.
#pragma once

#include <string>
#include <vector>

#include "node/io/sound/sound.h"

namespace linnet::io {

// [{"call":..,"microphone":..,"loudspeaker":..,"latency_ms":..,"echo":..,"echo_delay_ms":..,"echo_reduction_db":..}]
// latency_ms: from mouth to encoder and from decoder to ear together, as the devices report it.
std::string sound_json(const std::vector<Sound::InUse>& in_use);
// {"event":"notice","text":..}
std::string notice_line(const std::string& text);

}  // namespace linnet::io
