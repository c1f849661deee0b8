#include "overlay/circuit.h"

#include <algorithm>

namespace linnet::overlay {

Result<std::uint64_t> CircuitTable::open(Time now, Rng& rng, const End& caller, const End& called,
                                         const control::PairNonce& nonce) {
  if (caller.session == called.session) return fail(Fault::refused);
  if (circuits_.size() >= limits_.total) return fail(Fault::full);
  if (held_by(caller.session) >= limits_.per_session || held_by(called.session) >= limits_.per_session)
    return fail(Fault::full);
  std::uint64_t id = 0;
  do {
    id = rng.u64() >> 16;
  } while (id == 0 || circuits_.count(id) != 0);
  Circuit circuit{{caller, called}, nonce, false, now, 0, now};
  circuit.tokens = static_cast<double>(limits_.bits_per_second) / 8;  // one second's worth
  circuits_.emplace(id, circuit);
  ++per_session_[caller.session];
  ++per_session_[called.session];
  return id;
}

std::size_t CircuitTable::held_by(SessionId session) const {
  const auto it = per_session_.find(session);
  return it == per_session_.end() ? 0 : it->second;
}

Result<SessionId> CircuitTable::accept(Time now, std::uint64_t id, SessionId called, const control::PairNonce& nonce) {
  const auto it = circuits_.find(id);
  if (it == circuits_.end()) return fail(Fault::not_found);
  auto& circuit = it->second;
  if (circuit.accepted || circuit.ends[1].session != called || !crypto::same(circuit.nonce, nonce))
    return fail(Fault::mismatch);
  circuit.accepted = true;
  circuit.used = now;
  return circuit.ends[0].session;
}

bool CircuitTable::pay(Time now, Circuit& circuit, std::size_t bytes) const {
  const double rate = static_cast<double>(limits_.bits_per_second) / 8;  // bytes a second
  const double elapsed = static_cast<double>(micros(now - circuit.filled)) / 1e6;
  circuit.tokens = std::min(rate, circuit.tokens + elapsed * rate);
  circuit.filled = now;
  if (circuit.tokens < static_cast<double>(bytes)) return false;
  circuit.tokens -= static_cast<double>(bytes);
  return true;
}

std::optional<Forward> CircuitTable::forward(Time now, const Endpoint& from, std::uint64_t id, std::size_t bytes) {
  const auto it = circuits_.find(id);
  if (it == circuits_.end() || !it->second.accepted) {
    ++counters_.unknown;
    return std::nullopt;
  }
  auto& circuit = it->second;
  const bool from_caller = from == circuit.ends[0].endpoint;
  if (!from_caller && from != circuit.ends[1].endpoint) {
    ++counters_.foreign;
    return std::nullopt;
  }
  if (!pay(now, circuit, bytes)) {
    ++counters_.capped;
    return std::nullopt;
  }
  circuit.used = now;
  ++counters_.forwarded;
  return Forward{circuit.ends[from_caller ? 1 : 0].endpoint};
}

void CircuitTable::moved(SessionId session, const Endpoint& endpoint) {
  if (per_session_.count(session) == 0) return;
  for (auto& [id, circuit] : circuits_) {
    for (auto& end : circuit.ends) {
      if (end.session == session) end.endpoint = endpoint;
    }
  }
}

std::vector<std::uint64_t> CircuitTable::sorted_ids() const {
  std::vector<std::uint64_t> ids;
  ids.reserve(circuits_.size());
  for (const auto& [id, circuit] : circuits_) ids.push_back(id);
  std::sort(ids.begin(), ids.end());
  return ids;
}

CircuitTable::Closed CircuitTable::remove(std::uint64_t id) {
  const auto it = circuits_.find(id);
  Closed out{it->second.nonce, {it->second.ends[0].session, it->second.ends[1].session}};
  for (const auto session : out.sessions) {
    if (--per_session_[session] == 0) per_session_.erase(session);
  }
  circuits_.erase(it);
  return out;
}

std::vector<CircuitTable::Closed> CircuitTable::close_session(SessionId session) {
  std::vector<Closed> out;
  if (per_session_.count(session) == 0) return out;
  for (const auto id : sorted_ids()) {
    const auto& ends = circuits_.at(id).ends;
    if (ends[0].session == session || ends[1].session == session) out.push_back(remove(id));
  }
  return out;
}

std::vector<CircuitTable::Closed> CircuitTable::expire(Time now) {
  std::vector<Closed> out;
  for (const auto id : sorted_ids()) {
    const auto& c = circuits_.at(id);
    if (now - c.used > (c.accepted ? limits_.idle : limits_.opening)) out.push_back(remove(id));
  }
  return out;
}

}  // namespace linnet::overlay
