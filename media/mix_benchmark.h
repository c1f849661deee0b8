// The work of a conference's mixer for one frame of 20 ms, to find out for how many members a machine could mix: of
// every member a packet is taken (SRTP, jitter buffer) and its level is heard, the loudest three are decoded and mixed,
// the others are skimmed, one frame is encoded for everybody and one for each of the three, and every member is sent
// it; reports come and go too. The members are sessions like ours. Sans-IO and sans clock: the parts are timed, and the
// packets carried, by the caller (node/io/mixer_means.h).
//
//   prepare() -> receive() -> mix() -> send()       for each frame
//
// receive() and send() cost as much for each member more; mix() costs the same for any number.
#pragma once

#include <memory>
#include <vector>

#include "base/rng.h"
#include "media/codec.h"
#include "media/loudest.h"
#include "media/mixer.h"
#include "media/session.h"

namespace linnet::media {

class MixBenchmark {
 public:
  static constexpr std::size_t kTalkers = Loudest::kPlaces;
  static constexpr std::size_t kSpoken = 10;  // frames, said again and again

  // `members`: at least kTalkers. `rng` must outlive it. Fault: SRTP does not work here. Its buffers have filled when
  // it is made: each frame after that is like all others.
  static Result<MixBenchmark> make(std::size_t members, const CodecSettings& settings, Rng& rng);

  // The members speak: nothing of a mixer's work.
  void prepare();
  void receive();
  void mix();
  // What leaves, one packet for each member and now and then a report; valid until the next call.
  std::span<const Bytes> send();

  std::size_t members() const { return lines_.size(); }
  // How many were decoded in the last mix(), and how loud what everybody gets is.
  std::size_t decoded() const { return decoded_; }
  AudioLevel level() const { return mixer_.level(); }
  // Packets that were refused, lacked a level, or did not leave: none.
  std::size_t failed() const { return failed_; }

 private:
  struct Line {  // to one member
    Seat seat{};
    Session here, there;
    std::vector<Bytes> incoming;
    std::size_t first_sent = 0, sent = 0;  // in outgoing_
    Mixer::Frame frame{};
    bool played = false;
  };

  MixBenchmark() = default;
  void add_line(const CodecSettings& settings, Rng& rng);
  void speak(const CodecSettings& settings);
  void say(Line& line, bool talks);
  bool leave(Line& line);

  std::vector<Line> lines_;    // the first ones talk
  std::vector<Bytes> spoken_;  // payloads
  std::unique_ptr<Codec> shared_;
  Mixer mixer_;
  Bytes payload_;
  std::vector<Contributor> contributors_;
  std::vector<Bytes> outgoing_;  // the first `sent_` of them
  std::size_t sent_ = 0;
  Time now_{};
  std::size_t frames_ = 0;
  std::size_t decoded_ = 0;
  std::size_t failed_ = 0;
};

}  // namespace linnet::media
