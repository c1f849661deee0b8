#include "node/path_reason.h"

#include <algorithm>

namespace linnet::node {
namespace {

using Came = overlay::CircuitTry::Result;

// Nobody knows of a NAT that keeps them apart: what the checks say.
std::string not_direct(const Rooms& rooms, overlay::SessionId id) {
  const auto view = rooms.traversal.view(id);
  const auto* link = rooms.links.find(id);
  if (!view) return "direct path not proven yet";
  const auto own = [](const nat::ice::Candidate& c) { return c.circuit == 0; };
  if (std::none_of(view->remote.begin(), view->remote.end(), own)) return "they have told no address yet";
  bool any = false;
  for (const auto& p : view->pairs) {
    if (!own(p.local) || !own(p.remote)) continue;
    any = true;
    if (p.state != nat::ice::State::failed) return "direct path not proven yet";
  }
  if (!any) return "no address of theirs is of an IP version that is here";
  const auto ours = rooms.nat.type();
  const auto theirs = link != nullptr && link->network ? link->network->type : NatType::unknown;
  const auto nats = relayed_because(ours, theirs);
  return "none of their addresses answers" + (nats.empty() ? nats : ": " + nats);
}

// The circuit is at a supernode of ours, and goes on from there to one of theirs. Its other end does not know.
std::string across(const Rooms& rooms, overlay::SessionId id) {
  const auto report = rooms.peer.report(id);
  if (!report || !report->current || report->current->kind == overlay::PathKind::direct) return {};
  for (const auto& c : report->circuits) {
    if (c.stands() && c.across && overlay::leads_to(report->current->endpoint, *c.across))
      return "across two supernodes, theirs is " + c.at.to_string();
  }
  return {};
}

}  // namespace

std::string why_by(const Rooms& rooms, overlay::SessionId link, const PathWatch& path) {
  static constexpr auto kStream = "over TCP: no UDP gets through";
  if (path.word() != PathWord::relayed) return path.over_stream() ? kStream : "";
  const auto nats = why_relayed(rooms, link);
  std::string out = path.over_stream() ? kStream : "";
  if (path.by_turn()) out = "by a TURN server";
  const auto add = [&](const char* between, const std::string& more) {
    if (!more.empty()) out += (out.empty() ? "" : between) + more;
  };
  add("; ", across(rooms, link));
  // Who gets no UDP out has said why already.
  if (!nats.empty() || !path.over_stream())
    add(path.by_turn() ? ": " : "; ", nats.empty() ? not_direct(rooms, link) : nats);
  return out;
}

std::string result_of(const overlay::CircuitTry& circuit) {
  const auto word = [&]() -> std::string {
    switch (circuit.result) {
      case Came::idle: return "not asked";
      case Came::silent: return "no answer";
      case Came::unreachable: return "the supernode does not answer";
      case Came::stands: return "stands";
      case Came::over: return "closed";
      case Came::nobody: return "serves them no more";
      case Came::full: return "full";
      case Came::month: return "its month is used up";
    }
    return "?";
  };
  return word() + (circuit.across ? " across " + circuit.across->to_string() : "");
}

std::string as_a_way(const overlay::CircuitTry& circuit) {
  const auto at = circuit.at.to_string() + (circuit.across ? " across " + circuit.across->to_string() : "");
  switch (circuit.result) {
    case Came::unreachable: return "relay " + at + " does not answer";
    case Came::nobody: return "relay " + at + " serves them no more";
    case Came::full: return "relay " + at + " full";
    case Came::month: return "relay " + at + " has used up its month";
    default: return "no answer through " + at;
  }
}

}  // namespace linnet::node
