#include "node/conference_sound.h"

#include <algorithm>
#include <utility>

#include "media/rtp.h"

namespace linnet::node {
namespace {

void bound(std::deque<std::int16_t>& queue) {
  if (queue.size() > ConferenceSound::kMostWaiting)
    queue.erase(queue.begin(), queue.end() - ConferenceSound::kMostWaiting / 2);
}

}  // namespace

ConferenceSound::ConferenceSound(std::uint32_t own_source, media::CodecSettings shared)
    : own_source_(own_source), streams_(shared) {
  mixer_.add(self_);
}

std::optional<crypto::DeviceKey> ConferenceSound::poll_liar() {
  while (const auto seat = mixer_.poll_liar()) {
    if (const auto found = devices_.find(*seat); found != devices_.end()) return found->second;
  }
  return std::nullopt;
}

void ConferenceSound::capture(Time now, std::span<const std::int16_t> samples, std::span<Voice* const> mixing_for_us) {
  for (auto* voice : mixing_for_us) {
    voice->set_muted(muted_);
    voice->capture(now, samples);
  }
  if (!mixed_) return;
  mic_.insert(mic_.end(), samples.begin(), samples.end());
  bound(mic_);
}

ConferenceSound::Place& ConferenceSound::place_of(const crypto::DeviceKey& device) {
  const auto found = places_.find(device);
  if (found != places_.end()) return found->second;
  auto& place = places_[device];
  place.seat = media::Seat{next_seat_++};
  devices_.emplace(place.seat, device);
  mixer_.add(place.seat);
  return place;
}

// Who was not among this frame's members.
void ConferenceSound::forget_missing() {
  std::erase_if(places_, [&](const auto& entry) {
    if (entry.second.frame_of == cost_.frames) return false;
    mixer_.remove(entry.second.seat);
    devices_.erase(entry.second.seat);
    return true;
  });
}

void ConferenceSound::take_mic(media::Mixer::Frame& frame) {
  frame.fill(0);
  const auto n = std::min(frame.size(), mic_.size());
  if (!muted_) std::copy_n(mic_.begin(), n, frame.begin());
  mic_.erase(mic_.begin(), mic_.begin() + static_cast<std::ptrdiff_t>(n));
}

void ConferenceSound::hear_person() {
  take_mic(mic_frame_);
  mixer_.hear(self_, mic_detector_.measure(mic_frame_));
}

// By what members say of their packets. Who says nothing (a phone) is decoded to be measured.
void ConferenceSound::listen(Time now, const Seated& member, Place& place) {
  place.decoded = false;
  // Whom a section's mixer silences it knows itself.
  mixer_.set_gain(place.seat, member.muted && !member.sum ? 0 : 1);
  mixer_.set_always(place.seat, member.trunk);
  const auto said = member.voice->heard_level();
  if (said) {
    place.levels = true;
    if (place.level_at != said->at) mixer_.hear(place.seat, said->level);
    place.level_at = said->at;
    return;
  }
  if (place.levels || !member.voice->last_packet()) return;
  (void)member.voice->play(now, place.frame);
  place.decoded = true;
  ++cost_.decoded;
  mixer_.hear(place.seat, place.detector.measure(place.frame));
}

void ConferenceSound::listen(Time now, std::span<const Seated> members) {
  seated_.clear();
  for (const auto& member : members) {
    auto& place = place_of(member.device);
    place.frame_of = cost_.frames;
    seated_.push_back(&place);
    listen(now, member, place);
  }
}

void ConferenceSound::decode(Time now, std::span<const Seated> members) {
  const auto wanted = mixer_.wanted();
  for (std::size_t i = 0; i < members.size(); ++i) {
    const auto& member = members[i];
    auto& place = *seated_[i];
    const bool is_wanted = std::find(wanted.begin(), wanted.end(), place.seat) != wanted.end();
    if (!is_wanted && !place.decoded) member.voice->skim(now, media::Mixer::kFrame);
    if (!is_wanted) continue;
    if (!place.decoded) {
      (void)member.voice->play(now, place.frame);
      ++cost_.decoded;
    }
    mixer_.put(now, place.seat, place.frame);
  }
  mixer_.put(now, self_, mic_frame_);
}

void ConferenceSound::note_contributors(std::span<const Seated> members) {
  contributors_.clear();
  heard_by_.clear();
  const auto note_all = [&](const Seated& member, media::Seat seat) {
    for (const auto& c : member.voice->contributors()) note(seat, c);
  };
  for (const auto seat : mixer_.heard()) {
    const auto device = devices_.find(seat);
    if (device == devices_.end()) {
      note(seat, {own_source_, mixer_.level(seat)});
      continue;
    }
    const auto member =
        std::find_if(members.begin(), members.end(), [&](const Seated& m) { return m.device == device->second; });
    if (member == members.end()) continue;
    if (member->sum) {
      note_all(*member, seat);
    } else {
      note(seat, {member->source, mixer_.level(seat)});
    }
  }
  for (std::size_t i = 0; i < members.size(); ++i)
    if (members[i].trunk) note_all(members[i], seated_[i]->seat);
}

void ConferenceSound::note(media::Seat seat, media::Contributor contributor) {
  if (contributors_.size() >= media::kMaxCsrc) return;
  contributors_.push_back(contributor);
  heard_by_.push_back(seat);
}

// What one gets alone costs as much as a hundred shared ones: only who is heard, or takes no Opus, has that.
void ConferenceSound::send_to(Time now, Voice& voice, Place& place) {
  const bool own = mixer_.owns(place.seat);
  auto stream = std::exchange(place.waits, std::nullopt);
  if (!own && voice.sends_opus()) {
    const bool waited = stream.has_value();
    if (!stream) stream = streams_.choose(voice.wish());
    if (stream && !streams_.ends(*stream)) {
      place.waits = stream;
      return;
    }
    const auto frame = stream ? streams_.frame(*stream) : std::nullopt;
    if (frame) {
      (void)voice.send_encoded(now, *frame);
      return;
    }
    if (!waited) stream.reset();
  }
  if (stream) voice.capture(now, streams_.waiting(*stream));
  voice.capture(now, own ? mixer_.without(place.seat) : mixer_.common());
  ++cost_.encoded;
}

void ConferenceSound::send(Time now, std::span<const Seated> members) {
  streams_.add(mixer_.common(), mixer_.level());
  for (std::size_t at = 0; at < members.size(); ++at) {
    auto& place = *seated_[at];
    of_one_.clear();
    for (std::size_t i = 0; i < contributors_.size(); ++i)
      if (heard_by_[i] != place.seat) of_one_.push_back(contributors_[i]);
    members[at].voice->set_contributors(of_one_);
    send_to(now, *members[at].voice, place);
  }
  cost_.shared = streams_.encoded();
}

void ConferenceSound::mix(Time now, std::span<const Seated> members, bool play_to_us) {
  mixed_ = true;
  ++cost_.frames;
  hear_person();
  listen(now, members);
  forget_missing();
  mixer_.choose(now);
  decode(now, members);
  mixer_.mix(now);
  note_contributors(members);
  send(now, members);
  if (!play_to_us) return;
  const auto& ours = mixer_.owns(self_) ? mixer_.without(self_) : mixer_.common();
  out_.insert(out_.end(), ours.begin(), ours.end());
  bound(out_);
}

std::size_t ConferenceSound::play(std::span<std::int16_t> out) {
  const auto n = std::min(out.size(), out_.size());
  std::copy_n(out_.begin(), n, out.begin());
  std::fill(out.begin() + static_cast<std::ptrdiff_t>(n), out.end(), std::int16_t{0});
  out_.erase(out_.begin(), out_.begin() + static_cast<std::ptrdiff_t>(n));
  return mixed_ ? 0 : out.size();
}

}  // namespace linnet::node
