// What a telephone sounds like while it rings: generated, 48 kHz mono, played round and round.
#pragma once

#include <cstdint>
#include <vector>

namespace linnet::io {

// For the caller: 425 Hz, one second of every five (ITU-T E.180 supplement 2: most of Europe).
std::vector<std::int16_t> ringback_tone();

// For the callee: two bursts of a warble between 800 and 1000 Hz, then quiet; four seconds altogether.
std::vector<std::int16_t> ring_tone();

}  // namespace linnet::io
