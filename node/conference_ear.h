// What a member hears: the mixer, and in the very block in which the mixer's stream has nothing more, the deputy's,
// where that one streams too. Nobody hears anything twice: only one of the two is heard at a time.
//
// Two mixers are not in step: what one sends may be some 50 ms later than the other's. So both are laid side by side,
// and whichever comes to be heard is taken up at the sample at which the other was left; what it has to wait for that
// is given back in a pause. Where it is the later one, some of what was heard would be heard again: as long as the
// other one is whole a pause is waited for.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <vector>

#include "crypto/keys.h"
#include "media/codec_kind.h"
#include "node/voice.h"

namespace linnet::node {

class ConferenceEar {
 public:
  static constexpr Duration kGoodAgain = std::chrono::milliseconds(300);
  static constexpr std::size_t kSeam = 120;  // samples over which one stream becomes the other
  static constexpr std::size_t kMaxBlock = 40 * media::kSamplesPerMs;
  static constexpr std::size_t kMostApart = 100 * media::kSamplesPerMs;
  static constexpr std::size_t kCompared = 60 * media::kSamplesPerMs;
  static constexpr Duration kLooksAgain = std::chrono::milliseconds(500);  // at how far they are apart
  static constexpr Duration kLooksSoon = std::chrono::milliseconds(60);    // where it is not known
  static constexpr Duration kWaitsForPause = std::chrono::seconds(5);
  static constexpr Duration kKnown = std::chrono::seconds(10);  // so long it is believed

  struct Stream {
    crypto::DeviceKey from{};
    Voice* voice = nullptr;  // none: it is not connected
  };

  // As Voice::play. Both streams go on in time, whichever is heard.
  std::size_t play(Time now, const Stream& mixer, const Stream& deputy, std::span<std::int16_t> out);
  // Times that it went from one stream to the other.
  std::uint64_t switches() const { return switches_; }
  // Samples by which what is heard is later than its stream.
  std::size_t delay() const { return delay_; }

 private:
  static constexpr std::size_t kKept = kMostApart + kCompared + kMaxBlock;

  using Past = std::array<std::int16_t, kKept>;  // the last samples, the newest at the end
  struct Track {
    std::optional<crypto::DeviceKey> from;
    Past past{};
    bool good = false;      // the last block is whole: nothing of it was made up
    std::size_t start = 0;  // in that block
    bool there = false;     // there is such a stream
  };
  Track& track_of(const Stream& stream, const Stream& other);
  void take(Time now, const Stream& stream, std::size_t samples, Track& into);
  bool chooses_deputy(Time now, const Track& mixer, const Track& deputy);
  bool pauses(std::size_t length) const;
  void go_to(Time now, const Track& track, std::size_t samples);
  void give_back(const Track& track, std::span<std::int16_t> block);
  void note_lag(Time now, const Track& other, std::size_t samples);
  std::optional<int> lag_of(const Track& track, std::size_t samples) const;

  std::array<Track, 2> tracks_;
  Past heard_past_{};
  std::size_t delay_ = 0;
  struct Known {
    crypto::DeviceKey of{};
    int lag = 0;  // of its stream to what is heard
    Time at{};
  };
  std::optional<Known> known_;
  Time look_at_{};
  std::optional<Time> waits_until_;  // with going to the mixer, who is the later one or was not compared
  std::optional<crypto::DeviceKey> heard_;
  std::optional<Time> bad_since_good_;  // when the mixer last failed, while the deputy is heard
  std::uint64_t switches_ = 0;
  bool began_ = false;
};

}  // namespace linnet::node
