#include "node/call_talking.h"

#include <algorithm>
#include <utility>

#include "media/rtp.h"
#include "node/call.h"
#include "node/path_reason.h"

namespace linnet::node {

Next Talking::begin(Rooms& rooms, Time now, Facts& facts, Line line, Voice voice) {
  facts.answered = now;
  meet_peer(rooms, facts, line.account);
  const bool proven = facts.peer.is_key_name() && facts.direction == Direction::outgoing;
  facts.verified = proven || rooms.contacts.judge(facts.peer, line.account) == Standing::contact;
  share_endpoints(rooms, now, line.link);
  const auto path = rooms.peer.path(line.link);
  Talking out{std::move(line),
              std::move(voice),
              PathWatch(facts.began, path),
              {},
              now,
              kNever,
              std::nullopt,
              kNever,
              0,
              {},
              {},
              {}};
  if (facts.explain) out.ask_at = now + kAskSoon;
  if (facts.limit) out.until = now + *facts.limit;
  out.note_path(rooms);
  if (!facts.conference) rooms.out.push(event::AudioStart{facts.id});
  return {std::move(out)};
}

CallExplain Talking::explain(const Rooms& rooms, const Facts& facts) const {
  CallExplain out;
  const auto word = [](NatType type) {
    return type == NatType::unknown ? std::string() : std::string(to_string(type));
  };
  const auto* link = rooms.links.find(line.link);
  const auto theirs = link != nullptr && link->network ? link->network->type : NatType::unknown;
  out.our_nat = word(rooms.nat.type());
  out.their_nat = word(theirs);
  out.reason = reason(rooms);
  for (const auto& change : path.changes(0)) {
    if (!out.direct_ms && change.to != to_string(PathWord::relayed)) out.direct_ms = millis(change.at);
  }
  // Without a change it stood so when the call was answered.
  const bool always = path.changes(0).empty() && (path.word() == PathWord::lan || path.word() == PathWord::direct);
  if (always) out.direct_ms = millis(*facts.answered - facts.began);
  for (const auto& tried : tried_from_here(rooms, line.link))
    out.candidates.push_back({tried.endpoint.to_string(), tried.answered ? "answered" : "no answer"});
  if (link != nullptr && link->tried) {
    out.theirs.emplace();
    for (const auto& tried : *link->tried)
      out.theirs->push_back({tried.endpoint.to_string(), tried.answered ? "answered" : "no answer"});
  }
  const auto report = rooms.peer.report(line.link);
  if (!report) return out;
  for (const auto& circuit : report->circuits) out.circuits.push_back({circuit.at.to_string(), result_of(circuit)});
  return out;
}

void Talking::ask_theirs(Rooms& rooms, Time now) {
  ask_at = now + (++asks < kAsksSoon ? kAskAgain : kAskLater);
  (void)rooms.peer.send(now, line.link, overlay::Channel::people, path_message::write(path_message::Ask{}));
}

std::string Talking::reason(const Rooms& rooms) const { return why_by(rooms, line.link, path); }

std::string Talking::via(const Rooms& rooms) const {
  const auto& turn = rooms.traversal.turn();
  return turn && path.by_our_turn() ? turn->server.to_string() : path.via();
}

Next Talking::end(Rooms& rooms, Time now, Facts& facts, CallResult result, std::string text) {
  voice.close(now);
  send(rooms, now);
  forget_room(rooms, now, line.link, line.call);
  Talked talked;
  talked.stats = voice.stats(now);
  talked.length = now - *facts.answered;
  talked.path = path.word();
  talked.via = via(rooms);
  talked.path_changes = path.changes(talked.stats.concealed_ms);
  talked.protected_once = guard.protected_once();
  talked.explain = explain(rooms, facts);
  facts.talked = std::move(talked);
  if (!facts.conference) rooms.out.push(event::AudioStop{facts.id});
  return {Ended{result, std::move(text)}};
}

Next Talking::on(Rooms& rooms, Time now, Facts& facts, input::Hangup) {
  (void)rooms.sip.bye(now, line.call);
  return end(rooms, now, facts, CallResult::ended, {});
}

Next Talking::on(Rooms& rooms, Time now, Facts&, input::Hold hold) {
  if (voice.on_hold() == hold.on || voice.offering()) return {};
  if (!rooms.sip.reinvite(now, line.call, voice.offer_hold(hold.on))) voice.on_refusal();
  return {};
}

Next Talking::on(Rooms& rooms, Time now, Facts& facts, input::Tick) {
  if (now >= until) return on(rooms, now, facts, input::Hangup{});
  if (lost && now >= *lost + kWithoutLink) {
    rooms.sip.peer_lost(now, line.peer);
    return end(rooms, now, facts, CallResult::failed, "The link to " + facts.peer.text() + " was lost.");
  }
  if (now >= heard + kWithoutVoice) {
    (void)rooms.sip.bye(now, line.call);
    return end(rooms, now, facts, CallResult::failed, "Nothing more was heard from " + facts.peer.text() + ".");
  }
  if (now >= voice.next_timeout()) voice.handle_timeout(now);
  if (const auto why = voice.stats(now).broken; !why.empty()) {
    (void)rooms.sip.bye(now, line.call);
    return end(rooms, now, facts, CallResult::failed,
               "The path to " + facts.peer.text() + " does not carry the call (" + why + ").");
  }
  watch_voice(rooms, now);
  if (now >= ask_at) ask_theirs(rooms, now);
  if (now >= path.next_timeout()) path.handle_timeout(now, voice.stats(now).concealed_ms);
  return {};
}

Next Talking::on(Rooms& rooms, Time, Facts& facts, const input::NameChecked& checked) {
  apply(facts, line.account, checked);
  if (facts.name_check == NameCheck::alone) meet_peer(rooms, facts, line.account);
  return {};
}

Time Talking::next_timeout() const {
  const auto give_up = lost ? *lost + kWithoutLink : kNever;
  return std::min(
      {until, give_up, heard + kWithoutVoice, voice.next_timeout(), path.next_timeout(), guard.next_timeout(), ask_at});
}

// The least that this path was seen to take.
void Talking::note_round_trip(Rooms& rooms) {
  const auto used = rooms.peer.path(line.link);
  const auto measured = rooms.peer.rtt(line.link);
  if (!used || !measured) return;
  // What a supernode is in between of is no shorter than the way without it.
  const bool longer =
      round_trip_of && round_trip_of->kind == overlay::PathKind::direct && used->kind != overlay::PathKind::direct;
  if (!round_trip_of || longer || *measured < least_round_trip) {
    least_round_trip = *measured;
    voice.set_least_round_trip(least_round_trip);
  }
  round_trip_of = used;
}

void Talking::note_path(Rooms& rooms) {
  voice.set_direct(path.word() == PathWord::lan || path.word() == PathWord::direct);
  if (const auto used = rooms.peer.path(line.link)) guard.uses(*used);
}

// What the path was found to carry is a limit for two copies too.
void Talking::watch_voice(Rooms& rooms, Time now) {
  const auto coming = voice.coming();
  const auto ceiling = voice.expects() ? coming.ceiling : std::nullopt;  // on hold little goes out
  const double lateness_ms = voice.expects() ? coming.lateness_ms : 0;
  const auto room = note_room(rooms, now, line.link, line.call, ceiling, lateness_ms);
  guard.expect(now, voice.expects(), std::chrono::milliseconds(coming.frame_ms), coming.jitter_ms,
               room == overlay::Room::scant);
  guard.handle_timeout(now);
  note_round_trip(rooms);
  if (const auto ask = guard.poll()) rooms.peer.ask_both(now, line.link, ask->lease, ask->urgent);
}

void Talking::take_link(Rooms& rooms, Time now, overlay::SessionId link) {
  forget_room(rooms, now, line.link, line.call);
  line.link = link;
  lost.reset();
  share_endpoints(rooms, now, link);
  if (const auto to = rooms.peer.path(link)) path.moved(now, *to, voice.stats(now).concealed_ms);
  note_path(rooms);
}

Next Talking::on(Rooms& rooms, Time now, Facts&, const overlay::LinkUp& up) {
  if (lost && peer_id(up.remote.device) == line.peer) take_link(rooms, now, up.link);
  return {};
}

Next Talking::on(Rooms& rooms, Time now, Facts& facts, const overlay::LinkDown& down) {
  if (down.link != line.link) return {};
  if (const auto* other = rooms.links.to(line.peer)) {
    take_link(rooms, now, other->id);
    return {};
  }
  if (down.reason == overlay::DownReason::peer_closed || down.reason == overlay::DownReason::closed) {
    rooms.sip.peer_lost(now, line.peer);
    return end(rooms, now, facts, CallResult::failed, "The link to " + facts.peer.text() + " was closed.");
  }
  lost = now;
  // The caller knows where the device is to be found; the callee waits for it.
  if (line.device && line.address) (void)rooms.peer.connect(now, *line.address, *line.device, true);
  return {};
}

Next Talking::on(Rooms& rooms, Time now, Facts&, const overlay::LinkPath& moved) {
  if (moved.link == line.link && ask_at != kNever) ask_at = std::min(ask_at, now + kAskSoon);
  if (moved.link == line.link) path.moved(now, moved.to, voice.stats(now).concealed_ms);
  note_path(rooms);
  return {};
}

Next Talking::on(Rooms& rooms, Time now, Facts& facts, const sip::Ended& ended) {
  if (ended.call != line.call) return {};
  // Our answer crossed that of another device of ours.
  if (ended.reason == sip::Core::kElsewhere)
    return end(rooms, now, facts, CallResult::cancelled, "Answered elsewhere.");
  return end(rooms, now, facts, CallResult::ended, {});
}

Next Talking::on(Rooms& rooms, Time now, Facts& facts, const sip::Failed& failed) {
  if (failed.call != line.call) return {};
  return end(rooms, now, facts, CallResult::failed,
             "The call with " + facts.peer.text() + " failed: " + failed.why + ".");
}

Next Talking::on(Rooms& rooms, Time now, Facts&, const sip::ReinviteOffer& offer) {
  if (offer.call != line.call) return {};
  if (offer.sdp.empty()) {  // the peer wants to hear ours
    (void)rooms.sip.answer_reinvite(now, line.call, voice.restate());
    return {};
  }
  const auto answer = voice.on_offer(rooms.config, rooms.rng, offer.sdp);
  if (answer) {
    (void)rooms.sip.answer_reinvite(now, line.call, *answer);
  } else {
    (void)rooms.sip.reject_reinvite(now, line.call, 488);
  }
  return {};
}

Next Talking::on(Rooms& rooms, Time now, Facts& facts, const sip::ReinviteAnswered& answered) {
  if (answered.call != line.call || voice.on_answer(answered.sdp)) return {};
  // The two ends no longer agree on what is sent: going on would be silence at best.
  (void)rooms.sip.bye(now, line.call, "Not acceptable");
  return end(rooms, now, facts, CallResult::failed, "The answer of " + facts.peer.text() + " was not usable.");
}

Next Talking::on(Rooms&, Time, Facts&, const sip::ReinviteRejected& rejected) {
  if (rejected.call == line.call) voice.on_refusal();
  return {};
}

bool Talking::hear(Rooms& rooms, Time now, const overlay::Path& by, MutableBytes packet) {
  if (!voice.claims(packet) || packet.size() < media::kRtpHeader) return false;
  const auto sequence = static_cast<std::uint16_t>(packet[2] << 8 | packet[3]);
  const auto what = voice.receive(now, packet);
  if (what == Voice::Heard::foreign) return false;
  if (what != Voice::Heard::again) {
    heard = now;
    path.voice_came(voice.coming().concealed_ms);
    rooms.traversal.heard(now, line.link, by);
  }
  if (what == Voice::Heard::voice || what == Voice::Heard::again) {
    guard.heard(now, by, sequence, what == Voice::Heard::voice);
    watch_voice(rooms, now);
  }
  return true;
}

void Talking::send(Rooms& rooms, Time now) {
  while (voice.poll_packet(leaving)) rooms.peer.send_voice(now, line.link, leaving);
}

}  // namespace linnet::node
