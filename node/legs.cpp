#include "node/legs.h"

#include <algorithm>
#include <array>
#include <utility>

#include "crypto/text.h"
#include "node/not_answering.h"
#include "node/sdp_glue.h"

namespace linnet::node {
namespace {

constexpr std::size_t kMaxReason = 80;

// The peer's own words reach a person's terminal: short, and nothing in them that steers it.
bool fit_to_show(std::string words) {
  if (words.empty() || words.size() > kMaxReason) return false;
  std::erase(words, ' ');
  return crypto::is_visible_utf8(words);
}

// The nearest to a person's decision speaks for the call.
int weight(CallResult result) {
  static constexpr std::array order{CallResult::failed,    CallResult::unreachable, CallResult::identity,
                                    CallResult::no_answer, CallResult::busy,        CallResult::declined};
  const auto at = std::find(order.begin(), order.end(), result);
  return at == order.end() ? -1 : static_cast<int>(at - order.begin());
}

}  // namespace

std::string_view explain(overlay::DownReason reason) {
  switch (reason) {
    case overlay::DownReason::closed: return "the link was closed";
    case overlay::DownReason::peer_closed: return "the other end closed the link";
    case overlay::DownReason::forgotten: return "it was started anew";
    case overlay::DownReason::timed_out: return "no answer from it";
    case overlay::DownReason::refused: return "it refused the link";
    case overlay::DownReason::expired: return "its keys have expired";
    case overlay::DownReason::full: return "no room for another link";
  }
  return "the link is gone";
}

Ended meaning_of(const crypto::Address& peer, int code, const std::string& reason) {
  const auto& who = peer.text();
  switch (code) {
    case 486:
    case 600: return {CallResult::busy, who + " is busy."};
    case 603: return {CallResult::declined, who + " declined the call."};
    case 408:
    case 480:
    case 487: return {CallResult::no_answer, who + " did not answer."};
    case 404:
    case 410:
    case 604: return {CallResult::not_found, "Nobody answers to " + who + " there."};
    case 403: return {CallResult::identity, who + " refused the call: it knows your name by another key."};
    case 470: return {CallResult::declined, who + " takes the calls of contacts only. A request was left there."};
    case 488:
    case 606: return {CallResult::failed, "No codec or key suite in common with " + who + "."};
    default: break;
  }
  return {CallResult::failed,
          who + " refused the call: " + std::to_string(code) + (fit_to_show(reason) ? " " + reason : "") + "."};
}

Legs::Legs(Rooms& rooms, Time now, const Facts& facts, crypto::Address address, Person person)
    : peer_(facts.peer), address_(std::move(address)), group_(to_hex(rooms.rng.array<16>())) {
  for (auto& device : person.devices) {
    const auto link = rooms.peer.connect(now, address_, device, facts.cold);
    const bool fresh = facts.cold || rooms.links.to(peer_id(device.record.device())) == nullptr;
    Leg leg{std::move(device), fresh, Ended{}};
    if (link) {
      leg.state = LegConnecting{*link};
    } else {
      leg.state = unreachable({std::string(to_string(link.error()))});
    }
    legs_.push_back(std::move(leg));
  }
}

void Legs::on(Rooms& rooms, Time now, const Facts& facts, const overlay::LinkUp& up) {
  for (auto& leg : legs_) {
    const auto* connecting = std::get_if<LegConnecting>(&leg.state);
    if (connecting == nullptr || connecting->link != up.link) continue;
    if (up.remote.account != leg.device.record.account() || up.remote.device != leg.device.record.device()) {
      leg.state = Ended{CallResult::identity,
                        "IDENTITY CHANGED: another key than that of " + facts.peer.text() + " answered. Call refused."};
      continue;
    }
    invite(rooms, now, facts, leg, up.link);
  }
}

void Legs::invite(Rooms& rooms, Time now, const Facts& facts, Leg& leg, overlay::SessionId link) {
  auto offer = describe(rooms.config, rooms.rng, facts.conference ? Levels::wanted : Levels::answered);
  sip::InviteParams params;
  if (facts.conference) {
    params.conference = to_token(*facts.conference);
    params.focus = facts.conference->ours;
    if (!facts.conference->name.empty()) params.headers.push_back({"Subject", facts.conference->name});
    if (!facts.conference->ours) offer.ssrc = facts.conference->source.value_or(*offer.ssrc);
  }
  params.to = peer_id(leg.device.record.device());
  params.target = uri_of(address_);
  params.from = uri_of(rooms.identity.address);
  params.call_group = group_;
  params.sdp_offer = sip::to_sdp(offer);
  const auto call = rooms.sip.invite(now, std::move(params));
  if (call) {
    leg.state = LegInvited{link, *call, offer, false};
  } else {
    leg.state = Ended{CallResult::failed, "The call to " + facts.peer.text() +
                                              " could not be made: " + std::string(to_string(call.error())) + "."};
  }
}

// Its sentence is made when all of them are over: verdict().
Ended Legs::unreachable(std::vector<std::string> tried) {
  for (auto& way : tried)
    if (std::find(tried_.begin(), tried_.end(), way) == tried_.end()) tried_.push_back(std::move(way));
  return {CallResult::unreachable, {}};
}

void Legs::on(Rooms& rooms, Time now, const overlay::LinkDown& down) {
  const auto why = [&](const Leg& leg) {
    if (down.reason == overlay::DownReason::timed_out) return ways_tried(rooms, leg.device, down);
    return std::vector{std::string(explain(down.reason))};
  };
  for (auto& leg : legs_) {
    if (const auto* connecting = std::get_if<LegConnecting>(&leg.state);
        connecting != nullptr && connecting->link == down.link) {
      leg.state = unreachable(why(leg));
    } else if (auto* invited = std::get_if<LegInvited>(&leg.state); invited != nullptr && invited->link == down.link) {
      // Another link to the same device carries the signalling on.
      if (const auto* other = rooms.links.to(peer_id(leg.device.record.device()))) {
        invited->link = other->id;
        continue;
      }
      const bool again = !leg.fresh && !invited->rang;
      (void)rooms.sip.cancel(now, invited->call);
      leg.state = unreachable(why(leg));
      if (again) try_afresh(rooms, now, leg);
    }
  }
}

// The device may have started again since the link was made.
void Legs::try_afresh(Rooms& rooms, Time now, Leg& leg) {
  leg.fresh = true;
  if (const auto link = rooms.peer.connect(now, address_, leg.device, true)) leg.state = LegConnecting{*link};
}

Leg* Legs::leg_of(sip::CallId call) {
  for (auto& leg : legs_) {
    const auto* invited = std::get_if<LegInvited>(&leg.state);
    if (invited != nullptr && invited->call == call) return &leg;
  }
  return nullptr;
}

LegInvited* Legs::invited(sip::CallId call) {
  auto* leg = leg_of(call);
  return leg == nullptr ? nullptr : std::get_if<LegInvited>(&leg->state);
}

void Legs::end(sip::CallId call, Ended verdict) {
  if (auto* leg = leg_of(call)) leg->state = std::move(verdict);
}

void Legs::on(const sip::Ringing& ringing) {
  if (auto* leg = invited(ringing.call)) leg->rang = true;
}

void Legs::on(const Facts& facts, const sip::Rejected& rejected) {
  auto verdict = meaning_of(facts.peer, rejected.code, rejected.reason);
  // Of a room: nothing is wrong with anybody's key.
  if (facts.room && rejected.code == 403)
    verdict = {CallResult::declined, "Nobody is let in to " + facts.room->address.text() +
                                         " now who is not called in. Ask somebody who is in it: linnet conf invite"};
  end(rejected.call, std::move(verdict));
}

void Legs::on(const sip::Failed& failed) {
  end(failed.call, {CallResult::failed, "The call failed: " + failed.why + "."});
}

void Legs::on(const sip::Ended& ended) {
  end(ended.call, {CallResult::failed, "The other end hung up before the call stood."});
}

void Legs::on(const sip::Cancelled& cancelled) { end(cancelled.call, {CallResult::cancelled, {}}); }

std::optional<Winner> Legs::on(const sip::Answered& answered) {
  for (auto leg = legs_.begin(); leg != legs_.end(); ++leg) {
    auto* invited = std::get_if<LegInvited>(&leg->state);
    if (invited == nullptr || invited->call != answered.call) continue;
    Winner out;
    out.line.peer = peer_id(leg->device.record.device());
    out.line.link = invited->link;
    out.line.call = invited->call;
    out.line.account = leg->device.record.account();
    out.line.address = address_;
    out.offer = std::move(invited->offer);
    out.answer = answered.sdp;
    out.line.device = std::move(leg->device);
    legs_.erase(leg);
    return out;
  }
  return std::nullopt;
}

void Legs::cancel(Rooms& rooms, Time now, std::string_view reason) {
  for (auto& leg : legs_) {
    const auto* invited = std::get_if<LegInvited>(&leg.state);
    if (invited != nullptr) (void)rooms.sip.cancel(now, invited->call, reason);
    leg.state = Ended{CallResult::cancelled, {}};
  }
}

bool Legs::owns(sip::CallId call) const { return const_cast<Legs*>(this)->leg_of(call) != nullptr; }

bool Legs::uses(const sip::PeerId& peer) const {
  return std::any_of(legs_.begin(), legs_.end(), [&](const Leg& leg) {
    return !std::holds_alternative<Ended>(leg.state) && peer_id(leg.device.record.device()) == peer;
  });
}

bool Legs::invited() const {
  return std::any_of(legs_.begin(), legs_.end(),
                     [](const Leg& leg) { return std::holds_alternative<LegInvited>(leg.state); });
}

bool Legs::rang() const {
  return std::any_of(legs_.begin(), legs_.end(), [](const Leg& leg) {
    const auto* invited = std::get_if<LegInvited>(&leg.state);
    return invited != nullptr && invited->rang;
  });
}

const Ended* Legs::declined() const {
  for (const auto& leg : legs_) {
    const auto* over = std::get_if<Ended>(&leg.state);
    if (over != nullptr && over->result == CallResult::declined) return over;
  }
  return nullptr;
}

std::optional<Ended> Legs::verdict(const Rooms& rooms) const {
  const Ended* best = nullptr;
  for (const auto& leg : legs_) {
    const auto* over = std::get_if<Ended>(&leg.state);
    if (over == nullptr) return std::nullopt;
    if (best == nullptr || weight(over->result) > weight(best->result)) best = over;
  }
  if (best == nullptr) return Ended{CallResult::failed, {}};
  if (best->result == CallResult::unreachable) return Ended{best->result, not_answering(rooms, peer_, tried_)};
  return *best;
}

}  // namespace linnet::node
