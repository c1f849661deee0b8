#include "node/link_agent.h"

#include <algorithm>

#include "base/overloaded.h"
#include "node/sockets.h"

namespace linnet::node {
namespace {

using nat::ice::Base;
using nat::ice::Candidate;
using nat::ice::Role;
using nat::ice::Way;

constexpr Duration kKeepFirst = std::chrono::seconds(1);
constexpr Duration kKeepMost = std::chrono::seconds(10);
constexpr std::size_t kMaxCircuits = 16;

nat::ice::AgentConfig config_of(bool initiator) {
  nat::ice::AgentConfig out;
  out.role = initiator ? Role::controlling : Role::controlled;
  return out;
}

bool has_loopback(const std::vector<Endpoint>& listen) {
  return std::any_of(listen.begin(), listen.end(), [](const Endpoint& e) { return e.ip.is_loopback(); });
}

// A loopback address is another node of this machine only where we listen there ourselves.
bool usable(const std::vector<Endpoint>& listen, const Endpoint& e) {
  if (e.ip.is_unspecified() || e.ip.is_multicast() || e.ip.is_link_local()) return false;
  if (std::find(listen.begin(), listen.end(), e) != listen.end()) return false;
  return !e.ip.is_loopback() || has_loopback(listen);
}

bool tellable(const Endpoint& e) {
  return e.transport == Transport::udp && e.port != 0 && !e.ip.is_unspecified() && !e.ip.is_link_local();
}

}  // namespace

LinkAgent::LinkAgent(const TraversalRooms& rooms, overlay::SessionId link, bool initiator)
    : link_(link), initiator_(initiator), agent_(config_of(initiator), rooms.rng), restarts_at_(rooms.now) {}

LinkAgent::Circuit* LinkAgent::circuit(std::uint64_t id) {
  const auto at = std::find_if(circuits_.begin(), circuits_.end(), [&](const Circuit& c) { return c.path.id == id; });
  return at == circuits_.end() ? nullptr : &*at;
}

void LinkAgent::add_circuit(const TraversalRooms& rooms, const overlay::Path& path) {
  auto* known = circuit(path.id);
  if (known == nullptr) {
    if (circuits_.size() >= kMaxCircuits) return;
    const auto base = static_cast<Base>(kFirstCircuit + circuits_.size());
    circuits_.push_back({base, path, true});
    known = &circuits_.back();
  }
  known->path = path;
  known->up = true;
  agent_.add_circuit(rooms.now, known->base, path.id, static_cast<std::uint16_t>(0xffff - (known->base & 0xff)));
}

void LinkAgent::lose_circuit(const overlay::Path& path) {
  if (auto* known = circuit(path.id)) known->up = false;
}

void LinkAgent::show(const TraversalRooms& rooms, const Whereabouts& where) {
  if (shown_) return;
  shown_ = true;
  to_say_ = true;
  add_addresses(rooms, where);
}

void LinkAgent::learn(const TraversalRooms& rooms, const Whereabouts& where) {
  if (shown_) add_addresses(rooms, where);
}

void LinkAgent::add_addresses(const TraversalRooms& rooms, const Whereabouts& where) {
  std::uint16_t preference = 0xffff;
  for (const auto& at : rooms.listen) {
    if (tellable(at)) agent_.add_host(rooms.now, at.socket, at, preference--);
  }
  std::size_t asked = 0;
  for (const auto& seen : rooms.peer.observed()) {
    const auto& out = where.outdated;
    const bool outdated = std::find(out.begin(), out.end(), seen.seen) != out.end();
    if (!outdated && tellable(seen.seen)) agent_.add_reflexive(rooms.now, seen.by.socket, seen.seen, seen.by);
    if (agent_.remote().size() == 0 && asked++ < kServers) agent_.gather(rooms.now, seen.by.socket, seen.by);
  }
  for (const auto& m : where.mapped) {
    if (tellable(m.external)) agent_.add_mapped(rooms.now, m.internal.socket, m.external);
  }
  if (!where.turn) return;
  for (const auto& relayed : where.turn->relayed) {
    if (tellable(relayed)) agent_.add_relayed(rooms.now, overlay::kByTurn, relayed, where.turn->server);
  }
}

void LinkAgent::begin(const TraversalRooms& rooms, const Whereabouts& where, std::uint64_t generation) {
  generation_ = generation;
  agent_.restart(rooms.now);
  new_.clear();
  theirs_ = {};
  to_say_ = true;
  for (const auto& c : circuits_) {
    if (c.up) add_circuit(rooms, overlay::Path(c.path));
  }
  if (shown_) add_addresses(rooms, where);
}

void LinkAgent::restart(const TraversalRooms& rooms, const Whereabouts& where) {
  if (generation_ < CandidatesMessage::kMaxGeneration) begin(rooms, where, generation_ + 1);
}

bool LinkAgent::may_restart(Time now) {
  const double rested = static_cast<double>((now - restarts_at_).count()) / static_cast<double>(kRestartEvery.count());
  restarts_ = std::min(kRestarts, restarts_ + rested);
  restarts_at_ = now;
  if (restarts_ < 1) return false;
  restarts_ -= 1;
  return true;
}

void LinkAgent::on_message(const TraversalRooms& rooms, const Whereabouts& where, const CandidatesMessage& message) {
  if (message.generation < generation_) return;
  if (message.generation > generation_) {
    if (!may_restart(rooms.now)) return;
    begin(rooms, where, message.generation);
  }
  their_kind_ = message.kind;
  if (message.search) asked_ = message.search;
  they_show_ = they_show_ || message.shown;
  for (const auto& c : message.candidates) {
    if (c.circuit == 0 && !usable(rooms.listen, c.endpoint)) continue;
    if (!agent_.add_remote(rooms.now, c)) continue;
    if (c.circuit == 0 && c.type == nat::ice::Type::relayed) hear_of_relay(rooms, c.endpoint);
  }
  if (message.credentials == theirs_) return;
  theirs_ = message.credentials;
  (void)agent_.set_remote(rooms.now, theirs_);
}

// A check of it may have come before its name did, and its path been taken for a direct one.
void LinkAgent::hear_of_relay(const TraversalRooms& rooms, const Endpoint& relayed) {
  rooms.peer.note_relay(link_, relayed);
  for (const auto& pair : agent_.pairs().pairs()) {
    const auto to = agent_.pairs().destination(pair);
    if (!pair.valid() || !same_place(to, relayed)) continue;
    const auto path = path_of({agent_.local()[pair.local].base, to, true});
    rooms.peer.drop_path(rooms.now, link_, {overlay::PathKind::direct, path.endpoint, 0, false});
    rooms.peer.offer_path(rooms.now, link_, path, false);
  }
}

void LinkAgent::on_moved(Time now, const overlay::Path& from, const overlay::Path& to) {
  const auto selected = agent_.selected();
  const bool left = selected && !selected->relayed && path_of(*selected) == from;
  if (left && to.kind != overlay::PathKind::direct) agent_.suspect(now);
}

// A socket of ours that nothing was said of: it is known by what comes in there.
void LinkAgent::handle(const TraversalRooms& rooms, const Endpoint& from, const nat::stun::Message& message) {
  const Base base = from.socket;
  const bool adopted = base >= kFirstAdopted;
  if (adopted && std::find(adopted_.begin(), adopted_.end(), from.socket) == adopted_.end())
    adopted_.push_back(from.socket);
  const auto& own = agent_.local().all();
  const bool known = std::any_of(own.begin(), own.end(), [&](const Candidate& c) {
    return c.base == base && c.endpoint.ip.is_v4() == from.ip.is_v4();
  });
  if (!known) {
    const auto at = std::find_if(rooms.listen.begin(), rooms.listen.end(),
                                 [&](const Endpoint& e) { return e.ip.is_v4() == from.ip.is_v4(); });
    if (at != rooms.listen.end()) agent_.add_base(rooms.now, base, *at);
  }
  agent_.handle(rooms.now, base, from, message);
}

void LinkAgent::handle_on_circuit(Time now, const overlay::Path& path, const nat::stun::Message& message) {
  auto* c = circuit(path.id);
  if (c == nullptr) return;
  c->path = path;
  agent_.handle(now, c->base, nat::ice::circuit_endpoint(path.id), message);
}

void LinkAgent::heard(Time now, const overlay::Path& by) {
  for (const auto& pair : agent_.pairs().pairs()) {
    if (pair.valid() && path_of({agent_.local()[pair.local].base, agent_.pairs().destination(pair), false}) == by)
      return agent_.heard_otherwise(now, pair.id);
  }
}

overlay::Path LinkAgent::path_of(const Way& way) const {
  for (const auto& c : circuits_) {
    if (c.base == way.base) return c.path;
  }
  auto remote = way.remote;
  remote.socket = static_cast<std::uint8_t>(way.base);
  const bool turn = way.relayed || way.base == overlay::kByTurn;
  return {turn ? overlay::PathKind::turn : overlay::PathKind::direct, remote, 0, false};
}

void LinkAgent::on_event(const TraversalRooms& rooms, const nat::ice::Event& event) {
  std::visit(Overloaded{
                 [&](const nat::ice::event::LocalCandidate& e) { new_.push_back(e.candidate); },
                 [&](const nat::ice::event::Valid& e) {
                   if (e.way.base < kFirstCircuit) rooms.peer.offer_path(rooms.now, link_, path_of(e.way), false);
                 },
                 [&](const nat::ice::event::Selected& e) { choose(rooms, e.way); },
                 [&](const nat::ice::event::Lost& e) {
                   if (e.way.base < kFirstCircuit) rooms.peer.drop_path(rooms.now, link_, path_of(e.way));
                 },
                 [](const auto&) {},
             },
             event);
}

// Which of several circuits carries the call is for the link to say (overlay/links.h); that it is to be one, for the
// agent.
void LinkAgent::choose(const TraversalRooms& rooms, const Way& way) {
  const auto current = rooms.peer.path(link_);
  if (way.relayed && (!current || current->kind != overlay::PathKind::direct)) return;
  // A stream to the other end (node/streams.h) is no pair of the agent's, and better than a circuit while it answers.
  if (way.relayed && overlay::on_stream(*current)) return;
  rooms.peer.offer_path(rooms.now, link_, path_of(way), true);
  keep_after_ = kKeepFirst;
  keep_at_ = way.relayed || !initiator_ ? kNever : rooms.now + keep_after_;
}

// The session left a way that answers the agent still, or never got there.
void LinkAgent::keep_to_it(const TraversalRooms& rooms) {
  if (keep_at_ > rooms.now) return;
  keep_at_ = kNever;
  const auto way = agent_.selected();
  if (!way || way->relayed) return;
  keep_after_ = std::min<Duration>(2 * keep_after_, kKeepMost);
  keep_at_ = rooms.now + keep_after_;
  const auto path = path_of(*way);
  if (rooms.peer.path(link_) != path) {
    rooms.peer.offer_path(rooms.now, link_, path, true);
  } else {
    keep_after_ = kKeepMost;
  }
}

void LinkAgent::say(const TraversalRooms& rooms, NatKind kind) {
  const bool news = (shown_ && kind != said_kind_) || search_.asks();
  if (!to_say_ && new_.empty() && !news) return;
  CandidatesMessage message;
  message.generation = generation_;
  message.credentials = agent_.credentials();
  const auto n = std::min(new_.size(), nat::ice::kMaxNamed);
  message.candidates.assign(new_.begin(), new_.begin() + static_cast<std::ptrdiff_t>(n));
  message.shown = shown_;
  message.kind = shown_ ? kind : NatKind::unknown;
  message.search = search_.take_ask();
  if (!rooms.peer.send(rooms.now, link_, overlay::Channel::candidates, write(message))) return;
  new_.clear();
  to_say_ = false;
  said_kind_ = message.kind;
}

void LinkAgent::transmit(const TraversalRooms& rooms, nat::ice::Outgoing out, Fifo<Transmit>& to) {
  if (out.base >= kFirstCircuit) {
    const auto& c = circuits_[out.base - kFirstCircuit];
    if (c.up) rooms.peer.send_on_circuit(rooms.now, link_, c.path, out.bytes);
    return;
  }
  out.to.socket = static_cast<std::uint8_t>(out.base);
  to.push_back({out.to, std::move(out.bytes)});
}

bool LinkAgent::settle(const TraversalRooms& rooms, const Whereabouts& where, Fifo<Transmit>& out) {
  bool moved = false;
  while (const auto event = agent_.poll_event()) {
    on_event(rooms, *event);
    moved = true;
  }
  while (auto one = agent_.poll_transmit()) {
    transmit(rooms, std::move(*one), out);
    moved = true;
  }
  keep_to_it(rooms);
  say(rooms, where.kind);
  return moved;
}

void LinkAgent::handle_timeout(const TraversalRooms& rooms) {
  agent_.handle_timeout(rooms.now);
  search_.handle_timeout(rooms.now, rooms.rng);
}

// Where its supernode sees us is where the other end's packets are to go, so it has to be seen by UDP.
const LinkAgent::Circuit* LinkAgent::circuit_for_search() const {
  const auto at = std::find_if(circuits_.begin(), circuits_.end(), [](const Circuit& c) {
    return c.up && c.path.endpoint.transport == Transport::udp && c.path.endpoint.ip.is_v4();
  });
  return at == circuits_.end() ? nullptr : &*at;
}

SearchFacts LinkAgent::facts(const TraversalRooms& rooms, const Whereabouts& where) const {
  const auto way = agent_.selected();
  const auto path = rooms.peer.path(link_);
  const bool relayed = (!way || way->relayed) && path && path->kind != overlay::PathKind::direct;
  return {shown_ && they_show_, talking_, relayed && circuit_for_search() != nullptr, where.kind, their_kind_};
}

// A private address is somebody else's, unless the supernode that saw it is on that network too.
void LinkAgent::on_seen(const TraversalRooms& rooms, const overlay::LinkSeen& seen) {
  const auto& by = seen.circuit.endpoint.ip;
  const bool there = seen.at.ip.is_global() || (seen.at.ip.is_private() && by.is_private());
  const bool fits = seen.at.ip.is_v4() && tellable(seen.at) && usable(rooms.listen, seen.at);
  if (there && fits && circuit(seen.circuit.id) != nullptr) search_.on_attested(rooms.now, seen.at);
}

bool LinkAgent::look_for_ports(const TraversalRooms& rooms, const Whereabouts& where, SearchBudget& budget,
                               Fifo<FanShot>& of_fan, Fifo<Transmit>& out) {
  search_.look(rooms.now, facts(rooms, where), budget);
  if (const auto ask = std::exchange(asked_, std::nullopt)) search_.on_asked(rooms.now, *ask, budget);
  const auto* by = circuit_for_search();
  if (search_.take_show() && by != nullptr) rooms.peer.show_on_circuit(rooms.now, link_, by->path);
  bool moved = false;
  while (auto shot = search_.poll_shot()) {
    auto bytes = shot->bytes.empty() ? agent_.loose_check() : std::optional(std::move(shot->bytes));
    if (!bytes || by == nullptr) continue;
    moved = true;
    if (search_.opens()) {
      of_fan.push_back({shot->socket, {shot->to, std::move(*bytes)}});
    } else {
      auto to = shot->to;
      to.socket = by->path.endpoint.socket;  // the one whose port the supernode told
      out.push_back({to, std::move(*bytes)});
    }
  }
  return moved;
}

Time LinkAgent::next_timeout() const { return std::min({agent_.next_timeout(), keep_at_, search_.next_timeout()}); }

}  // namespace linnet::node
