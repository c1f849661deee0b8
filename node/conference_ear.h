// What a member hears: the mixer, and in the very block in which the mixer's stream has nothing more, the deputy's,
// where that one streams too. Nobody hears anything twice: only one of the two is heard at a time.
#pragma once

#include <array>
#include <optional>
#include <span>

#include "crypto/keys.h"
#include "media/codec_kind.h"
#include "node/voice.h"

namespace linnet::node {

class ConferenceEar {
 public:
  static constexpr Duration kGoodAgain = std::chrono::milliseconds(300);
  static constexpr std::size_t kSeam = 120;  // samples over which one stream becomes the other
  static constexpr std::size_t kMaxBlock = 40 * media::kSamplesPerMs;

  struct Stream {
    crypto::DeviceKey from{};
    Voice* voice = nullptr;  // none: it is not connected
  };

  // As Voice::play. Both streams go on in time, whichever is heard.
  std::size_t play(Time now, const Stream& mixer, const Stream& deputy, std::span<std::int16_t> out);
  // Times that it went from one stream to the other.
  std::uint64_t switches() const { return switches_; }

 private:
  struct Taken {
    bool good = false;  // whole: nothing of it was made up
    std::size_t start = 0;
    std::array<std::int16_t, kMaxBlock> samples{};
  };
  void take(Time now, const Stream& stream, std::size_t samples, Taken& into);
  bool chooses_deputy(Time now, const Stream& mixer, const Stream& deputy) const;

  Taken first_, second_;
  std::optional<crypto::DeviceKey> heard_;
  std::optional<Time> bad_since_good_;  // when the mixer last failed, while the deputy is heard
  std::uint64_t switches_ = 0;
  bool began_ = false;
};

}  // namespace linnet::node
