#include "overlay/circuit.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace linnet::overlay {
namespace {

constexpr std::uint64_t kPeerShare = 8;  // circuits at full rate that one session may fill
constexpr std::uint64_t kPrefixShare = 128;

double bytes_a_second(std::uint64_t bits) { return static_cast<double>(bits) / 8; }

}  // namespace

int month_of(Wall wall) {
  const std::chrono::sys_seconds at{std::chrono::seconds(seconds(wall))};
  const std::chrono::year_month_day day(std::chrono::floor<std::chrono::days>(at));
  return static_cast<int>(day.year()) * 12 + static_cast<int>(static_cast<unsigned>(day.month())) - 1;
}

CircuitTable::CircuitTable(CircuitLimits limits, RelayedMonth month)
    : limits_(limits),
      circuit_rate_(bytes_a_second(limits.bits_per_second)),
      peer_rate_(bytes_a_second(limits.peer_bits_per_second != 0 ? limits.peer_bits_per_second
                                                                 : kPeerShare * limits.bits_per_second)),
      prefix_rate_(bytes_a_second(limits.prefix_bits_per_second != 0 ? limits.prefix_bits_per_second
                                                                     : kPrefixShare * limits.bits_per_second)),
      month_(month) {}

Status CircuitTable::may_open(SessionId caller, SessionId called) {
  if (caller == called) return fail(Fault::refused);
  if (limits_.month_bytes && month_.bytes >= *limits_.month_bytes) {
    ++counters_.refused_month;
    return fail(Fault::too_big);
  }
  if (circuits_.size() >= limits_.total || held_by(caller) >= limits_.per_session ||
      held_by(called) >= limits_.per_session) {
    ++counters_.refused_full;
    return fail(Fault::full);
  }
  return {};
}

CircuitTable::Circuit& CircuitTable::add(Time now, std::uint64_t id, const End& caller, const End& called,
                                         const control::PairNonce& nonce) {
  auto circuit = std::make_unique<Circuit>();
  circuit->nonce = nonce;
  circuit->used = now;
  circuit->id = id;
  place(now, *circuit, circuit->sides[0], caller);
  place(now, *circuit, circuit->sides[1], called);
  return *(circuits_[id] = std::move(circuit));
}

Result<std::uint64_t> CircuitTable::open(Time now, Rng& rng, const End& caller, const End& called,
                                         const control::PairNonce& nonce) {
  if (auto may = may_open(caller.session, called.session); !may) return fail(may.error());
  std::uint64_t id = 0;
  do {
    id = rng.u64() >> 16;
  } while (id == 0 || circuits_.contains(id));
  add(now, id, caller, called, nonce);
  return id;
}

Status CircuitTable::join(Time now, std::uint64_t id, const End& caller, const End& far,
                          const control::PairNonce& nonce) {
  if (auto may = may_open(caller.session, far.session); !may) return may;
  if (id == 0 || circuits_.contains(id)) return fail(Fault::mismatch);
  add(now, id, caller, far, nonce).accepted = true;
  return {};
}

void CircuitTable::close(std::uint64_t id) {
  if (circuits_.contains(id)) (void)remove(id);
}

std::optional<SessionId> CircuitTable::close(SessionId caller, const control::PairNonce& nonce) {
  for (const auto id : sorted_ids_of(caller)) {
    const auto& circuit = **circuits_.find(id);
    if (circuit.sides[0].end.session == caller && crypto::same(circuit.nonce, nonce)) return remove(id).sessions[1];
  }
  return std::nullopt;
}

void CircuitTable::place(Time now, Circuit& circuit, Side& side, const End& end) {
  side.end = end;
  side.rate.begin(now, circuit_rate_);
  side.peer = &peers_[end.session];
  if (side.peer->circuits == nullptr) side.peer->meter.begin(now, peer_rate_);
  side.before = std::exchange(side.peer->circuits, &circuit);
  take_prefix(now, side);
}

