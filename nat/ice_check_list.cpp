#include "nat/ice_check_list.h"

#include <algorithm>

namespace linnet::nat::ice {

std::uint64_t pair_priority(std::uint32_t controlling, std::uint32_t controlled) {
  const std::uint64_t g = controlling;
  const std::uint64_t d = controlled;
  return (std::min(g, d) << 32) + 2 * std::max(g, d) + (g > d ? 1 : 0);
}

namespace {

bool meet(TcpType local, TcpType remote) {
  switch (local) {
    case TcpType::none: return remote == TcpType::none;
    case TcpType::active: return remote == TcpType::passive;
    case TcpType::passive: return remote == TcpType::active;
    case TcpType::simultaneous: break;
  }
  return false;
}

}  // namespace

bool can_pair(const Candidate& local, const Candidate& remote) {
  if (!meet(local.tcp, remote.tcp)) return false;
  if (local.circuit != remote.circuit || remote.endpoint.port == 0) return false;
  const auto& a = local.endpoint.ip;
  const auto& b = remote.endpoint.ip;
  if (a.is_v4() != b.is_v4()) return false;
  if (b.is_unspecified() || b.is_multicast()) return false;
  return a.is_v4() || local.type != Type::host || a.is_link_local() == b.is_link_local();
}

std::uint64_t CheckList::priority_of(Role role, const Pair& pair) const {
  const auto mine = (*local_)[pair.local].priority;
  const auto theirs = (*remote_)[pair.remote].priority;
  return role == Role::controlling ? pair_priority(mine, theirs) : pair_priority(theirs, mine);
}

bool CheckList::relayed(const Pair& pair) const {
  return (*local_)[pair.local].type == Type::relayed || (*remote_)[pair.remote].type == Type::relayed;
}

Endpoint CheckList::destination(const Pair& pair) const {
  return reached_from((*local_)[pair.local].endpoint, (*remote_)[pair.remote].endpoint);
}

bool CheckList::same_foundation(const Pair& a, const Pair& b) const {
  return (*local_)[a.local].foundation == (*local_)[b.local].foundation &&
         (*remote_)[a.remote].foundation == (*remote_)[b.remote].foundation;
}

bool CheckList::foundation_is_busy(const Pair& pair) const {
  return std::any_of(pairs_.begin(), pairs_.end(), [&](const Pair& p) {
    return (p.state == State::waiting || p.state == State::in_progress) && same_foundation(p, pair);
  });
}

Pair* CheckList::add(Role role, std::size_t local, std::size_t remote) {
  const auto& mine = (*local_)[local];
  const auto& theirs = (*remote_)[remote];
  if (!can_pair(mine, theirs)) return nullptr;
  Pair pair;
  pair.local = local;
  pair.remote = remote;
  pair.priority = priority_of(role, pair);
  if (auto* same = find(mine.base, reached_from(mine.endpoint, theirs.endpoint), theirs.circuit)) {
    const bool begun = same->state != State::frozen && same->state != State::waiting;
    if (!begun && same->priority < pair.priority) {
      same->local = local;
      same->remote = remote;
      same->priority = pair.priority;
    }
    return same;
  }
  if (pairs_.size() >= kMaxPairs && !make_room(pair.priority)) return nullptr;
  pair.id = static_cast<PairId>(++last_id_);
  const bool answered =
      std::any_of(pairs_.begin(), pairs_.end(), [&](const Pair& p) { return p.valid() && same_foundation(p, pair); });
  if (answered || !foundation_is_busy(pair)) pair.state = State::waiting;
  pairs_.push_back(pair);
  return &pairs_.back();
}

// The least wanted one that has not been begun, or has failed, goes.
bool CheckList::make_room(std::uint64_t priority) {
  Pair* worst = nullptr;
  for (auto& p : pairs_) {
    if (p.state == State::in_progress || p.state == State::succeeded || triggered(p)) continue;
    const bool worse = worst == nullptr || (p.state == State::failed) > (worst->state == State::failed) ||
                       ((p.state == State::failed) == (worst->state == State::failed) && p.priority < worst->priority);
    if (worse) worst = &p;
  }
  if (worst == nullptr || (worst->state != State::failed && worst->priority >= priority)) return false;
  pairs_.erase(pairs_.begin() + (worst - pairs_.data()));
  return true;
}

Pair* CheckList::find(PairId id) {
  const auto at = std::find_if(pairs_.begin(), pairs_.end(), [id](const Pair& p) { return p.id == id; });
  return at == pairs_.end() ? nullptr : &*at;
}

const Pair* CheckList::find(PairId id) const {
  const auto at = std::find_if(pairs_.begin(), pairs_.end(), [id](const Pair& p) { return p.id == id; });
  return at == pairs_.end() ? nullptr : &*at;
}

Pair* CheckList::find(Base base, const Endpoint& remote, std::uint64_t circuit) {
  const auto at = std::find_if(pairs_.begin(), pairs_.end(), [&](const Pair& p) {
    return (*local_)[p.local].base == base && destination(p) == remote && (*remote_)[p.remote].circuit == circuit;
  });
  return at == pairs_.end() ? nullptr : &*at;
}

Pair* CheckList::best(State state) {
  Pair* out = nullptr;
  for (auto& p : pairs_) {
    if (p.state == state && (out == nullptr || p.priority > out->priority)) out = &p;
  }
  return out;
}

Pair* CheckList::first_relayed() {
  if (relayed_begun_) return nullptr;
  Pair* first = nullptr;
  for (auto& p : pairs_) {
    const bool unbegun = p.state == State::waiting || p.state == State::frozen;
    if (unbegun && relayed(p) && (first == nullptr || p.priority > first->priority)) first = &p;
  }
  relayed_begun_ = first != nullptr;
  return first;
}

Pair* CheckList::next() {
  while (!triggered_.empty()) {
    if (auto* pair = find(triggered_.take())) {
      relayed_begun_ = relayed_begun_ || relayed(*pair);
      return pair;
    }
  }
  if (auto* pair = best(State::waiting)) return pair;
  // Section 6.1.4.2: nothing waits, so a frozen one of a foundation that nobody tries just now.
  Pair* out = nullptr;
  for (auto& p : pairs_) {
    if (p.state == State::frozen && (out == nullptr || p.priority > out->priority) && !foundation_is_busy(p)) out = &p;
  }
  return out;
}

void CheckList::trigger(Pair& pair) {
  if (!triggered(pair)) triggered_.push_back(pair.id);
  if (pair.state != State::succeeded) pair.state = State::waiting;
}

bool CheckList::triggered(const Pair& pair) const {
  return std::find(triggered_.begin(), triggered_.end(), pair.id) != triggered_.end();
}

bool CheckList::anything_left() const {
  return !triggered_.empty() || std::any_of(pairs_.begin(), pairs_.end(), [&](const Pair& p) {
    return p.state == State::waiting || (p.state == State::frozen && !foundation_is_busy(p));
  });
}

void CheckList::unfreeze_like(const Pair& pair) {
  for (auto& p : pairs_) {
    if (p.state == State::frozen && same_foundation(p, pair)) p.state = State::waiting;
  }
}

void CheckList::drop_unbegun(std::optional<std::uint64_t> below) {
  std::erase_if(pairs_, [&](const Pair& p) {
    return (p.state == State::waiting || p.state == State::frozen) && (!below || p.priority < *below);
  });
}

void CheckList::drop_of_remote(std::size_t remote) {
  std::erase_if(pairs_, [remote](const Pair& p) { return p.remote == remote; });
}

void CheckList::prioritise(Role role) {
  for (auto& p : pairs_) p.priority = priority_of(role, p);
}

std::size_t CheckList::count(State state) const {
  return static_cast<std::size_t>(
      std::count_if(pairs_.begin(), pairs_.end(), [state](const Pair& p) { return p.state == state; }));
}

}  // namespace linnet::nat::ice
