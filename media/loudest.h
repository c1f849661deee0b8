// Who of a conference is heard: the few loudest, by the levels that members send with each packet (RFC 6464), without
// decoding anybody. A free place is taken with the first packet of voice, so that no first word is cut; who has a place
// keeps it through the pauses of speech, and loses it in between only to somebody clearly louder for a while. That one
// is heard beside the others meanwhile.
//
// What a member says of himself is held against what was decoded: who says loud and sends silence is passed over, for
// longer each time.
#pragma once

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <vector>

#include "base/time.h"
#include "media/audio_level.h"
#include "media/audio_seat.h"

namespace linnet::media {

class Loudest {
 public:
  static constexpr std::size_t kPlaces = 3;
  static constexpr Duration kHold = std::chrono::milliseconds(600);  // after the last voice
  static constexpr double kLouder = 6;                               // dB, to push somebody out who talks
  static constexpr int kLouderFor = 5;                               // choices on end
  static constexpr double kForgets = 0.5;                            // dB of loudness a choice, once it is quieter
  static constexpr int kFalse = 15;                                  // choices with a false level until it is a lie
  static constexpr double kFalseBy = 15;                             // dB
  static constexpr Duration kPassedOver = std::chrono::seconds(5);   // doubled with each lie, up to the next
  static constexpr Duration kPassedOverMost = std::chrono::minutes(5);

  void add(Seat seat) { members_.try_emplace(seat); }
  void remove(Seat seat);

  // The level of the newest packet that came; one choice it counts for.
  void hear(Seat seat, AudioLevel level);
  // What a member that has a place was measured at, in the frame that was decoded.
  void measured(Time now, Seat seat, AudioLevel level);

  // How many are heard at once: 1 to kPlaces.
  void set_most(std::size_t places) { most_ = std::clamp<std::size_t>(places, 1, kPlaces); }
  // Once for each frame that is mixed.
  void choose(Time now);
  // The heard, at most as many as was set, and one more while it is decided whose place he takes; in no order.
  const std::vector<Seat>& places() const { return places_; }
  bool has_place(Seat seat) const;
  // Who was found to send false levels since it was last asked, one at a time: to be named in the log.
  std::optional<Seat> poll_liar();

 private:
  struct Member {
    std::optional<AudioLevel> said;  // since the last choice
    AudioLevel level;                // the last one
    double loudness = 0;             // dB over silence, falling slowly
    Time voice_until = Time::min();
    int louder_for = 0;
    int false_for = 0;
    int lies = 0;
    Time passed_over_until = Time::min();
  };
  bool talks(const Member& member, Time now) const;
  void update(Time now, Member& member) const;
  std::optional<Seat> loudest_without_place(Time now) const;
  void crowd_out();
  void fill(Time now);
  void challenge(Time now);
  void end_guest();

  std::map<Seat, Member> members_;
  std::size_t most_ = kPlaces;
  std::vector<Seat> places_;
  std::optional<Seat> guest_;  // the one over kPlaces
  std::vector<Seat> liars_;
};

}  // namespace linnet::media
