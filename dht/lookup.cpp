#include "dht/lookup.h"

#include <algorithm>

#include "dht/place.h"

namespace linnet::dht {
namespace {

constexpr std::size_t kRoom = 16;  // for those that the first answers name: most lookups need no more

std::uint8_t bit(std::size_t path) { return static_cast<std::uint8_t>(1U << path); }

}  // namespace

Lookup::Lookup(const Options& options, const crypto::DeviceKey& self, std::span<const Contact> seeds)
    : options_(options), self_(self) {
  options_.paths = std::clamp<std::size_t>(options_.paths, 1, kMaxPaths);
  options_.alpha = std::max<std::size_t>(options_.alpha, 1);
  options_.width = std::max<std::size_t>(options_.width, 1);
  options_.stride = std::max<std::size_t>(options_.stride, 1);
  if (strides()) options_.paths = 1;
  pool_.reserve(seeds.size() + kRoom);
  far_.reserve(seeds.size() + kRoom);
  order_.reserve(seeds.size() + kRoom);
  for (std::size_t i = 0; i < seeds.size(); ++i) add(seeds[i], bit(i % options_.paths), 1);
}

bool Lookup::before(const Contact& a, const Contact& b) const {
  if (a.position != b.position) return nearer(options_.target, a.position, b.position);
  // One position, two endpoints: somebody lies about one of them. Both are kept, so that the lie costs a question, not
  // the contact.
  return a.endpoint < b.endpoint;
}

void Lookup::add(const Contact& contact, std::uint8_t paths, std::uint16_t depth) {
  if (contact.device == self_) return;
  const auto far = this->far(contact);
  const auto find = [&] {
    return std::lower_bound(order_.begin(), order_.end(), contact, [&](Slot s, const Contact& c) {
      return far_[s] != far ? far_[s] < far : before(pool_[s].contact, c);
    });
  };
  auto at = find();
  if (at != order_.end() && !before(contact, pool_[*at].contact)) {
    pool_[*at].known_to |= paths;
    return;
  }
  const Candidate candidate{contact, State::fresh, paths, kMaxPaths, depth};
  if (pool_.size() < kMaxCandidates * options_.paths) {
    order_.insert(at, static_cast<Slot>(pool_.size()));
    pool_.push_back(candidate);
    far_.push_back(far);
    return;
  }
  const auto victim = whom_to_forget(contact);
  if (!victim) return;
  const auto slot = order_[*victim];
  order_.erase(order_.begin() + static_cast<std::ptrdiff_t>(*victim));
  pool_[slot] = candidate;
  far_[slot] = far;
  order_.insert(find(), slot);
}

// Full: of the crowded places one that was not asked makes room, else the farthest, if it is farther. Where in order_.
std::optional<std::size_t> Lookup::whom_to_forget(const Contact& newcomer) const {
  const auto far = this->far(newcomer);
  std::optional<std::size_t> last, crowded, of_its_place;
  std::size_t at_place = 0;
  std::size_t at_its_place = 0;
  for (std::size_t i = 0; i < order_.size(); ++i) {
    const auto slot = order_[i];
    at_place = i > 0 && one_place(far_[order_[i - 1]], far_[slot]) ? at_place + 1 : 1;
    const bool its = one_place(far_[slot], far);
    at_its_place += its ? 1 : 0;
    if (pool_[slot].state != State::fresh) continue;
    last = i;
    if (its) of_its_place = i;
    if (at_place > kMaxAtOnePlace) crowded = i;
  }
  const auto farther = [&](std::optional<std::size_t> i) {
    return i && before(newcomer, pool_[order_[*i]].contact) ? i : std::nullopt;
  };
  if (at_its_place >= kMaxAtOnePlace) return farther(of_its_place);
  return crowded ? crowded : farther(last);
}

Lookup::Step Lookup::next(Time now) {
  if (stopped_ || now >= options_.deadline) return Finished{};
  bool waiting = false;
  for (std::size_t i = 0; i < options_.paths; ++i) {
    const auto path = static_cast<std::uint8_t>((turn_ + i) % options_.paths);
    if (paths_[path].done) continue;
    const auto step = strides() ? advance_shared() : advance(path);
    if (std::holds_alternative<Ask>(step)) {
      turn_ = static_cast<std::uint8_t>((path + 1) % options_.paths);
      return step;
    }
    if (std::holds_alternative<Wait>(step)) waiting = true;
  }
  if (waiting) return Wait{};
  return Finished{};
}

bool Lookup::ours(const Candidate& candidate, std::uint8_t path) const {
  if (candidate.state == State::failed) return false;
  return candidate.path == path || (candidate.path == kMaxPaths && (candidate.known_to & bit(path)) != 0);
}

// Of order_[from, end), all at one place, the one that stands for it: the nearest, but that of a place where enough
// were asked already no further one is. `end`: none.
std::size_t Lookup::one_of_place(std::uint8_t path, std::size_t from, std::size_t end) const {
  std::size_t asked = 0;
  if (end - from > kMaxAtOnePlace) {
    for (auto i = from; i < end; ++i) asked += pool_[order_[i]].path == path ? 1 : 0;
  }
  for (auto i = from; i < end; ++i) {
    const auto& c = pool_[order_[i]];
    if (ours(c, path) && (c.state != State::fresh || asked < kMaxAtOnePlace)) return i;
  }
  return end;
}

template <class Visit>
void Lookup::in_order(std::uint8_t path, Visit visit) const {
  for (const bool others : {false, true}) {
    bool crowded = false;
    for (std::size_t from = 0, end = 0; from < order_.size(); from = end) {
      for (end = from + 1; end < order_.size() && one_place(far_[order_[from]], far_[order_[end]]);) ++end;
      const auto first = one_of_place(path, from, end);
      crowded = crowded || end - from > 1;
      for (auto i = from; i < end; ++i) {
        if ((i != first) == others && ours(pool_[order_[i]], path) && !visit(order_[i], !others)) return;
      }
    }
    if (!crowded) return;
  }
}

Lookup::Step Lookup::advance(std::uint8_t path) {
  auto& p = paths_[path];
  std::size_t answered = 0;
  std::size_t expected = 0;  // on its way: who comes after enough of those need not be asked yet
  bool blocked = false;
  std::optional<Slot> fresh;
  in_order(path, [&](Slot slot, bool first) {
    const auto counted = answered + expected;
    const bool within = first && far_[slot] < options_.reach && counted < kMaxInReach;
    if (counted >= options_.width && !within) return false;
    switch (pool_[slot].state) {
      case State::fresh:
        if (!fresh) fresh = slot;
        break;
      case State::asked:
        blocked = true;
        ++expected;
        break;
      case State::late: blocked = true; break;
      case State::overdue: blocked = blocked || p.answered == 0; break;
      case State::answered: ++answered; break;
      case State::failed: break;
    }
    return true;
  });
  if (fresh && p.asked < kMaxAsked) {
    if (p.active < options_.alpha) return ask(path, *fresh);
    return Wait{};
  }
  if (blocked) return Wait{};
  p.done = true;
  return Finished{};
}

// One path among those of others. Who is in turn is asked as on any path; for who is late comes the nearest that was
// not asked, in turn or not, and the path ends with the first `width` answers of those near.
Lookup::Step Lookup::advance_shared() {
  auto& p = paths_[0];
  std::size_t rank = 0;
  std::size_t counted = 0;  // answered or about to
  std::size_t heard = 0;    // answered, of those whom all the paths ask
  bool blocked = false;
  bool open = false;
  std::optional<Slot> next;
  std::optional<Slot> nearest;
  in_order(0, [&](Slot slot, bool) {
    const auto& c = pool_[slot];
    const bool ahead = in_turn(c, rank) && counted < options_.width;
    const bool near = rank++ < options_.stride * options_.width;
    switch (c.state) {
      case State::fresh:
        if (!nearest) nearest = slot;
        if (!next && ahead) next = slot;
        break;
      case State::asked:
        blocked = blocked || ahead;
        open = true;
        ++counted;
        break;
      case State::late: open = true; break;
      case State::overdue: open = open || p.answered == 0; break;
      case State::answered:
        ++counted;
        heard += near ? 1 : 0;
        break;
      case State::failed: break;
    }
    return true;
  });
  if (p.strained && counted < options_.width && nearest) next = nearest;
  if (next && p.asked < kMaxAsked) {
    if (p.active < options_.alpha) return ask(0, *next);
    return Wait{};
  }
  if (blocked || (open && heard < options_.width)) return Wait{};
  p.done = true;
  return Finished{};
}

bool Lookup::in_turn(const Candidate& candidate, std::size_t rank) const {
  const bool behind_us = options_.own_place && nearer(options_.target, *options_.own_place, candidate.contact.position);
  return (rank + (behind_us ? 1 : 0)) % options_.stride == options_.rank;
}

void Lookup::widen(std::size_t width, std::uint64_t reach) {
  options_.width = width;
  options_.reach = reach;
  options_.stride = 1;
  for (auto& path : paths_) path.done = false;
}

Lookup::Step Lookup::ask(std::uint8_t path, Slot slot) {
  auto& c = pool_[slot];
  c.state = State::asked;
  c.path = path;
  ++paths_[path].active;
  ++paths_[path].asked;
  return Ask{slot, &c.contact};
}

void Lookup::settle(Candidate& candidate, State state) {
  auto& path = paths_[candidate.path];
  if (candidate.state == State::asked) --path.active;
  if (state == State::answered) {
    ++path.answered;
  } else {
    path.strained = true;
  }
  candidate.state = state;
}

void Lookup::on_answer(Slot slot, std::span<const Contact> contacts) { take(slot, State::answered, contacts); }

void Lookup::on_refusal(Slot slot, std::span<const Contact> contacts) { take(slot, State::failed, contacts); }

void Lookup::take(Slot slot, State state, std::span<const Contact> contacts) {
  if (slot >= pool_.size()) return;
  auto& c = pool_[slot];
  if (c.state != State::asked && c.state != State::late && c.state != State::overdue) return;
  settle(c, state);
  rounds_ = std::max<std::size_t>(rounds_, c.depth);
  const auto path = bit(c.path);
  const auto depth = static_cast<std::uint16_t>(c.depth + 1);
  for (const auto& contact : contacts) add(contact, path, depth);  // may move the pool: c is not used again
}

void Lookup::on_late(Slot slot) {
  if (slot >= pool_.size()) return;
  auto& c = pool_[slot];
  if (c.state == State::asked) {
    settle(c, State::late);
  } else if (c.state == State::late) {
    settle(c, State::overdue);
  }
}

void Lookup::on_failure(Slot slot) {
  if (slot >= pool_.size()) return;
  auto& c = pool_[slot];
  if (c.state == State::asked || c.state == State::late || c.state == State::overdue) settle(c, State::failed);
}

std::vector<Contact> Lookup::nearest(std::size_t n) const {
  std::vector<Slot> answered;
  for (const auto slot : order_) {
    if (pool_[slot].state == State::answered) answered.push_back(slot);
  }
  one_of_each_place_first(answered, [&](Slot slot) { return far_[slot]; });
  std::vector<Contact> out;
  for (std::size_t i = 0; i < std::min(n, answered.size()); ++i) out.push_back(pool_[answered[i]].contact);
  return out;
}

std::size_t Lookup::rank_of(Slot slot) const {
  std::size_t out = 0;
  in_order(0, [&](Slot other, bool) { return other != slot && ++out > 0; });
  return out;
}

std::size_t Lookup::asked() const {
  std::size_t out = 0;
  for (const auto& p : paths_) out += p.asked;
  return out;
}

}  // namespace linnet::dht
