#include "node/traversal.h"

#include <algorithm>

namespace linnet::node {
namespace {

// By what supernodes see of one socket: the same endpoint everywhere, or another for each.
NatKind kind_by(const std::vector<overlay::Observed>& seen, const std::vector<Endpoint>& listen) {
  NatKind out = NatKind::unknown;
  for (const auto& a : seen) {
    if (std::find(listen.begin(), listen.end(), a.seen) != listen.end()) out = NatKind::none;
  }
  if (out == NatKind::none) return out;
  for (const auto& a : seen) {
    for (const auto& b : seen) {
      const bool comparable = a.seen.ip.is_v4() == b.seen.ip.is_v4() && a.by.socket == b.by.socket && a.by != b.by;
      if (!comparable) continue;
      if (a.seen != b.seen) return NatKind::symmetric;
      out = NatKind::independent;
    }
  }
  return out;
}

}  // namespace

std::string_view to_string(NatKind kind) {
  switch (kind) {
    case NatKind::none: return "open";
    case NatKind::independent: return "port-restricted";
    case NatKind::symmetric: return "symmetric";
    case NatKind::unknown: break;
  }
  return "unknown";
}

LinkAgent* Traversal::find(overlay::SessionId link) {
  const auto at = links_.find(link);
  return at == links_.end() ? nullptr : &at->second;
}

void Traversal::on_up(const TraversalRooms& rooms, const overlay::LinkUp& up) {
  links_.try_emplace(up.link, rooms, up.link, up.initiator);
}

void Traversal::on_down(overlay::SessionId link) {
  const auto at = links_.find(link);
  if (at == links_.end()) return;
  at->second.search().stop(budget_);
  for (const auto socket : at->second.adopted()) unneeded_.push_back(socket);
  links_.erase(at);
  if (fan_ == link) close_fan();
}

void Traversal::close_fan() {
  fan_.reset();
  fan_out_.clear();
  // One that was not opened yet need not be.
  fan_wish_ = fan_wish_ == FanWish::open ? std::nullopt : std::optional(FanWish::close);
}

void Traversal::talk(overlay::SessionId link, bool talking) {
  if (auto* agent = find(link)) agent->talk(talking);
}

void Traversal::set_scant(Time now, overlay::SessionId link, bool scant) {
  if (auto* agent = find(link)) agent->set_scant(now, scant);
}

void Traversal::heard(Time now, overlay::SessionId link, const overlay::Path& by) {
  if (auto* agent = find(link)) agent->heard(now, by);
}

void Traversal::on_seen(const TraversalRooms& rooms, const overlay::LinkSeen& seen) {
  if (auto* agent = find(seen.link)) agent->on_seen(rooms, seen);
}

void Traversal::fan_opened(const TraversalRooms& rooms, std::size_t sockets) {
  auto* agent = fan_ ? find(*fan_) : nullptr;
  if (agent == nullptr) return;
  // The first supernode that answers by datagrams: which one does not matter, every flow is a new one.
  std::optional<Endpoint> server;
  for (const auto& seen : rooms.peer.observed()) {
    if (!server && seen.by.transport == Transport::udp && seen.by.ip.is_v4()) server = seen.by;
  }
  agent->search().on_opened(rooms.now, rooms.rng, sockets, server);
}

bool Traversal::fan_heard(const TraversalRooms& rooms, std::size_t socket, const nat::stun::Message& message) {
  auto* agent = fan_ ? find(*fan_) : nullptr;
  if (agent == nullptr) return false;
  if (message.message_class() == nat::stun::Class::success) {
    agent->search().on_measuring(rooms.now, socket, message);
    return false;
  }
  return agent->shown() && agent->agent().authentic(message);
}

std::optional<FanShot> Traversal::poll_fan() {
  if (fan_out_.empty()) return std::nullopt;
  return fan_out_.take();
}

std::optional<std::uint8_t> Traversal::poll_unneeded() {
  if (unneeded_.empty()) return std::nullopt;
  return unneeded_.take();
}

void Traversal::on_circuit(const TraversalRooms& rooms, const overlay::LinkCircuit& circuit) {
  auto* agent = find(circuit.link);
  if (agent == nullptr) return;
  if (circuit.up) {
    agent->add_circuit(rooms, circuit.path);
  } else {
    agent->lose_circuit(circuit.path);
  }
}

void Traversal::on_message(const TraversalRooms& rooms, const overlay::LinkMessage& message) {
  auto* agent = find(message.link);
  if (agent == nullptr) return;
  if (const auto said = read_candidates(message.bytes)) agent->on_message(rooms, where_, *said);
}

void Traversal::on_stun(const TraversalRooms& rooms, const overlay::LinkStun& stun) {
  auto* agent = find(stun.link);
  const auto message = nat::stun::Message::parse(stun.bytes);
  if (agent != nullptr && message) agent->handle_on_circuit(rooms.now, stun.path, *message);
}

void Traversal::on_moved(Time now, const overlay::LinkPath& moved) {
  if (auto* agent = find(moved.link)) agent->on_moved(now, moved.from, moved.to);
}

void Traversal::on_silence(Time now, overlay::SessionId link) {
  if (auto* agent = find(link)) agent->suspect(now);
}

void Traversal::look_at_nat(const TraversalRooms& rooms) {
  auto seen = rooms.peer.observed();
  std::erase_if(seen, [&](const overlay::Observed& o) {
    return std::find(where_.outdated.begin(), where_.outdated.end(), o.seen) != where_.outdated.end();
  });
  where_.kind = kind_by(seen, rooms.listen);
}

void Traversal::supernodes_changed(const TraversalRooms& rooms) {
  look_at_nat(rooms);
  for (auto& entry : links_) entry.second.learn(rooms, where_);
}

void Traversal::addresses_changed(const TraversalRooms& rooms) {
  where_.outdated.clear();
  for (const auto& seen : rooms.peer.observed()) where_.outdated.push_back(seen.seen);
  look_at_nat(rooms);
  for (auto& entry : links_) {
    if (entry.second.shown()) entry.second.restart(rooms, where_);
  }
}

void Traversal::on_mappings(const TraversalRooms& rooms, std::vector<MappedPort> mapped) {
  if (mapped.size() > kMaxMapped) mapped.resize(kMaxMapped);
  where_.mapped = std::move(mapped);
  for (auto& entry : links_) entry.second.learn(rooms, where_);
}

void Traversal::on_turn(const TraversalRooms& rooms, std::optional<TurnPlace> place) {
  where_.turn = std::move(place);
  if (!where_.turn) return;  // checks will say what does not work any more
  for (auto& entry : links_) entry.second.learn(rooms, where_);
}

void Traversal::show(const TraversalRooms& rooms, overlay::SessionId link) {
  auto* agent = find(link);
  if (agent == nullptr || agent->shown()) return;
  rooms.peer.show_endpoints(rooms.now, link);
  agent->show(rooms, where_);
}

bool Traversal::take(const TraversalRooms& rooms, const Endpoint& from, const nat::stun::Message& message) {
  for (auto& entry : links_) {
    if (!entry.second.shown() || !entry.second.owns(message)) continue;
    entry.second.handle(rooms, from, message);
    return true;
  }
  return false;
}

void Traversal::handle_timeout(const TraversalRooms& rooms) {
  for (auto& entry : links_) {
    if (entry.second.next_timeout() <= rooms.now) entry.second.handle_timeout(rooms);
  }
}

Time Traversal::next_timeout() const {
  Time out = kNever;
  for (const auto& entry : links_) out = std::min(out, entry.second.next_timeout());
  return out;
}

bool Traversal::settle(const TraversalRooms& rooms) {
  bool moved = false;
  for (auto& [link, agent] : links_) moved = settle(rooms, link, agent) || moved;
  return moved;
}

bool Traversal::settle(const TraversalRooms& rooms, overlay::SessionId link) {
  auto* agent = find(link);
  return agent != nullptr && settle(rooms, link, *agent);
}

bool Traversal::settle(const TraversalRooms& rooms, overlay::SessionId link, LinkAgent& agent) {
  bool moved = agent.look_for_ports(rooms, where_, budget_, fan_out_, out_);
  if (agent.search().take_open()) {
    fan_ = link;
    fan_wish_ = FanWish::open;
  }
  if (fan_ == link && !agent.search().opens()) close_fan();
  return agent.settle(rooms, where_, out_) || moved;
}

std::optional<Transmit> Traversal::poll_transmit() {
  if (out_.empty()) return std::nullopt;
  return out_.take();
}

// Of a NAT whose mapping is the same for everybody, only the strictest filter keeps a symmetric one out.
std::string Traversal::why_relayed(overlay::SessionId link) const {
  const auto at = links_.find(link);
  if (at == links_.end()) return {};
  const auto mine = where_.kind;
  const auto theirs = at->second.their_kind();
  if (mine == NatKind::unknown || theirs == NatKind::unknown) return {};
  if (mine != NatKind::symmetric && theirs != NatKind::symmetric) return {};
  return "yours " + std::string(to_string(mine)) + ", theirs " + std::string(to_string(theirs));
}

std::optional<PathView> Traversal::view(overlay::SessionId link) const {
  const auto at = links_.find(link);
  if (at == links_.end()) return std::nullopt;
  const auto& agent = at->second.agent();
  PathView out;
  out.local = agent.local().all();
  out.remote = agent.remote().all();
  out.mine = where_.kind;
  out.theirs = at->second.their_kind();
  const auto selected = agent.selected();
  for (const auto& p : agent.pairs().pairs()) {
    const auto& local = agent.local()[p.local];
    const bool used = selected && selected->base == local.base && selected->remote == agent.pairs().destination(p);
    out.pairs.push_back({local, agent.remote()[p.remote], p.state, used, p.rtt});
  }
  return out;
}

}  // namespace linnet::node
