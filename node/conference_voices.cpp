// The voices of a conference: frames are mixed on time, and what programs are shown.
#include <algorithm>
#include <tuple>
#include <utility>

#include "node/conferences.h"

namespace linnet::node {
namespace {

// So many frames are made up for when the machine was late; more are lost.
constexpr int kMostLate = 5;

std::string address_of(const conference::Roster& roster, const crypto::DeviceKey& device) {
  const auto found = roster.members.find(device);
  return found == roster.members.end() ? std::string() : found->second.claim.claim.address.text();
}

}  // namespace

Voice* Conferences::voice_of(Host host, const Conference& conference,
                             const std::optional<crypto::DeviceKey>& device) const {
  if (!device) return nullptr;
  const auto leg = conference.theirs.find(*device);
  if (leg == conference.theirs.end()) return nullptr;
  const auto call = host.calls.find(leg->second);
  auto* talking = call == host.calls.end() ? nullptr : call->second.talking();
  return talking == nullptr ? nullptr : &talking->voice;
}

void Conferences::tend_frames(Time now, Conference& conference) {
  if (!conference.room.mixes()) {
    if (std::exchange(conference.next_frame, kNever) == kNever || next_frame() != kNever) return;
    meter_.idle();
    spare();
  } else if (conference.next_frame == kNever) {
    conference.next_frame = now;
  }
}

void Conferences::mix(Host host, Time now, Conference& conference) {
  std::vector<ConferenceSound::Seated> members;
  const auto& roster = conference.room.roster();
  for (const auto& [device, id] : conference.ours) {
    const auto call = host.calls.find(id);
    auto* talking = call == host.calls.end() ? nullptr : call->second.talking();
    if (talking == nullptr) continue;
    const auto member = roster.members.find(device);
    const bool muted = member != roster.members.end() && member->second.muted;
    const bool sum = conference::section_led_by(roster, device).has_value();
    members.push_back({device, conference::source_of(conference.room.id(), device), &talking->voice, muted, sum});
  }
  const auto trunk = conference.room.trunk();
  if (auto* voice = voice_of(host, conference, trunk)) {
    voice->set_muted(false);
    voice->set_quiet(false);
    members.push_back({*trunk, conference::source_of(conference.room.id(), *trunk), voice, false, true, true});
  }
  const auto self = roster.members.find(conference.room.self());
  const bool silenced = self != roster.members.end() && self->second.muted;
  conference.sound.set_silenced(silenced);
  const bool ours = conference.room.duty() == conference::Duty::mixer || trunk;
  conference.sound.mix(now, members, ours);
  for (const auto* legs : {&conference.ours, &conference.theirs}) {
    if (legs == &conference.theirs && !trunk) continue;
    for (const auto& entry : *legs) {
      const auto call = host.calls.find(entry.second);
      if (auto* talking = call == host.calls.end() ? nullptr : call->second.talking()) talking->send(host.rooms, now);
    }
  }
}

void Conferences::handle_timeout(Host host, Time now) {
  unmeasured_ = 0;  // what nobody measured before is not measured now
  late_ = {};
  mixed_for_ = 0;
  subscribers_.handle_timeout(host.rooms.sip, now, [this](CallId id) {
    const auto* conference = find(id);
    return conference == nullptr ? nullptr : &conference->room;
  });
  for (auto& [id, conference] : conferences_) {
    if (now >= conference.room.next_timeout()) conference.room.handle_timeout(now);
    if (conference.next_frame == kNever || now < conference.next_frame) continue;
    late_ = std::max(late_, now - conference.next_frame);
    if (now > conference.next_frame + kMostLate * ConferenceSound::kFrame) conference.next_frame = now;
    for (; now >= conference.next_frame; conference.next_frame += ConferenceSound::kFrame) {
      mix(host, now, conference);
      ++frames_;
      ++unmeasured_;
    }
    mixed_for_ += conference.ours.size();
  }
  if (meter_.handle_timeout(now)) {
    claim_anew(now);
    ask_for_means(host.rooms, now);
  }
  // Who mixes has no time for it, and is watched by the meter.
  const bool idle = !conferences_.empty() && next_frame() == kNever;
  if (idle && now >= asked_ + host.rooms.config.means_good) ask_for_means(host.rooms, now);
}

void Conferences::ask_for_means(const Rooms& rooms, Time now) {
  asked_ = now;
  rooms.out.push(event::MeasureMixer{});
}

void Conferences::addresses_changed(Rooms rooms, Time now) {
  if (!conferences_.empty()) ask_for_means(rooms, now);
}

Time Conferences::next_frame() const {
  Time out = kNever;
  for (const auto& entry : conferences_) out = std::min(out, entry.second.next_frame);
  return out;
}

// One encoder for all costs as much as one decoder: whoever spoke of late shares it as well.
void Conferences::spare() {
  for (auto& entry : conferences_) entry.second.sound.spare(meter_.heard(), meter_.verdict() == Deadline::fine);
}

bool Conferences::frames_took(Host host, Time now, Duration took) {
  const auto frames = std::exchange(unmeasured_, 0);
  const auto late = std::exchange(late_, Duration{});
  const auto members = std::exchange(mixed_for_, 0);
  const auto before = std::tuple(meter_.verdict(), meter_.heard(), meter_.carries());
  for (int i = 0; i < frames; ++i) meter_.frame(now, members, late - i * ConferenceSound::kFrame, took);
  if (before == std::tuple(meter_.verdict(), meter_.heard(), meter_.carries())) return false;
  spare();
  if (std::get<2>(before) != meter_.carries()) claim_anew(now);
  host.rooms.out.push(event::ConferenceLoad{meter_.verdict(), meter_.heard(), meter_.carries()});
  for (const auto& entry : conferences_) host.rooms.out.changed(entry.first);
  return true;
}

Time Conferences::next_timeout() const {
  Time out = std::min(subscribers_.next_timeout(), meter_.next_timeout());
  for (const auto& [id, conference] : conferences_) {
    const auto alone = given_up_at(conference);
    out = std::min(
        {out, conference.room.next_timeout(), conference.next_frame, conference.until, conference.leave_at, alone});
    out = std::min({out, conference.address_at, conference.others_at});
  }
  for (const auto& entry : wanting_) out = std::min(out, entry.second);
  return out;
}

void Conferences::capture(Host host, Time now, CallId id, std::span<const std::int16_t> samples) {
  auto* conference = find(id);
  if (conference == nullptr) return;
  if (!conference->record_start) conference->record_start = now;
  std::vector<Voice*> to;
  const auto& room = conference->room;
  for (const auto& device : {room.mixer(), room.deputy()}) {
    if (device && (*device == room.self() || device == room.trunk())) continue;
    auto* voice = voice_of(host, *conference, device);
    if (voice == nullptr || std::find(to.begin(), to.end(), voice) != to.end()) continue;
    // A deputy of a big room is not spoken to until it mixes; its clock goes on.
    const bool spoken_to = device == room.mixer() || conference::deputy_streams(room.roster());
    voice->set_quiet(!spoken_to);
    to.push_back(voice);
  }
  conference->sound.capture(now, samples, to);
  for (const auto& entry : conference->theirs) {
    const auto call = host.calls.find(entry.second);
    if (auto* talking = call == host.calls.end() ? nullptr : call->second.talking()) talking->send(host.rooms, now);
  }
}

std::size_t Conferences::play(Host host, Time now, CallId id, std::span<std::int16_t> out) {
  auto* conference = find(id);
  std::fill(out.begin(), out.end(), std::int16_t{0});
  if (conference == nullptr) return out.size();
  const auto& room = conference->room;
  std::size_t start = out.size();
  if (room.duty() == conference::Duty::mixer || room.trunk()) {
    start = conference->sound.play(out);
  } else if (const auto mixer = room.mixer()) {
    ConferenceEar::Stream first{*mixer, voice_of(host, *conference, mixer)}, second;
    const auto deputy = room.deputy();
    const bool streams = deputy && *deputy != room.self() && conference::deputy_streams(room.roster());
    if (streams) second = {*deputy, voice_of(host, *conference, deputy)};
    start = conference->sound.ear.play(now, first, second, out);
  }
  if (start < out.size() && !conference->play_start)
    conference->play_start = now + std::chrono::microseconds(start * 1000 / media::kSamplesPerMs);
  return start;
}

std::vector<ConferenceView> Conferences::views(const Rooms& rooms, const CallTable& calls) const {
  std::vector<ConferenceView> out;
  for (const auto& [id, conference] : conferences_) {
    const auto& roster = conference.room.roster();
    auto& view = out.emplace_back();
    view.id = id;
    view.room = to_hex(conference.room.id());
    view.name = roster.head.name;
    if (const auto* room = rooms.book.find(conference.room.id())) view.address = room->address.text();
    view.duty = to_string(conference.room.duty());
    view.term = roster.head.term;
    view.locked = roster.head.locked;
    view.muted = conference.sound.muted();
    view.mixer = address_of(roster, roster.head.mixer);
    if (roster.head.deputy) view.deputy = address_of(roster, *roster.head.deputy);
    view.deputy_streams = conference::deputy_streams(roster);
    if (conference.room.mixes()) {
      view.deadline = meter_.verdict();
      view.heard_at_once = meter_.heard();
    }
    std::vector<media::Contributor> heard = conference.sound.heard();
    if (!conference.room.mixes()) {
      heard.clear();
      const auto leg = conference.theirs.find(conference.room.mixer().value_or(roster.head.mixer));
      const auto call = leg == conference.theirs.end() ? calls.end() : calls.find(leg->second);
      const auto* talking = call == calls.end() ? nullptr : call->second.talking();
      if (talking != nullptr) heard.assign(talking->voice.contributors().begin(), talking->voice.contributors().end());
    }
    for (const auto& [device, member] : roster.members) {
      const auto& claim = member.claim.claim;
      auto& row = view.members.emplace_back();
      row.address = claim.address.text();
      row.key_name =
          crypto::Address::key_name(claim.address.user(), crypto::key_hash(claim.certificate.account)).text();
      row.self = device == conference.room.self();
      row.founder = device == roster.head.founder;
      const auto source = conference::source_of(conference.room.id(), device);
      row.speaks = std::any_of(heard.begin(), heard.end(), [&](const auto& c) { return c.ssrc == source; });
      row.muted = member.muted || (row.self && conference.sound.muted());
      row.poor = member.poor;
      row.recording = member.recording;
      row.mixes = claim.mixes;
      row.uplink_kbps = claim.uplink_kbps;
      const auto hears = conference::mixer_of(roster, device);
      row.hears = address_of(roster, hears.value_or(roster.head.mixer));
    }
    if (!view.mixer.empty()) view.mixers.push_back({view.mixer, 0});
    for (const auto& device : roster.head.sections)
      if (conference::section_led_by(roster, device)) view.mixers.push_back({address_of(roster, device), 0});
    for (const auto& row : view.members) {
      const auto theirs = std::find_if(view.mixers.begin(), view.mixers.end(),
                                       [&](const ConferenceView::Mixer& m) { return m.address == row.hears; });
      if (theirs != view.mixers.end()) ++theirs->members;
    }
    for (const auto& entry : conference.inviting) view.invited.push_back(entry.second.text());
    for (const auto& address : conference.to_invite) view.invited.push_back(address.text());
  }
  return out;
}

std::optional<CallView> Conferences::call_view(const Rooms& rooms, const CallTable& calls, Time now, CallId id) const {
  const auto found = conferences_.find(id);
  if (found == conferences_.end()) return std::nullopt;
  const auto& conference = found->second;
  CallView out;
  // The leg by which the person hears.
  const auto mixer = conference.room.mixer();
  const auto leg = mixer ? conference.theirs.find(*mixer) : conference.theirs.end();
  const auto call = leg == conference.theirs.end() ? calls.end() : calls.find(leg->second);
  if (call != calls.end()) out = call->second.view(rooms, now);
  out.id = id;
  out.direction = conference.direction;
  out.peer = conference.with;
  out.state = CallState::talking;
  out.talking_for = now - conference.began;
  out.muted = conference.sound.muted();
  out.conference = title_of(conference.room.id(), conference.room.roster().head.name);
  if (!conference.room.mixer()) out.path = PathWord::lan;
  return out;
}

}  // namespace linnet::node
