#include "node/call.h"

#include <algorithm>

#include "base/overloaded.h"

namespace linnet::node {
namespace {

CallState word_of(const State& state) {
  return std::visit(Overloaded{
                        [](const Resolving&) { return CallState::resolving; },
                        [](const Connecting&) { return CallState::connecting; },
                        [](const Inviting&) { return CallState::inviting; },
                        [](const Ringing&) { return CallState::ringing; },
                        [](const Incoming&) { return CallState::incoming; },
                        [](const Talking& t) {
                          return t.voice.on_hold() || t.voice.held_by_peer() ? CallState::held : CallState::talking;
                        },
                        [](const Ended&) { return CallState::ended; },
                    },
                    state);
}

std::optional<double> since(const Facts& facts, const std::optional<Time>& then) {
  if (!then) return std::nullopt;
  return millis(*then - facts.began);
}

// Voice and frames both prove that the peer is there.
std::optional<Time> last_heard(const Rooms& rooms, const Talking& talking) {
  auto out = rooms.peer.last_heard(talking.line.link);
  const auto voice = talking.voice.last_packet();
  if (voice && (!out || *voice > *out)) out = voice;
  return out;
}

void describe_path(const Rooms& rooms, const Talking& talking, Time now, CallView& out) {
  const auto heard = last_heard(rooms, talking);
  if (heard) out.last_heard = std::max(now - *heard, Duration(0));
  if (talking.lost || !heard || now - *heard > PathWatch::kStale) return;
  out.path = talking.path.word();
  if (out.path == PathWord::unknown) return;
  out.via = talking.via(rooms);
  out.reason = talking.reason(rooms);
}

}  // namespace

Call Call::outgoing(Rooms& rooms, Time now, Facts facts) {
  Call out(std::move(facts));
  auto next = Resolving::begin(rooms, now, out.facts_);
  out.state_ = std::move(*next.to);
  return out;
}

void Call::try_next_keeper(Rooms& rooms, Time now, Next& next) {
  const auto* ended = std::get_if<Ended>(&*next.to);
  if (ended == nullptr || facts_.answered) return;
  if (auto other = Resolving::next_keeper(rooms, now, facts_, *ended); other.to) next = std::move(other);
}

Time Call::next_timeout() const {
  return std::visit(
      [](const auto& state) {
        if constexpr (requires { state.next_timeout(); }) {
          return state.next_timeout();
        } else {
          return kNever;
        }
      },
      state_);
}

bool Call::owns(sip::CallId call) const {
  return std::visit(
      [&](const auto& state) {
        if constexpr (requires { state.legs; }) {
          return state.legs.owns(call);
        } else if constexpr (requires { state.line; }) {
          return state.line.call == call;
        } else {
          return false;
        }
      },
      state_);
}

std::optional<crypto::AccountKey> Call::account() const {
  return std::visit(
      [](const auto& state) -> std::optional<crypto::AccountKey> {
        if constexpr (requires { state.line; }) {
          return state.line.account;
        } else {
          return std::nullopt;
        }
      },
      state_);
}

bool Call::uses(const sip::PeerId& peer) const {
  return std::visit(
      [&](const auto& state) {
        if constexpr (requires { state.legs; }) {
          return state.legs.uses(peer);
        } else if constexpr (requires { state.line; }) {
          return state.line.peer == peer;
        } else {
          return false;
        }
      },
      state_);
}

bool in_use(const CallTable& calls, const sip::PeerId& peer) {
  return std::any_of(calls.begin(), calls.end(), [&](const auto& entry) { return entry.second.uses(peer); });
}

bool talking_on(const CallTable& calls, overlay::SessionId link) {
  return std::any_of(calls.begin(), calls.end(), [&](const auto& entry) {
    const auto* talking = entry.second.talking();
    return talking != nullptr && !talking->lost && talking->line.link == link;
  });
}

bool Call::waits_for(const sip::PeerId& peer) const {
  const auto* t = talking();
  return t != nullptr && t->lost && t->line.peer == peer;
}

CallView Call::view(const Rooms& rooms, Time now) const {
  CallView out;
  out.id = facts_.id;
  out.direction = facts_.direction;
  out.peer = facts_.peer;
  out.state = word_of(state_);
  out.verified = facts_.verified;
  out.note = facts_.note;
  if (facts_.conference && facts_.conference->kind == ConferenceLeg::Kind::invite)
    out.conference = title_of(facts_.conference->room, facts_.conference->name);
  if (const auto* contact = rooms.contacts.find(facts_.peer)) out.compared = contact->verified.has_value();
  const auto* t = talking();
  if (t == nullptr) return out;
  describe_path(rooms, *t, now, out);
  out.protected_now = t->guard.protecting(now) || rooms.peer.goes_both(now, t->line.link);
  out.muted = t->voice.muted();
  out.digits = t->voice.digits();
  out.on_hold = t->voice.on_hold();
  out.held_by_peer = t->voice.held_by_peer();
  out.talking_for = now - *facts_.answered;
  const auto stats = t->voice.stats(now);
  out.rtt_ms = stats.rtt_ms;
  if (const auto rtt = rooms.peer.rtt(t->line.link); !out.rtt_ms && rtt) out.rtt_ms = millis(*rtt);
  out.loss_pct = stats.loss_pct;
  out.jitter_ms = stats.jitter_ms;
  out.mos = stats.mos;
  out.mic_dbfs = stats.mic_dbfs;
  out.heard_dbfs = stats.heard_dbfs;
  out.codec = stats.codec;
  out.complexity = stats.complexity;
  return out;
}

CallSummary Call::summary() const {
  CallSummary out;
  out.id = facts_.id;
  out.direction = facts_.direction;
  out.peer = facts_.peer;
  out.started = facts_.started;
  out.ring_ms = since(facts_, facts_.rang);
  out.setup_ms = since(facts_, facts_.answered);
  out.lookup_hops = facts_.lookup_hops;
  if (facts_.conference && facts_.conference->kind == ConferenceLeg::Kind::invite)
    out.conference = title_of(facts_.conference->room, facts_.conference->name);
  if (const auto* ended = std::get_if<Ended>(&state_)) {
    out.result = ended->result;
    out.text = ended->text;
  }
  if (out.text.empty()) out.text = facts_.note;
  if (facts_.talked) out.explain = facts_.talked->explain;
  out.explain.found_ms = since(facts_, facts_.found);
  out.explain.linked_ms = since(facts_, facts_.linked);
  if (!facts_.talked) return out;
  const auto& talked = *facts_.talked;
  out.seconds = millis(talked.length) / 1000;
  out.path = talked.path;
  out.via = talked.via;
  out.path_changes = talked.path_changes;
  out.protected_once = talked.protected_once;
  const auto& stats = talked.stats;
  out.first_voice_ms = since(facts_, stats.first_voice);
  out.codec = stats.codec;
  out.packets_sent = stats.packets_sent;
  out.packets_received = stats.packets_received;
  out.loss_pct = stats.loss_pct;
  out.jitter_ms = stats.jitter_ms;
  out.rtt_ms = stats.rtt_ms;
  out.mos = stats.mos;
  out.max_gap_ms = stats.max_gap_ms;
  out.play_start = stats.play_start;
  out.record_start = stats.record_start;
  return out;
}

}  // namespace linnet::node
