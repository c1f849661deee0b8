// WAV files as bytes (libsndfile over memory); reading and writing files is node/io's.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace linnet::media {

// Mono samples at a rate.
struct Audio {
  int rate = 48000;
  std::vector<std::int16_t> samples;
};

inline constexpr std::size_t kMaxWavBytes = std::size_t{64} << 20;  // 64 MiB, 5.8 minutes of 48 kHz stereo

// RIFF WAVE of 8 to 96 kHz, 1 or 2 channels, any sample format libsndfile reads; two channels are averaged into one.
// Faults: too_big (over kMaxWavBytes), malformed (no WAV), unsupported (rate, channels, another container).
Result<Audio> parse_wav(ByteView file);

// 16-bit mono PCM.
Bytes serialise_wav(std::span<const std::int16_t> samples, int rate);

}  // namespace linnet::media
