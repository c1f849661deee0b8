// The circuits of a link, at the other's homes. Direct paths are found by who owns the peer (node/traversal.h).
#include <algorithm>

#include "overlay/links.h"

namespace linnet::overlay {
namespace {

constexpr Duration kCircuitAnswer = std::chrono::seconds(3);
constexpr Duration kStillThere = std::chrono::seconds(2);
constexpr Duration kQuiet = std::chrono::milliseconds(500);
constexpr Duration kAskHeld = std::chrono::seconds(5);
constexpr std::size_t kMaxHeldMessages = 64;
constexpr std::size_t kMaxProven = 16;
constexpr Duration kUnderWay = std::chrono::seconds(2);

bool pending(const CircuitLeg& leg) {
  return leg.stage == CircuitLeg::Stage::asked || leg.stage == CircuitLeg::Stage::ready;
}

bool busy(const CircuitLeg& leg) { return pending(leg) || leg.stage == CircuitLeg::Stage::reaching; }

// An answer is due from the supernode.
bool awaited(const CircuitLeg& leg) {
  return leg.stage == CircuitLeg::Stage::asked || leg.stage == CircuitLeg::Stage::reaching;
}

}  // namespace

std::optional<Path> Links::open_forward(const Context& c, const LinkRooms& rooms, const crypto::SessionKey& leaf,
                                        const CircuitLeg& leg) const {
  if (!leg.via) {
    const auto path = rooms.forwards.open(c.suite, c.rng, rooms.attachments.way_to(leg.home), leg.home.tag, leaf);
    return path ? std::optional(*path) : std::nullopt;
  }
  const auto* own = rooms.attachments.by_key(*leg.via);
  const auto session = own != nullptr ? own->session() : std::nullopt;
  if (!session) return std::nullopt;
  const auto path = rooms.forwards.open(c.suite, c.rng, own->way, leg.home.tag, leaf);
  const auto token = path ? rooms.forwards.token_of(*path) : std::nullopt;
  const control::ForwardOpen open{leg.home.session, leg.home.tag, token.value_or(0)};
  if (!token || !c.sessions.send(c.now, *session, Channel::control, control::write(open))) return std::nullopt;
  return *path;
}

bool Links::goes_by(const LinkRooms& rooms, const CircuitLeg& leg, const Endpoint& endpoint) {
  if (!leg.via) return leads_to(endpoint, leg.home.endpoint);
  const auto* own = rooms.attachments.by_key(*leg.via);
  return own != nullptr && (own->way == endpoint || leads_to(endpoint, own->home()));
}

void Links::try_forward(const Context& c, const LinkRooms& rooms, const Link& link, const CircuitLeg& leg) const {
  if (const auto path = open_forward(c, rooms, link.remote.session, leg))
    c.sessions.try_path(c.now, link.session, *path);
}

// We are elsewhere now, or go by other ways: the supernodes that we have again can be asked at once what they could not
// be before.
void Links::begin_anew(const Context& c, const LinkRooms& rooms, Link& link) const {
  for (auto& leg : link.legs) {
    if (!rooms.attachments.session_with(leg.asked())) continue;
    if (leg.stage == CircuitLeg::Stage::failed) leg.stage = CircuitLeg::Stage::wanted;
    if (leg.stage == CircuitLeg::Stage::wanted) try_forward(c, rooms, link, leg);
  }
}

// Keeps kLegs circuits asked for or standing, whoever opened them, at homes that have not failed: the first, then one
// of another prefix where there is a choice. Who was called opens one, at a home of the caller, when a call stands and
// the caller's do not come to two (look_at_legs); never before the person answered, since that home may be the caller's
// own and learns our address.
void Links::advance(const Context& c, const LinkRooms& rooms, Link& link) {
  if (!link.up || (!link.initiator && !(link.kept && link.shown))) return;
  if (!link.initiator && link.legs_at != c.now + pause_between_looks(link))
    return;  // only when looked at: the caller's come first
  // Who is not heard at all cannot be offered one: supernodes that ask him in vain would take him for gone, one after
  // another.
  const auto heard = c.sessions.last_heard(link.session);
  if (!heard || c.now - *heard >= kStillThere) return;
  for (auto& leg : link.legs) {
    if (leg.stage != CircuitLeg::Stage::reaching) continue;
    if (const auto session = rooms.attachments.session_with(leg.asked())) open_leg(c, link, leg, *session);
  }
  const auto own = [&](const Path& p) {
    return std::any_of(link.legs.begin(), link.legs.end(), [&](const CircuitLeg& l) { return l.path == p; });
  };
  auto active = static_cast<std::size_t>(std::count_if(link.legs.begin(), link.legs.end(), busy));
  for (const auto& path : link.proven) active += path.kind == PathKind::circuit && !own(path) ? 1 : 0;
  for (; active < kLegs; ++active) {
    auto* leg = next_leg(link);
    if (!leg) return;
    begin_leg(c, rooms, link, *leg);
  }
}

void Links::begin_leg(const Context& c, const LinkRooms& rooms, Link& link, CircuitLeg& leg) {
  leg.stage = CircuitLeg::Stage::reaching;
  leg.at = c.now;
  const auto session = rooms.attachments.session_with(leg.asked());
  if (!session && !leg.via) rooms.attachments.reach(c, leg.home.endpoint, leg.home.session);
  if (!leg.held) rooms.attachments.hold(leg.asked());
  leg.held = true;
  if (session) open_leg(c, link, leg, *session);
}

CircuitLeg* Links::next_leg(Link& link) const {
  // One supernode that goes shall not take both along.
  const auto there = [&](const CircuitLeg& wanted) {
    return std::any_of(link.proven.begin(), link.proven.end(), [&](const Path& p) {
      return p.kind == PathKind::circuit && same_place(p.endpoint, wanted.home.endpoint);
    });
  };
  const auto near = [&](const CircuitLeg& wanted) {
    const auto& ip = wanted.home.endpoint.ip;
    return ip.is_global() && std::any_of(link.legs.begin(), link.legs.end(), [&](const CircuitLeg& l) {
             return busy(l) && l.home.endpoint.ip.prefix() == ip.prefix();
           });
  };
  CircuitLeg* any = nullptr;
  for (auto& leg : link.legs) {
    if (leg.stage != CircuitLeg::Stage::wanted || there(leg)) continue;
    if (!near(leg)) return &leg;
    if (any == nullptr) any = &leg;
  }
  return any;
}

std::vector<CircuitTry> Links::tries(const LinkRooms& rooms, const Link& link) {
  using Result = CircuitTry::Result;
  const auto result = [&](const CircuitLeg& leg) {
    if (leg.stage == CircuitLeg::Stage::ready) return Result::stands;
    if (leg.end) {
      switch (*leg.end) {
        case control::CircuitEnd::nobody: return Result::nobody;
        case control::CircuitEnd::full: return Result::full;
        case control::CircuitEnd::month: return Result::month;
        case control::CircuitEnd::over: return Result::over;
      }
    }
    // Of one that nobody wanted a session with, nothing is known.
    const bool asked = leg.held || leg.stage != CircuitLeg::Stage::wanted;
    if (!asked) return Result::idle;
    if (!rooms.attachments.session_with(leg.asked())) return Result::unreachable;
    return leg.stage == CircuitLeg::Stage::wanted ? Result::idle : Result::silent;
  };
  std::vector<CircuitTry> out;
  for (const auto& leg : link.legs) {
    const auto* own = leg.via ? rooms.attachments.by_key(*leg.via) : nullptr;
    out.push_back({leg.home.endpoint, own ? std::optional(own->endpoint) : std::nullopt, result(leg)});
  }
  return out;
}

// Both ends learn the nonce inside their own session, so a supernode cannot put another circuit in its place.
void Links::open_leg(const Context& c, Link& link, CircuitLeg& leg, SessionId supernode) {
  leg.nonce = c.rng.array<16>();
  leg.end.reset();
  const auto offer = control::write(control::CircuitOffer{leg.nonce, leg.home.session});
  const auto at = leg.via ? std::optional(leg.home.session) : std::nullopt;
  const auto open = control::write(control::CircuitOpen{leg.nonce, leg.home.tag, at});
  const bool said = c.sessions.send(c.now, link.session, Channel::control, offer).has_value() &&
                    c.sessions.send(c.now, supernode, Channel::control, open).has_value();
  leg.stage = said ? CircuitLeg::Stage::asked : CircuitLeg::Stage::failed;
  leg.at = c.now;
}

void Links::supernodes_changed(const Context& c, const LinkRooms& rooms) {
  for (auto& [session, link] : links_) {
    for (auto& leg : link.legs) {
      // A supernode that is gone takes its circuits along.
      if (pending(leg) && !rooms.attachments.session_with(leg.asked())) fail_leg(c, rooms, link, leg);
    }
    const auto heard = c.sessions.last_heard(session);
    if (link.initiator && link.up && heard && c.now - *heard >= kQuiet) begin_anew(c, rooms, link);
    advance(c, rooms, link);
  }
}

void Links::fail_leg(const Context& c, const LinkRooms& rooms, Link& link, CircuitLeg& leg) {
  leg.stage = CircuitLeg::Stage::failed;
  leg.at = c.now;
  if (leg.path) {
    c.sessions.drop_path(c.now, link.session, *leg.path);
    std::erase(link.proven, *leg.path);
    events_.push_back(LinkCircuit{link.session, *leg.path, false});
  }
  leg.path.reset();
  advance(c, rooms, link);
}

// The other end is told at another moment than we are.
void Links::note_ended(Time now, Link& link, const std::optional<Path>& path) {
  link.ended = path;
  link.ended_until = now + kUnderWay;
}

void Links::on_circuit_ready(const Context& c, const Supernode& from, const control::CircuitReady& ready) {
  for (auto& [session, link] : links_) {
    for (auto& leg : link.legs) {
      if (leg.stage != CircuitLeg::Stage::asked || leg.nonce != ready.nonce || leg.asked() != from.key) continue;
      leg.stage = CircuitLeg::Stage::ready;
      leg.at = c.now;
      leg.path = Path{PathKind::circuit, from.way, ready.circuit, false};
      c.sessions.try_path(c.now, session, *leg.path);
      events_.push_back(LinkCircuit{session, *leg.path, true});
      return;
    }
  }
}

void Links::on_circuit_closed(const Context& c, const LinkRooms& rooms, const Supernode& from,
                              const control::CircuitClosed& closed) {
  for (auto& [session, link] : links_) {
    for (auto& leg : link.legs) {
      if (pending(leg) && leg.nonce == closed.nonce && leg.asked() == from.key) {
        leg.end = closed.why;
        note_ended(c.now, link, leg.path);
        fail_leg(c, rooms, link, leg);
        return;
      }
    }
    const auto it = std::find_if(link.answered.begin(), link.answered.end(), [&](const auto& a) {
      return a.first == closed.nonce && (a.second.endpoint == from.way || leads_to(a.second.endpoint, from.home()));
    });
    if (it == link.answered.end()) continue;
    note_ended(c.now, link, it->second);
    c.sessions.drop_path(c.now, session, it->second);
    std::erase(link.proven, it->second);
    events_.push_back(LinkCircuit{session, it->second, false});
    link.answered.erase(it);
    return;
  }
}

void Links::on_offer(const Context& c, const LinkRooms& rooms, Link& link, const control::CircuitOffer& offer) {
  const auto it = std::find_if(held_.begin(), held_.end(), [&](const HeldAsk& h) {
    return h.ask.nonce == offer.nonce && h.supernode == offer.supernode;
  });
  if (it == held_.end()) {
    if (link.offers.size() >= kMaxOffers) link.offers.erase(link.offers.begin());
    link.offers.push_back(offer);
    return;
  }
  const auto ask = it->ask;
  held_.erase(it);
  if (const auto* from = rooms.attachments.by_key(offer.supernode)) accept(c, link, *from, ask);
}

void Links::on_circuit_ask(const Context& c, const LinkRooms&, const Supernode& from, const control::CircuitAsk& ask) {
  for (auto& [session, link] : links_) {
    const auto it = std::find_if(link.offers.begin(), link.offers.end(), [&](const control::CircuitOffer& o) {
      return o.nonce == ask.nonce && o.supernode == from.key;
    });
    if (it == link.offers.end()) continue;
    link.offers.erase(it);
    accept(c, link, from, ask);
    return;
  }
  while (!held_.empty() && (c.now - held_.front().at > kAskHeld || held_.size() >= kMaxHeldMessages))
    held_.erase(held_.begin());
  held_.push_back({ask, *from.key, c.now});
}

void Links::accept(const Context& c, Link& link, const Supernode& from, const control::CircuitAsk& ask) {
  const auto session = from.session();
  if (!session) return;
  (void)c.sessions.send(c.now, *session, Channel::control,
                        control::write(control::CircuitAccept{ask.nonce, ask.circuit}));
  const Path path{PathKind::circuit, from.way, ask.circuit, false};
  if (link.answered.size() >= kMaxOffers) link.answered.erase(link.answered.begin());
  link.answered.emplace_back(ask.nonce, path);
  c.sessions.try_path(c.now, link.session, path);
  events_.push_back(LinkCircuit{link.session, path, true});
}

void Links::show_on(const Context& c, const LinkRooms& rooms, SessionId session, const Path& circuit) {
  const auto* link = find(session);
  if (link == nullptr || !link->shown || !has_circuit(session, circuit)) return;
  for (const auto& supernode : rooms.attachments.all()) {
    const auto to = supernode.session();
    if (!to || supernode.way != circuit.endpoint) continue;
    (void)c.sessions.send(c.now, *to, Channel::control, control::write(control::CircuitShow{circuit.id}));
    return;
  }
}

void Links::on_circuit_seen(const Supernode& from, const control::CircuitSeen& seen) {
  const Path circuit{PathKind::circuit, from.way, seen.circuit, false};
  if (const auto link = with_circuit(circuit)) events_.push_back(LinkSeen{*link, circuit, seen.at});
}

void Links::show(const Context& c, SessionId session) {
  auto* link = find(session);
  if (!link || !link->up || link->shown) return;
  link->shown = true;
  c.sessions.hide(session, false);
}

void Links::on_path(const LinkRooms& rooms, const PathProven& proven) {
  auto* link = find(proven.session);
  if (!link) return;
  if (proven.path.kind == PathKind::forward) {
    // It answers there: a circuit need not wait until the home is tried again.
    for (auto& leg : link->legs) {
      if (leg.stage == CircuitLeg::Stage::failed && goes_by(rooms, leg, proven.path.endpoint))
        leg.stage = CircuitLeg::Stage::wanted;
    }
  }
  if (std::find(link->proven.begin(), link->proven.end(), proven.path) != link->proven.end()) return;
  if (link->proven.size() >= kMaxProven) link->proven.erase(link->proven.begin());
  link->proven.push_back(proven.path);
  hints_.clear();
}

void Links::on_path(const Context& c, const LinkRooms& rooms, const PathChanged& changed) {
  auto* link = find(changed.session);
  if (!link) return;
  on_path(rooms, PathProven{changed.session, changed.to, {}});
  events_.push_back(LinkPath{changed.session, changed.from, changed.to});
  advance(c, rooms, *link);
}

void Links::on_path(const Context& c, const LinkRooms& rooms, const PathLost& lost) {
  auto* link = find(lost.session);
  if (!link) return;
  std::erase(link->proven, lost.path);
  for (auto& leg : link->legs) {
    if (leg.path == lost.path) {
      fail_leg(c, rooms, *link, leg);
      break;
    }
  }
  if (std::erase_if(link->answered, [&](const auto& a) { return a.second == lost.path; }) > 0)
    c.sessions.drop_path(c.now, link->session, lost.path);  // an answer that is late would prove what nobody knows
  if (!link->initiator) return;
  // FORWARD through another home, so that the two ends can agree on a new circuit.
  for (const auto& leg : link->legs) {
    if (!goes_by(rooms, leg, lost.path.endpoint)) try_forward(c, rooms, *link, leg);
  }
}

void Links::tick(const Context& c, const LinkRooms& rooms, Link& link) {
  if (link.health_at <= c.now) look_at_voice(c, link);
  if (link.legs_at <= c.now) look_at_legs(c, rooms, link);
  for (auto& leg : link.legs) {
    if (awaited(leg) && c.now - leg.at >= kCircuitAnswer) fail_leg(c, rooms, link, leg);
  }
  // Every home failed once: start over with all of them, slowly.
  const bool all_failed =
      !link.legs.empty() && std::all_of(link.legs.begin(), link.legs.end(), [&](const CircuitLeg& l) {
        return l.stage == CircuitLeg::Stage::failed && c.now - l.at >= kCircuitAnswer;
      });
  if (!all_failed) return;
  for (auto& leg : link.legs) leg.stage = CircuitLeg::Stage::wanted;
  advance(c, rooms, link);
}

// Voice that stopped coming while ours goes out: is the way still there? The session moves to another when it is not.
void Links::look_at_voice(const Context& c, Link& link) {
  const Duration silence = link.slow ? kSlowSilence : link.voices < kYoung ? kYoungSilence : kVoiceSilence;
  link.health_at = kNever;
  if (c.now - link.voice_out > silence) return;  // starts again with the next packet
  link.health_at = c.now + silence;
  if (link.voice_in == Time::min()) return;
  if (c.now - link.voice_in < silence) {
    link.silent_looks = 0;
    return;
  }
  // Questions that wait in a full queue make it longer.
  constexpr int kMostDoublings = 3;
  if (link.slow) link.health_at = c.now + silence * (1 << std::min(link.silent_looks++, kMostDoublings));
  if (const auto path = c.sessions.current_path(link.session)) c.sessions.try_path(c.now, link.session, *path);
  events_.push_back(LinkSilent{link.session});
}

Time Links::next_of(const Link& link) const {
  Time next = std::min(link.health_at, link.legs_at);
  Time over = Time::min();
  bool all_failed = !link.legs.empty();
  for (const auto& leg : link.legs) {
    if (awaited(leg)) next = std::min(next, leg.at + kCircuitAnswer);
    all_failed = all_failed && leg.stage == CircuitLeg::Stage::failed;
    over = std::max(over, leg.at + kCircuitAnswer);
  }
  return all_failed ? std::min(next, over) : next;
}

}  // namespace linnet::overlay
