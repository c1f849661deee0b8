// How loud one packet's sound is, as RTP header extensions say it: client to mixer (RFC 6464), mixer to client of each
// contributor (RFC 6465). media/level.h is the meter for people.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "base/bytes.h"

namespace linnet::media {

struct AudioLevel {
  std::uint8_t dbov = 127;  // dB below the overload point, a square wave of full scale: 0 loudest, 127 silence
  bool voice = false;
  bool operator==(const AudioLevel&) const = default;
};

// Of exactly these samples (RFC 6464 section 3): root mean square over full scale, rounded to a dB. None are silence.
// `voice`: louder than kFaint. Nothing is known of the noise here; VoiceDetector follows it.
AudioLevel measure(std::span<const std::int16_t> samples);
inline constexpr std::uint8_t kFaint = 55;

// The same level, and for `voice` a detector that knows the room: the quietest tenth of a second of the last three is
// taken for its noise. Voice is kOver dB above that and not fainter than kFaint for 20 ms on end, and holds on for
// 200 ms, so that ends of words are in it. It knows loudness alone: a door that slams is voice, and a tone of more than
// three seconds no longer is.
class VoiceDetector {
 public:
  static constexpr int kOver = 9;  // dB

  // The frames of one stream one after the other, at 48 kHz.
  AudioLevel measure(std::span<const std::int16_t> samples);

 private:
  static constexpr std::size_t kBlock = 480;     // 10 ms: one decision
  static constexpr std::size_t kStretch = 10;    // blocks, whose mean may be the noise
  static constexpr std::size_t kStretches = 30;  // remembered
  static constexpr std::size_t kOnset = 2;       // blocks that make voice
  static constexpr std::size_t kHold = 20;       // blocks after the last of it

  void judge(double mean_square);
  void learn(double mean_square);

  std::array<double, kStretches> stretches_{};  // mean squares, a ring
  std::size_t known_ = 0, at_ = 0;
  double noise_ = 0;  // the least of them
  double sum_ = 0;    // of the stretch that is being filled
  std::size_t sums_ = 0;
  std::size_t over_ = 0;  // blocks on end
  std::size_t hold_ = 0;  // blocks to go
};

// RFC 6464 section 3: one octet, the flag first. Nothing when the element is empty; longer ones are read over.
std::optional<AudioLevel> parse_client_level(ByteView element);
std::uint8_t client_level_octet(const AudioLevel& level);

}  // namespace linnet::media
