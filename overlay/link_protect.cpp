// A call's second way: the spare circuit that stands ready, and voice that goes both ways at once while one is in
// doubt.
#include <algorithm>

#include "overlay/links.h"

namespace linnet::overlay {
namespace {

constexpr Duration kMendAgain = std::chrono::seconds(3);

}  // namespace

std::optional<Path> Links::beside(const Link& link, const Path& first) {
  const Path* best = nullptr;
  for (const auto& path : link.proven) {
    if (path.kind == PathKind::forward || path == first) continue;
    // By the same supernode it would be the same way.
    if (path.kind == PathKind::circuit && first.kind == PathKind::circuit && same_place(path.endpoint, first.endpoint))
      continue;
    if (best == nullptr || path.kind < best->kind) best = &path;
  }
  return best == nullptr ? std::nullopt : std::optional(*best);
}

std::optional<Links::VoiceWays> Links::voice_ways(const Context& c, SessionId session) const {
  const auto first = voice_path(c, session);
  if (!first) return std::nullopt;
  const auto* link = find(session);
  if (c.now >= (link->narrow ? link->urgent_until : link->both_until)) return VoiceWays{*first, {}};
  const auto other = beside(*link, *first);
  if (!link->narrow) return VoiceWays{*first, other};
  return VoiceWays{other && link->unheard_by == first ? *other : *first, {}};
}

void Links::go_both(const Context& c, Link& link, Duration lease, bool urgent) const {
  const auto until = c.now + std::min(lease, kMostBoth);
  link.both_until = std::max(link.both_until, until);
  if (!urgent) return;
  if (c.now >= link.urgent_until) link.unheard_by = voice_path(c, link.session);
  link.urgent_until = std::max(link.urgent_until, until);
}

void Links::ask_both(const Context& c, SessionId session, Duration lease, bool urgent) {
  auto* link = find(session);
  if (!link) return;
  c.sessions.ask_both(c.now, session, lease, urgent);
  if (urgent) go_both(c, *link, lease, urgent);
}

void Links::on_both(const Context& c, const BothWanted& wanted) {
  if (auto* link = find(wanted.session)) go_both(c, *link, wanted.lease, wanted.urgent);
}

void Links::set_room(const Context& c, SessionId session, Room room) {
  auto* link = find(session);
  if (!link) return;
  link->narrow = room != Room::both;
  link->slow = room == Room::scant;
  c.sessions.set_slow(any_slow());
}

bool Links::any_slow() const {
  return std::any_of(links_.begin(), links_.end(), [](const auto& entry) { return entry.second.slow; });
}

bool Links::goes_both(Time now, SessionId session) const {
  const auto* link = find(session);
  if (!link || link->narrow || now >= link->both_until) return false;
  return std::any_of(link->proven.begin(), link->proven.end(),
                     [&](const Path& p) { return beside(*link, p).has_value(); });
}

// The way in use is heard all the time. The others are asked, so that a spare that went is known before it is needed;
// and where the other end's homes give no second one, ours may.
void Links::look_at_legs(const Context& c, const LinkRooms& rooms, Link& link) {
  link.legs_at = link.kept ? c.now + pause_between_looks(link) : kNever;
  const auto current = c.sessions.current_path(link.session);
  for (const auto& path : std::vector<Path>(link.proven)) {
    const bool relayed = path.kind == PathKind::circuit || path.kind == PathKind::turn;
    if (relayed && path != current) c.sessions.try_path(c.now, link.session, path);
  }
  for (auto& leg : link.legs) {
    if (leg.stage == CircuitLeg::Stage::failed && c.now - leg.at >= kMendAgain) leg.stage = CircuitLeg::Stage::wanted;
  }
  advance(c, rooms, link);
}

}  // namespace linnet::overlay