void CircuitTable::leave_peer(Circuit& circuit, Side& side) {
  const auto session = side.end.session;
  auto** at = &side.peer->circuits;
  while (*at != &circuit) at = &(*at)->side_of(session).before;
  *at = side.before;
  if (side.peer->circuits == nullptr) peers_.erase(session);
}

void CircuitTable::take_prefix(Time now, Side& side) {
  if (!side.end.endpoint.ip.is_global()) return;
  side.prefix = &prefixes_[side.end.endpoint.ip.prefix()];
  if (side.prefix->users++ == 0) side.prefix->meter.begin(now, prefix_rate_);
}

void CircuitTable::release_prefix(Side& side) {
  if (side.prefix == nullptr) return;
  side.prefix = nullptr;
  const auto it = prefixes_.find(side.end.endpoint.ip.prefix());
  if (--it->second.users == 0) prefixes_.erase(it);
}

std::size_t CircuitTable::held_by(SessionId session) const {
  const auto it = peers_.find(session);
  std::size_t out = 0;
  for (auto* one = it == peers_.end() ? nullptr : it->second.circuits; one != nullptr; ++out)
    one = one->side_of(session).before;
  return out;
}

Result<SessionId> CircuitTable::accept(Time now, std::uint64_t id, SessionId called, const control::PairNonce& nonce) {
  auto* found = circuits_.find(id);
  if (found == nullptr) return fail(Fault::not_found);
  auto& circuit = **found;
  if (circuit.accepted || circuit.sides[1].end.session != called || !crypto::same(circuit.nonce, nonce))
    return fail(Fault::mismatch);
  circuit.accepted = true;
  circuit.used = now;
  return circuit.sides[0].end.session;
}

std::optional<CircuitTable::Showing> CircuitTable::show(std::uint64_t id, SessionId end) const {
  const auto* found = circuits_.find(id);
  if (found == nullptr || !(*found)->accepted) return std::nullopt;
  const auto& sides = (*found)->sides;
  for (int i = 0; i < 2; ++i) {
    if (sides[i].end.session == end) return Showing{sides[1 - i].end.session, sides[i].end.endpoint};
  }
  return std::nullopt;
}

// Who sends pays in all accounts or in none.
bool CircuitTable::pay(Time now, Side& side, std::size_t bytes) {
  const auto refuse = [this](std::uint64_t& counter) {
    ++counter;
    ++counters_.capped;
    return false;
  };
  if (limits_.month_bytes && month_.bytes + bytes > *limits_.month_bytes) return refuse(counters_.over_month);
  if (!side.rate.has(now, circuit_rate_, bytes)) return refuse(counters_.over_circuit);
  if (!side.peer->meter.has(now, peer_rate_, bytes)) return refuse(counters_.over_peer);
  if (side.prefix != nullptr && !side.prefix->meter.has(now, prefix_rate_, bytes)) return refuse(counters_.over_prefix);
  side.rate.take(bytes);
  side.peer->meter.take(bytes);
  if (side.prefix != nullptr) side.prefix->meter.take(bytes);
  month_.bytes += bytes;
  return true;
}

std::optional<Forward> CircuitTable::forward(Time now, const Endpoint& from, MutableBytes packet) {
  if (packet.size() > kMaxDatagram) return std::nullopt;
  const auto read = read_circuit(packet);
  if (!read) return std::nullopt;
  auto* found = read->id == 0 ? nullptr : circuits_.find(read->id);
  if (found == nullptr || !(*found)->accepted) {
    ++counters_.unknown;
    return std::nullopt;
  }
  auto& circuit = **found;
  const bool from_caller = from == circuit.sides[0].end.endpoint;
  if (!from_caller && from != circuit.sides[1].end.endpoint) {
    ++counters_.foreign;
    return std::nullopt;
  }
  const auto& to = circuit.sides[from_caller ? 1 : 0].end.endpoint;
  if (!pay(now, circuit.sides[from_caller ? 0 : 1], packet.size())) return Forward{to, Mark::best_effort, true};
  circuit.used = now;
  ++counters_.forwarded;
  counters_.bytes += packet.size();
  return Forward{to, voice_packet(read->inner) ? Mark::expedited : Mark::best_effort, false};
}

