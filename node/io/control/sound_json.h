// Sound as JSON: for `linnet audio --json` and `linnet status --json`.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "node/io/sound/sound.h"

namespace linnet::io {

// [{"call":..,"microphone":..,"loudspeaker":..,"latency_ms":..,"echo":..,"echo_delay_ms":..,"echo_reduction_db":..}]
// latency_ms: from mouth to encoder and from decoder to ear together, as the devices report it.
nlohmann::ordered_json sound_json(const std::vector<Sound::InUse>& in_use);
// The same without what changes all the time: [{"call":..,"microphone":..,"loudspeaker":..}]
nlohmann::ordered_json devices_json(const std::vector<Sound::InUse>& in_use);

}  // namespace linnet::io
