// Records go to those that hold them: who they are is looked for, and mostly asked and told in one round trip.
#include <algorithm>

#include "dht/core.h"
#include "dht/place.h"

namespace linnet::dht {
namespace {

constexpr std::size_t kMissed = 2;       // of six that hold it
constexpr std::size_t kMostWatched = 4;  // a person has two names
constexpr std::size_t kNamers = 3;       // the nearest: if they know of nobody nearer, nobody else will

// Of all places, those nearer to `key` than the contact's.
double share_nearer(const Id& key, const Contact& contact) {
  double out = 0;
  double weight = 1;
  for (std::size_t i = 0; i < 8; ++i) {
    weight /= 256;
    out += weight * static_cast<double>(key.bytes[i] ^ contact.position.bytes[i]);
  }
  return out;
}

bool was_given(const PublishGoal& goal, const Contact& contact) {
  return std::find(goal.given.begin(), goal.given.end(), contact.device) != goal.given.end();
}

bool overtaken(AnswerStatus status) { return status == AnswerStatus::replayed || status == AnswerStatus::conflict; }

}  // namespace

// We may be one of those that hold it.
Result<LookupId> Dht::Impl::start_publishing(Time now, const Id& place, PublishGoal goal) {
  const auto n = copies_of(goal);
  goal.others = n - (table.self_among_nearest(place, n) ? 1 : 0);
  goal.supernodes = table.estimated_network_size();
  // Who would hold the only copy himself asks all the same: somebody nearer may be there.
  const auto width = std::max<std::size_t>(1, goal.others);
  auto lookup = lookup_of(now, place, 1, width);
  lookup.widen(width, reach_of_holders(goal.salted));
  return start(now, std::move(lookup), std::move(goal));
}

// Who gave us a cookie just now and seems to be one of those that hold it is not asked first: he is given the record,
// and says in the same answer who is nearer.
bool Dht::Impl::store_at_once(Time now, std::uint64_t id, Task& task, Lookup::Slot slot, const Contact& to) {
  auto* goal = std::get_if<PublishGoal>(&task.goal);
  if (goal == nullptr) return false;
  const auto& place = task.lookup.target();
  const auto rank = task.lookup.rank_of(slot);
  const bool wanted = rank < goal->others && goal->copies + goal->pending < goal->others;
  const bool fit = wanted && share_nearer(place, to) * goal->supernodes <= 2 * static_cast<double>(copies_of(*goal));
  Request request;
  request.kind = Kind::store;
  // The last is asked as well: three who lie, or know little, do not end the search alone.
  if (rank < kNamers || rank + 1 == goal->others) request.target = place;
  request.record = goal->record.wire;
  const bool sent = fit && !was_given(*goal, to) && cookie_of(now, to) != nullptr && !fell_silent(now, to) &&
                    ask(now, to, std::move(request), {Purpose::Kind::store_at_once, id, slot, 0});
  if (!sent) return false;
  ++goal->pending;
  give(*goal, place, to);
  return true;
}

void Dht::Impl::on_stored_at_once(Time now, const Answered& answered) {
  const auto& purpose = answered.purpose;
  const auto at = tasks.find(purpose.task);
  if (at == tasks.end()) return;
  const auto status = answered.answer.status;
  auto& lookup = at->second.lookup;
  if (lookup.overdue(purpose.slot)) --std::get<PublishGoal>(at->second.goal).overdue;
  if (status == AnswerStatus::ok || overtaken(status)) {
    lookup.on_answer(purpose.slot, answered.answer.contacts);
  } else {
    lookup.on_refusal(purpose.slot, answered.answer.contacts);
  }
  on_stored(now, purpose.task, status);
  drive(now, purpose.task);
}

void Dht::Impl::on_store_at_once_failed(Time now, const Purpose& purpose) {
  const auto at = tasks.find(purpose.task);
  if (at == tasks.end()) return;
  auto& lookup = at->second.lookup;
  if (lookup.overdue(purpose.slot)) --std::get<PublishGoal>(at->second.goal).overdue;
  lookup.on_failure(purpose.slot);
  on_stored(now, purpose.task, AnswerStatus::refused);
  drive(now, purpose.task);
}

void Dht::Impl::on_store_late(Time now, std::uint64_t id, Task& task, Lookup::Slot slot) {
  auto& goal = std::get<PublishGoal>(task.goal);
  const bool before = task.lookup.overdue(slot);
  task.lookup.on_late(slot);
  if (before || !task.lookup.overdue(slot)) return;
  ++goal.overdue;
  if (goal.storing) store_next(now, id);
}

// `near`: the supernodes nearest `key`, the record's place; a copy at a salted root wants fewer.
void Dht::Impl::begin_storing(Time now, std::uint64_t id, PublishGoal& goal, const Id& key, std::vector<Contact> near) {
  goal.storing = true;
  goal.targets = std::move(near);
  goal.crowd = crowd_among(goal, key);
  const auto n = copies_of(goal);
  if (goal.targets.size() > 2 * n) goal.targets.resize(2 * n);
  const bool few = goal.targets.size() < n;
  const auto place_of = [&](std::size_t i) -> const Id& { return goal.targets[i].position; };
  const bool among =
      few ? table.self_among_nearest(key, n) : among_first(key, self.position, n, goal.targets.size(), place_of);
  goal.next = 0;
  // Who took it at once, or is about to, and is none of the nearest, now that they are known, holds one more than is
  // wanted.
  const auto nearest_end = goal.targets.begin() + static_cast<std::ptrdiff_t>(std::min(n, goal.targets.size()));
  const auto among_them = static_cast<std::size_t>(
      std::count_if(goal.targets.begin(), nearest_end, [&](const Contact& c) { return was_given(goal, c); }));
  const auto taken = goal.copies - (goal.kept ? 1 : 0) + goal.pending + goal.overtaken;
  goal.strays = taken - std::min(taken, among_them);
  if (among && !goal.kept && keep(now, goal.record, self.endpoint.ip) == AnswerStatus::ok) {
    goal.kept = true;
    ++goal.copies;
  }
  std::erase_if(goal.targets, [&](const Contact& c) { return was_given(goal, c); });
  store_next(now, id);
}

// One of each place in reach is to hold it: how many more than planned that makes.
std::size_t Dht::Impl::crowd_among(const PublishGoal& goal, const Id& key) const {
  const auto planned = copies_of(goal) - goal.crowd;
  const auto reach = reach_of_holders(goal.salted);
  std::size_t within = 0;
  for (std::size_t i = 0; i < std::min(goal.targets.size(), Lookup::kMaxInReach); ++i) {
    const auto& position = goal.targets[i].position;
    const bool second = i > 0 && nearer(key, position, goal.targets[i - 1].position);
    if (second || (lead(position) ^ lead(key)) >= reach) break;
    ++within;
  }
  return within - std::min(within, planned);
}

void Dht::Impl::store_next(Time now, std::uint64_t id) {
  const auto at = tasks.find(id);
  auto& goal = std::get<PublishGoal>(at->second.goal);
  const auto wanted = copies_of(goal) + goal.strays;
  while (goal.copies + goal.pending - goal.overdue + goal.overtaken < wanted && goal.next < goal.targets.size()) {
    Request request;
    request.kind = Kind::store;
    request.record = goal.record.wire;
    const auto& to = goal.targets[goal.next++];
    if (seems_dead(now, to)) continue;
    give(goal, id_of(goal.record.user), to);
    if (ask(now, to, std::move(request), {Purpose::Kind::store, id, 0, 0})) ++goal.pending;
  }
  const bool enough = goal.copies + goal.overtaken >= wanted;
  if (!enough && (goal.pending > 0 || look_further(now, id, at->second))) return;
  if (goal.salted) {
    tasks.erase(at);
    return;
  }
  if (goal.watched && goal.copies > 0) watch(goal);
  events.push(Stored{LookupId{id}, goal.copies});
  PublishGoal again;
  again.salted = true;
  again.record = std::move(goal.record);
  const bool further = goal.copies > 0 && has_salted_roots();
  tasks.erase(at);
  if (!further) return;
  const auto root = salted_root(again.record.user);
  (void)start_publishing(now, root, std::move(again));
}

void Dht::Impl::give(PublishGoal& goal, const Id& place, const Contact& to) {
  goal.given.push_back(to.device);
  if (nearer(place, goal.farthest, to.position)) goal.farthest = to.position;
}

void Dht::Impl::watch(const PublishGoal& goal) {
  Watched one{goal.record.user, goal.farthest, {}};
  for (const auto& device : goal.given) {
    const auto* entry = table.book().find(device);
    one.given.emplace_back(device, entry != nullptr && entry->failures < RoutingTable::kBad);
  }
  std::erase_if(watched, [&](const Watched& w) { return w.user == one.user; });
  if (watched.size() < kMostWatched) watched.push_back(std::move(one));
}

bool Dht::Impl::thinned(const crypto::UserKey& user) const {
  const auto at = std::find_if(watched.begin(), watched.end(), [&](const Watched& w) { return w.user == user; });
  if (at == watched.end()) return false;
  std::size_t missing = 0;
  for (const auto& [device, met] : at->given) {
    const auto* entry = table.book().find(device);
    missing += met && (entry == nullptr || entry->failures >= RoutingTable::kBad) ? 1 : 0;
  }
  const auto place = id_of(user);
  for (const auto handle : table.nearest(place, config.replicas)) {
    const auto& contact = table.book().at(handle).contact;
    const bool given =
        std::any_of(at->given.begin(), at->given.end(), [&](const auto& g) { return g.first == contact.device; });
    missing += !given && nearer(place, contact.position, at->farthest) ? 1 : 0;
  }
  return missing >= kMissed;
}

// Some of those that answered did not take it.
bool Dht::Impl::look_further(Time now, std::uint64_t id, Task& task) {
  auto& goal = std::get<PublishGoal>(task.goal);
  const bool enough = goal.refused == 0 || goal.copies + goal.overtaken >= copies_of(goal);
  if (enough || goal.resumed || now >= task.lookup.deadline()) return false;
  goal.resumed = true;
  goal.storing = false;
  task.lookup.widen(goal.others + goal.crowd + kPublishSlack, task.lookup.reach());
  drive(now, id);
  return true;
}

void Dht::Impl::on_stored(Time now, std::uint64_t id, AnswerStatus status) {
  const auto at = tasks.find(id);
  if (at == tasks.end()) return;
  auto& goal = std::get<PublishGoal>(at->second.goal);
  --goal.pending;
  if (status == AnswerStatus::ok) {
    ++goal.copies;
  } else if (overtaken(status)) {
    ++goal.overtaken;
  } else {
    ++goal.refused;
  }
  if (goal.storing) store_next(now, id);
}

}  // namespace linnet::dht
