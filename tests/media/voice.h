// The demo's sentence and the calls that speak it.
#pragma once

#include <fstream>
#include <iterator>
#include <string>

#include "checkout.h"
#include "media/wav.h"
#include "tests/media/call_twin.h"

namespace linnet::media {

inline Bytes read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

inline const Audio& speech() {
  static const Audio audio = *parse_wav(read_file(std::string(LINNET_SOURCE_DIR) + "/assets/speech.wav"));
  return audio;
}

// The sentence again and again, for as long as a call needs.
inline Audio long_speech(double seconds) {
  Audio out{speech().rate, {}};
  const auto samples = static_cast<std::size_t>(seconds * out.rate);
  while (out.samples.size() < samples) {
    const auto n = std::min(samples - out.samples.size(), speech().samples.size());
    out.samples.insert(out.samples.end(), speech().samples.begin(),
                       speech().samples.begin() + static_cast<std::ptrdiff_t>(n));
  }
  return out;
}

struct Conversation : Call {
  explicit Conversation(Network n = {}, SessionConfig config = {}) : Call(speech(), n, std::move(config)) {}
};

}  // namespace linnet::media
