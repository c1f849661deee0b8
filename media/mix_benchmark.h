// The work of a conference's mixer for one frame of 20 ms, to find out for how many members a machine could mix: of
// every member a packet is opened (SRTP) and its level is heard, the loudest three are decoded and mixed, one frame is
// encoded for everybody and one for each of the three, and every member's packet is protected. Sans-IO and sans clock:
// the parts are timed, and the packets carried, by the caller (node/io/mixer_means.h).
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
#include "media/rtp.h"
#include "media/srtp.h"

namespace linnet::media {

class MixBenchmark {
 public:
  static constexpr std::size_t kTalkers = Loudest::kPlaces;
  static constexpr std::size_t kSpoken = 10;  // frames, said again and again

  // `members`: at least kTalkers. Fault: whatever SRTP cannot do here.
  static Result<MixBenchmark> make(std::size_t members, const CodecSettings& settings, Rng& rng);

  // The members speak: nothing of a mixer's work.
  void prepare();
  void receive();
  void mix();
  // What leaves, one packet for each member; views until the next call.
  const std::vector<Bytes>& send();

  std::size_t members() const { return lines_.size(); }
  // How many were decoded in the last mix(), and how loud what everybody gets is.
  std::size_t decoded() const { return decoded_; }
  AudioLevel level() const { return mixer_.level(); }
  // Packets that did not open, or lacked a level: none.
  std::size_t failed() const { return failed_; }

 private:
  struct Line {  // to one member
    Seat seat{};
    Srtp theirs, in, out;
    RtpHeader said, sent;
    Bytes incoming;
  };
  struct Talker {
    std::unique_ptr<Codec> codec;
    std::array<std::int16_t, Mixer::kFrame> frame{};
  };

  MixBenchmark() = default;
  bool add_line(Rng& rng);
  void speak(const CodecSettings& settings);

  std::vector<Line> lines_;
  std::vector<Talker> talkers_;  // of the first lines
  std::vector<Bytes> spoken_;    // payloads
  std::unique_ptr<Codec> shared_;
  Mixer mixer_;
  Bytes payload_;
  std::vector<Bytes> own_;  // payloads of those who are heard
  std::vector<Bytes> outgoing_;
  std::vector<ByteView> payloads_;  // that came in the last receive(), of the talkers
  Time now_{};
  std::size_t frames_ = 0;
  std::size_t decoded_ = 0;
  std::size_t failed_ = 0;
};

}  // namespace linnet::media
