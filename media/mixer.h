// What a conference's mixer does with sound: of all members the loudest few are heard (media/loudest.h); everybody else
// hears the one sum of them, and each of the heard the sum without himself. So few are decoded, one frame is encoded
// for nearly all, and a member costs little more than his packets.
//
// 48 kHz mono, frames of 20 ms. Sans-IO, and no memory is asked for once everybody sits:
//
//   hear(seat, level) with each packet -> choose(now) -> put(seat, frame) for each of wanted() -> mix(now)
//     -> common(), without(seat)
#pragma once

#include <array>
#include <map>
#include <span>
#include <vector>

#include "media/codec_kind.h"
#include "media/limiter.h"
#include "media/loudest.h"

namespace linnet::media {

class Mixer {
 public:
  static constexpr std::size_t kFrame = 20 * kSamplesPerMs;
  static constexpr std::size_t kRamp = 120;                    // samples in which somebody comes in
  static constexpr Duration kWarm = std::chrono::seconds(10);  // see owns()
  static constexpr std::size_t kMaxWarm = 6;
  using Frame = std::array<std::int16_t, kFrame>;

  void add(Seat seat);
  void remove(Seat seat);
  // 0 to 4; 1 at first. 0: the room does not hear that member.
  void set_gain(Seat seat, double gain);

  // Heard whatever its level is, beside the loudest: a sum that comes from another mixer.
  void set_always(Seat seat, bool always);
  // Less work, where there is no time for it: so many are heard at once (1 to Loudest::kPlaces), and whoever is heard
  // no more gets what everybody gets, unless encoders are kept warm.
  void spare(std::size_t places, bool warm);

  void hear(Seat seat, AudioLevel level);
  void choose(Time now);
  // Whose next frame is to be put: the heard, and for one frame more who was heard until now.
  std::span<const Seat> wanted() const { return wanted_; }
  void put(Time now, Seat seat, std::span<const std::int16_t> frame);
  void mix(Time now);

  // For everybody who was not heard in this frame.
  const Frame& common() const { return common_; }
  // For whoever owns a stream: the sum without him.
  const Frame& without(Seat seat) const;
  // Whether this member is to be encoded for by himself: he is heard, or was of late. An encoder that was in use stays
  // so for a while, since what a listener's decoder knows is what that encoder sent.
  bool owns(Seat seat) const;
  const std::vector<Seat>& heard() const { return loudest_.places(); }
  // As it was measured in the last frame; silence for whoever was not heard in it.
  AudioLevel level(Seat seat) const;
  AudioLevel level() const { return common_level_; }
  std::optional<Seat> poll_liar() { return loudest_.poll_liar(); }

 private:
  struct Input {
    Seat seat{};
    Frame frame{};
    AudioLevel level;
    bool filled = false;
    bool leaves = false;  // for the last time
    bool comes = false;
  };
  struct Own {
    Seat seat{};
    Time until{};
    Limiter limiter;
    Frame frame{};
  };
  struct Member {
    double gain = 1;
    double applied = 1;  // at the end of the last frame
    bool always = false;
  };
  void want(Seat seat, bool leaves, bool comes);
  Input* input(Seat seat);
  void sum(Time now);
  void add_noise();
  Own* own(Seat seat);
  void keep_own(Time now);
  void render(std::span<const std::int32_t> sum, Limiter& limiter, Frame& out);

  std::map<Seat, Member> members_;
  Loudest loudest_;
  bool warm_ = true;
  std::vector<Seat> wanted_;
  std::vector<Input> inputs_;  // one for each of wanted_, in its order
  std::vector<Input> before_;
  std::vector<Own> owns_;
  std::array<std::int32_t, kFrame> sum_{}, less_{};
  Limiter limiter_;
  Frame common_{};
  AudioLevel common_level_;
  double floor_ = 10;  // rms of the comfort noise, in steps of a sample
  std::uint32_t noise_ = 1;
  double noise_low_ = 0;
};

}  // namespace linnet::media
