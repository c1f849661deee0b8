// The sound of one conference at one member: the person's microphone, the mixer when we are it or a deputy that
// streams, and what the person hears. Legs are calls; here they are seats with a voice.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <vector>

#include "base/fifo.h"
#include "media/audio_level.h"
#include "media/codec.h"
#include "media/mixer.h"
#include "node/conference_ear.h"
#include "node/shared_streams.h"

namespace linnet::node {

class ConferenceSound {
 public:
  static constexpr Duration kFrame = std::chrono::milliseconds(20);
  static constexpr std::size_t kMostWaiting = 100 * media::kSamplesPerMs;  // of the person's sound, either way

  struct Seated {
    crypto::DeviceKey device{};
    std::uint32_t source = 0;  // that its sound is known by (conference::source_of)
    Voice* voice = nullptr;
    bool muted = false;  // by the room
    bool sum = false;    // it mixes for others: its sound is theirs, and named as theirs
    bool trunk = false;  // a sum of all whom we do not mix for: heard always
  };

  ConferenceSound(std::uint32_t own_source, media::CodecSettings shared);

  void set_muted(bool muted) { muted_ = muted; }
  bool muted() const { return muted_; }
  // Muted by the room: our own mixer does not hear us.
  void set_silenced(bool silenced) { mixer_.set_gain(self_, silenced ? 0 : 1); }

  // As long as there is no time for more (media::Mixer::spare).
  void spare(std::size_t heard, bool warm) { mixer_.spare(heard, warm); }

  // The person speaks: to those who mix for us, and to our own mixer.
  void capture(Time now, std::span<const std::int16_t> samples, std::span<Voice* const> mixing_for_us);
  // One frame for everybody whom we mix for. `play_to_us`: our own person hears this one.
  void mix(Time now, std::span<const Seated> members, bool play_to_us);
  // Out of our own mixer.
  std::size_t play(std::span<std::int16_t> out);

  ConferenceEar ear;

  // Who was heard in the last frame, by their sources.
  const std::vector<media::Contributor>& heard() const { return contributors_; }
  std::optional<crypto::DeviceKey> poll_liar();
  struct Cost {
    std::uint64_t frames = 0, decoded = 0, encoded = 0, shared = 0;
  };
  const Cost& cost() const { return cost_; }

 private:
  struct Place {
    media::Seat seat{};
    std::optional<Time> level_at;   // of the last level that was counted
    media::VoiceDetector detector;  // of a member that says no levels
    media::Mixer::Frame frame{};    // decoded for that
    bool decoded = false;
    bool levels = false;
    std::uint64_t frame_of = 0;                  // the last one that was mixed for it
    std::optional<SharedStreams::Stream> waits;  // for the end of a longer frame
  };
  Place& place_of(const crypto::DeviceKey& device);
  void forget_missing();
  void listen(Time now, std::span<const Seated> members);
  void listen(Time now, const Seated& member, Place& place);
  void decode(Time now, std::span<const Seated> members);
  void send(Time now, std::span<const Seated> members);
  void note_contributors(std::span<const Seated> members);
  void note(media::Seat seat, media::Contributor contributor);
  void send_to(Time now, Voice& voice, Place& place);
  void hear_person();
  void take_mic(media::Mixer::Frame& frame);

  std::uint32_t own_source_;
  SharedStreams streams_;
  media::Mixer mixer_;
  std::map<crypto::DeviceKey, Place> places_;
  std::vector<Place*> seated_;  // of this frame's members, in their order
  std::map<media::Seat, crypto::DeviceKey> devices_;
  media::Seat self_{};
  std::uint32_t next_seat_ = 1;
  media::VoiceDetector mic_detector_;
  media::Mixer::Frame mic_frame_{};
  std::deque<std::int16_t> mic_, out_;
  bool muted_ = false;
  bool mixed_ = false;
  Bytes payload_;
  std::vector<media::Contributor> contributors_, of_one_;
  std::vector<media::Seat> heard_by_;  // of each contributor, who is heard with his sound
  Cost cost_;
};

}  // namespace linnet::node
