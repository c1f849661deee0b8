// Lookups under way: what is asked next, what an answer means, how it ends.
#include <algorithm>
#include <cmath>

#include "dht/core.h"

namespace linnet::dht {
namespace {

constexpr Duration kLookupLife = std::chrono::seconds(10);
constexpr std::size_t kSaltedWidth = 3;
constexpr std::size_t kRecordsWidth = 4;  // of six that hold it
// Three walks that ask two holders each: though one of them lies, four were asked.
constexpr std::size_t kShareWidth = 2;
constexpr std::size_t kLeastShares = 3;
// The slot of a question says which of a task's two lookups it was for.
constexpr std::uint32_t kSaltedSlot = 1U << 31;

bool salted(const Task& task) {
  const auto* goal = std::get_if<FindRecordsGoal>(&task.goal);
  return goal != nullptr && goal->salted;
}
// None: for the lookup before this one.
std::optional<Lookup::Slot> slot_of(const Task& task, const Purpose& purpose) {
  if (((purpose.slot & kSaltedSlot) != 0) != salted(task)) return std::nullopt;
  return purpose.slot & ~kSaltedSlot;
}

bool already_has(const std::vector<SignedRecord>& found, const crypto::AccountKey& account) {
  return std::any_of(found.begin(), found.end(), [&](const SignedRecord& r) { return r.account() == account; });
}

}  // namespace

Result<LookupId> Dht::Impl::start(Time now, Lookup lookup, decltype(Task::goal) goal) {
  wake(now);
  if (tasks.size() >= config.max_lookups) {
    ++counters.refused;
    return fail(Fault::full);
  }
  const auto id = next_task++;
  Task& task = tasks.try_emplace(id, Task{std::move(lookup), std::move(goal)}).first->second;
  lookup_deadlines.emplace_back(task.lookup.deadline(), id);
  if (auto* records = std::get_if<FindRecordsGoal>(&task.goal)) {
    const auto time = wall_at(now);
    if (time) {
      for (const auto* r : store.find(records->key, *time)) records->found.push_back(*r);
    }
    if (records->pinned && already_has(records->found, *records->pinned)) task.lookup.stop();
  }
  auto* publish = std::get_if<PublishGoal>(&task.goal);
  const auto target = task.lookup.target();
  if (publish != nullptr && covers(target, copies_of(*publish) + kPublishSlack)) {
    begin_storing(now, id, *publish, target, contacts_near(target, kMostTargets));
  } else {
    drive(now, id);
  }
  return LookupId{id};
}

Lookup Dht::Impl::lookup_for_records(Time now, const Id& target, const FindOptions& options) const {
  const auto [which, of] = options.share;
  if (of < kLeastShares || which >= of || options.paths > 1)
    return lookup_of(now, target, options.paths, kRecordsWidth);
  const Lookup::Options walk{target, 1, config.alpha, kShareWidth, now + kLookupLife, which, of, self.position};
  return Lookup(walk, self.device, contacts_near(target, config.k));
}

Lookup Dht::Impl::lookup_of(Time now, const Id& target, std::size_t paths, std::size_t width) const {
  const auto seeds = contacts_near(target, std::max(config.k, config.alpha * paths));
  return Lookup({target, paths, config.alpha, width, now + kLookupLife}, self.device, seeds);
}

bool Dht::Impl::satisfied(const FindRecordsGoal& goal) const {
  return goal.pinned ? already_has(goal.found, *goal.pinned) : !goal.found.empty();
}

// Found nothing: of a walk that asked its share those that are nearest are asked as well; then, here and at the salted
// root, whoever is where a holder has to be, in case those who are nearer are there to hide something.
bool Dht::Impl::goes_on(Time now, Task& task) const {
  auto& lookup = task.lookup;
  const auto& goal = std::get<FindRecordsGoal>(task.goal);
  if (satisfied(goal) || now >= lookup.deadline()) return false;
  const auto width = goal.salted ? kSaltedWidth : kRecordsWidth;
  const auto reach = reach_of_holders(goal.salted);
  if (!lookup.strides() && lookup.reach() >= reach) return false;
  lookup.widen(width, lookup.strides() ? 0 : reach);
  return true;
}

// The distance within which, in a network of this size, chance would put as many places as have to be asked.
std::uint64_t Dht::Impl::reach_of_holders(bool salted) const {
  if (!has_salted_roots()) return 0;
  const auto places = salted ? kSaltedHoldersWithin : kHoldersWithin;
  return static_cast<std::uint64_t>(std::ldexp(places / table.least_network_size(), 64));
}

// Nobody around the key had what was looked for: they may have been chosen to be there. Its salted root is another
// place.
bool Dht::Impl::try_salted_root(Time now, Task& task) {
  auto& goal = std::get<FindRecordsGoal>(task.goal);
  if (satisfied(goal) || goal.salted || !has_salted_roots() || now >= task.lookup.deadline()) return false;
  const auto deadline = task.lookup.deadline();
  goal.salted = true;
  goal.asked_before = task.lookup.asked();
  goal.rounds_before = task.lookup.rounds();
  task.lookup = lookup_of(now, salted_root(goal.key), 1, kSaltedWidth);
  task.lookup.end_by(deadline);
  return true;
}

std::vector<Contact> Dht::Impl::contacts_near(const Id& target, std::size_t n) const {
  const auto handles = table.nearest(target, n);
  std::vector<Contact> out;
  out.reserve(handles.size());
  for (const auto h : handles) out.push_back(table.book().at(h).contact);
  return out;
}

void Dht::Impl::drive(Time now, std::uint64_t id) {
  const auto at = tasks.find(id);
  if (at == tasks.end()) return;
  auto& task = at->second;
  if (const auto* publish = std::get_if<PublishGoal>(&task.goal); publish != nullptr && publish->storing) return;
  for (;;) {
    const auto step = task.lookup.next(now);
    if (std::holds_alternative<Lookup::Wait>(step)) return;
    if (std::holds_alternative<Lookup::Finished>(step)) return finish(now, id);
    query(now, id, task, std::get<Lookup::Ask>(step));
  }
}

void Dht::Impl::query(Time now, std::uint64_t id, Task& task, const Lookup::Ask& what) {
  const Contact to = *what.contact;
  if (seems_dead(now, to)) return task.lookup.on_failure(what.slot);
  const auto* known = table.book().find(to.device);
  if ((known == nullptr || known->contact != to) && !verify(suite, config.network, to)) {
    ++counters.malformed;
    return task.lookup.on_failure(what.slot);
  }
  if (store_at_once(now, id, task, what.slot, to)) return;
  Request request;
  request.kind = std::holds_alternative<FindRecordsGoal>(task.goal) ? Kind::find_record : Kind::find_node;
  request.target = task.lookup.target();
  if (salted(task)) request.key = std::get<FindRecordsGoal>(task.goal).key;
  const auto slot = what.slot | (salted(task) ? kSaltedSlot : 0);
  if (!ask(now, to, std::move(request), {Purpose::Kind::query, id, slot, 0})) return task.lookup.on_failure(what.slot);
  if (fell_silent(now, to)) task.lookup.on_late(what.slot);  // the next one is asked beside it from the start
}

bool Dht::Impl::ask_further(Time now, std::uint64_t id, FindRecordsGoal& goal, const Contact& to, std::uint64_t skip) {
  if (skip >= RecordStore::kPerKey) return false;
  Request request;
  request.kind = Kind::find_record;
  request.target = id_of(goal.key);
  request.skip = skip;
  if (!ask(now, to, std::move(request), {Purpose::Kind::further, id, 0, skip})) return false;
  ++goal.further;
  ++goal.further_asked;
  return true;
}

const crypto::Mac* Dht::Impl::cookie_of(Time now, const Contact& to) const {
  constexpr Duration kCookieLife = std::chrono::seconds(110);
  const auto* entry = table.book().find(to.device);
  const bool good = entry != nullptr && entry->contact == to && entry->cookie_at != Time::min() &&
                    now - entry->cookie_at < kCookieLife;
  return good ? &entry->cookie : nullptr;
}

Status Dht::Impl::ask(Time now, const Contact& to, Request request, const Purpose& purpose) {
  request.sender = self;
  const auto* cookie = cookie_of(now, to);
  return rpc.ask(now, to, request, purpose, timeout_for(to), cookie ? std::optional(*cookie) : std::nullopt);
}

Duration Dht::Impl::timeout_for(const Contact& to) const {
  using std::chrono::milliseconds;
  const auto* entry = table.book().find(to.device);
  if (entry != nullptr && entry->contact == to && entry->rtt.measured()) {
    return std::clamp<Duration>(entry->rtt.timeout(), milliseconds(25), milliseconds(1000));
  }
  if (samples >= 8) return std::clamp<Duration>(everybody.timeout(), milliseconds(50), milliseconds(500));
  return milliseconds(300);
}

bool Dht::Impl::believable(const Contact& told, const Contact& by) const {
  return told.device != self.device && told.endpoint != self.endpoint && may_tell(told.endpoint.ip, by.endpoint.ip);
}

void Dht::Impl::on_answered(Time now, Answered& answered) {
  if (answered.rtt) {
    everybody.add(*answered.rtt);
    ++samples;
  }
  if (const auto said = answered.answer.time) clock.hear(now, answered.from.endpoint.ip, answered.from.session, *said);
  std::erase_if(silent, [&](const auto& s) { return s.device == answered.from.device; });
  answered_at = now;
  auto& contacts = answered.answer.contacts;
  for (const auto& c : contacts) table.book().prefetch_slot(c.device);
  std::erase_if(contacts, [&](const Contact& c) { return !believable(c, answered.from); });
  for (const auto& c : contacts) table.book().prefetch_entry(c.device);
  const bool fresh = table.answered(now, answered.from, answered.rtt);
  if (auto* entry = table.book().find(answered.from.device); entry != nullptr && entry->contact == answered.from) {
    if (answered.answer.cookie) {
      entry->cookie = *answered.answer.cookie;
      entry->cookie_at = now;
    }
  }
  const auto& purpose = answered.purpose;
  switch (purpose.kind) {
    case Purpose::Kind::ping: std::erase(pinging, answered.from.device); break;
    case Purpose::Kind::query: on_query_answer(now, answered); break;
    case Purpose::Kind::further: on_further_answer(now, answered); break;
    case Purpose::Kind::store: on_stored(now, purpose.task, answered.answer.status); break;
    case Purpose::Kind::store_at_once: on_stored_at_once(now, answered); break;
    case Purpose::Kind::hand_on: break;
    case Purpose::Kind::let_go: {
      const auto status = answered.answer.status;
      on_let_go(purpose.task, status == AnswerStatus::ok || status == AnswerStatus::replayed);
      break;
    }
  }
  if (fresh) on_new_contact(now, answered.from);
  for (const auto& contact : contacts) learn(now, contact, false);
  ping_hints(now);
}

void Dht::Impl::on_query_answer(Time now, const Answered& answered) {
  const auto at = tasks.find(answered.purpose.task);
  if (at == tasks.end()) return;
  auto& task = at->second;
  if (const auto slot = slot_of(task, answered.purpose)) task.lookup.on_answer(*slot, answered.answer.contacts);
  if (!answered.answer.record.empty()) collect(now, task, answered.answer.record);
  if (auto* goal = std::get_if<FindRecordsGoal>(&task.goal);
      goal != nullptr && answered.answer.more && !answered.answer.record.empty()) {
    ask_further(now, at->first, *goal, answered.from, 1);
  }
  drive(now, at->first);
}

void Dht::Impl::on_further_answer(Time now, const Answered& answered) {
  const auto at = tasks.find(answered.purpose.task);
  if (at == tasks.end()) return;
  auto& goal = std::get<FindRecordsGoal>(at->second.goal);
  --goal.further;
  if (!answered.answer.record.empty()) {
    collect(now, at->second, answered.answer.record);
    if (answered.answer.more) ask_further(now, at->first, goal, answered.from, answered.purpose.skip + 1);
  }
  drive(now, at->first);
}

// A record that somebody showed us: kept if it is signed, for this key, within its time, and the newest of its device.
void Dht::Impl::collect(Time now, Task& task, ByteView wire) {
  auto* goal = std::get_if<FindRecordsGoal>(&task.goal);
  const auto time = wall_at(now);
  if (goal == nullptr || !time) return;
  const auto same_bytes = [&](const SignedRecord& r) { return equal(r.wire, wire); };
  if (std::any_of(goal->found.begin(), goal->found.end(), same_bytes)) return;  // verified once is enough
  auto record = read_record(suite, config.network, wire);
  if (!record || record->user != goal->key) {
    ++counters.malformed;
    return;
  }
  if (!check_time(*record, *time)) return;
  const auto same_device = [&](const SignedRecord& r) {
    return r.device() == record->device() && r.account() == record->account();
  };
  const auto old = std::find_if(goal->found.begin(), goal->found.end(), same_device);
  if (old != goal->found.end()) {
    if (record->sequence == old->sequence) events.push(Alarm{record->user, record->device()});
    if (record->sequence > old->sequence) *old = std::move(*record);
  } else if (goal->found.size() < 4 * RecordStore::kPerKey) {
    goal->found.push_back(std::move(*record));
  }
  if (goal->pinned && already_has(goal->found, *goal->pinned)) task.lookup.stop();
}

void Dht::Impl::on_late(Time now, const Purpose& purpose) {
  if (purpose.kind != Purpose::Kind::query && purpose.kind != Purpose::Kind::store_at_once) return;
  const auto at = tasks.find(purpose.task);
  if (at == tasks.end()) return;
  if (purpose.kind == Purpose::Kind::store_at_once) {
    on_store_late(now, at->first, at->second, purpose.slot);
  } else if (const auto slot = slot_of(at->second, purpose)) {
    at->second.lookup.on_late(*slot);
  }
  drive(now, purpose.task);
}

void Dht::Impl::on_failed(Time now, const Failed& failed) {
  table.failed(failed.to);
  if (silent.size() == kSilentRemembered) silent.erase(silent.begin());
  const bool alone = answered_at > failed.sent;
  silent.push_back({now, failed.to.device, alone});
  if (alone && looks_around(now)) table.failed(failed.to);  // many die: once is enough
  look_after_silence(now);
  const auto& purpose = failed.purpose;
  if (purpose.kind == Purpose::Kind::ping) std::erase(pinging, failed.to.device);
  if (purpose.kind == Purpose::Kind::store) on_stored(now, purpose.task, AnswerStatus::refused);
  if (purpose.kind == Purpose::Kind::store_at_once) on_store_at_once_failed(now, purpose);
  if (purpose.kind == Purpose::Kind::let_go) on_let_go(purpose.task, false);
  const auto at = tasks.find(purpose.task);
  if (at != tasks.end() && purpose.kind == Purpose::Kind::query) {
    if (const auto slot = slot_of(at->second, purpose)) at->second.lookup.on_failure(*slot);
    drive(now, purpose.task);
  }
  if (at != tasks.end() && purpose.kind == Purpose::Kind::further) {
    --std::get<FindRecordsGoal>(at->second.goal).further;
    drive(now, purpose.task);
  }
  ping_hints(now);
}

void Dht::Impl::finish(Time now, std::uint64_t id) {
  const auto at = tasks.find(id);
  auto& task = at->second;
  if (auto* records = std::get_if<FindRecordsGoal>(&task.goal)) {
    const bool satisfied = records->pinned && already_has(records->found, *records->pinned);
    if (records->further > 0 && !satisfied && now < task.lookup.deadline()) return;
    if (goes_on(now, task)) return drive(now, id);
    if (try_salted_root(now, task)) return drive(now, id);
    std::stable_sort(records->found.begin(), records->found.end(),
                     [](const SignedRecord& a, const SignedRecord& b) { return a.sequence > b.sequence; });
    events.push(RecordsFound{LookupId{id}, std::move(records->found),
                             records->asked_before + task.lookup.asked() + records->further_asked,
                             records->rounds_before + task.lookup.rounds()});
  } else if (std::holds_alternative<FindNodesGoal>(task.goal)) {
    events.push(NodesFound{LookupId{id}, task.lookup.nearest(config.k)});
  } else if (auto* publish = std::get_if<PublishGoal>(&task.goal)) {
    return begin_storing(now, id, *publish, task.lookup.target(), task.lookup.nearest(kMostTargets));
  }
  const auto* refresh = std::get_if<RefreshGoal>(&task.goal);
  const bool joining = refresh != nullptr && refresh->joining;
  if (refresh != nullptr && refresh->own && task.lookup.target() == self.position) searched_own = true;
  tasks.erase(at);
  if (joining) refresh_stale(now, true);
}

// Most lookups end long before their deadline; their entries go when they come to the front.
void Dht::Impl::forget_old_deadlines() {
  while (!lookup_deadlines.empty() && tasks.find(lookup_deadlines.front().second) == tasks.end())
    lookup_deadlines.pop_front();
}

}  // namespace linnet::dht