void CircuitTable::moved(SessionId session, const Endpoint& endpoint) {
  for (const auto id : sorted_ids_of(session)) {
    auto& circuit = **circuits_.find(id);
    auto& side = circuit.side_of(session);
    release_prefix(side);
    side.end.endpoint = endpoint;
    take_prefix(circuit.used, side);
  }
}

std::vector<std::uint64_t> CircuitTable::sorted_ids() const {
  std::vector<std::uint64_t> ids;
  ids.reserve(circuits_.size());
  circuits_.each([&](std::uint64_t id, const auto&) { ids.push_back(id); });
  std::sort(ids.begin(), ids.end());
  return ids;
}

std::vector<std::uint64_t> CircuitTable::sorted_ids_of(SessionId session) const {
  std::vector<std::uint64_t> ids;
  const auto peer = peers_.find(session);
  if (peer == peers_.end()) return ids;
  for (auto* one = peer->second.circuits; one != nullptr; one = one->side_of(session).before) ids.push_back(one->id);
  std::sort(ids.begin(), ids.end());
  return ids;
}

CircuitTable::Closed CircuitTable::remove(std::uint64_t id) {
  auto& circuit = **circuits_.find(id);
  Closed out{circuit.nonce, {circuit.sides[0].end.session, circuit.sides[1].end.session}};
  for (auto& side : circuit.sides) {
    release_prefix(side);
    leave_peer(circuit, side);
  }
  circuits_.erase(id);
  return out;
}

std::vector<CircuitTable::Closed> CircuitTable::all() const {
  std::vector<Closed> out;
  for (const auto id : sorted_ids()) {
    const auto& c = **circuits_.find(id);
    out.push_back({c.nonce, {c.sides[0].end.session, c.sides[1].end.session}});
  }
  return out;
}

std::vector<CircuitTable::Closed> CircuitTable::close_session(SessionId session) {
  std::vector<Closed> out;
  for (const auto id : sorted_ids_of(session)) out.push_back(remove(id));
  return out;
}

std::vector<CircuitTable::Closed> CircuitTable::expire(Time now) {
  std::vector<Closed> out;
  for (const auto id : sorted_ids()) {
    const auto& c = **circuits_.find(id);
    if (now - c.used > (c.accepted ? limits_.idle : limits_.opening)) out.push_back(remove(id));
  }
  return out;
}

// A clock may have been ahead for a while: the month that it named would hold its count for years. Going back keeps
// the count, and adds what that month had before.
void CircuitTable::handle_wall(Time now, Wall wall, bool by_median) {
  const auto month = month_of(wall);
  if (month >= month_.month) earlier_since_.reset();
  if (month > month_.month) left_ = std::exchange(month_, RelayedMonth{month, 0});
  if (month >= month_.month) return;
  if (!earlier_since_) earlier_since_ = now;
  if (!by_median && now - *earlier_since_ < kOwnClockHolds) return;
  earlier_since_.reset();
  month_.month = month;
  if (left_.month == month) month_.bytes += left_.bytes;
}

std::size_t CircuitTable::memory_bytes() const {
  constexpr std::size_t kHashNode = 32;  // beside the value: its place, the next, the key, the heap's
  constexpr std::size_t kTreeNode = 56;  // three pointers and the colour, the key, the heap's
  return circuits_.memory_bytes() + circuits_.size() * (sizeof(Circuit) + 16) +
         peers_.size() * (sizeof(Peer) + kHashNode) + prefixes_.size() * (sizeof(SharedMeter) + kTreeNode);
}

}  // namespace linnet::overlay
