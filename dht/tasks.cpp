// Lookups under way: what is asked next, what an answer means, how it ends.
#include <algorithm>

#include "dht/core.h"

namespace linnet::dht {
namespace {

constexpr Duration kLookupLife = std::chrono::seconds(10);

bool already_has(const std::vector<SignedRecord>& found, const crypto::AccountKey& account) {
  return std::any_of(found.begin(), found.end(), [&](const SignedRecord& r) { return r.account() == account; });
}

}  // namespace

Result<LookupId> Dht::Impl::start(Time now, const Id& target, std::size_t paths, std::size_t width,
                                  decltype(Task::goal) goal) {
  wake(now);
  if (tasks.size() >= config.max_lookups) {
    ++counters.refused;
    return fail(Fault::full);
  }
  std::vector<Contact> seeds;
  for (const auto h : table.nearest(target, std::max(config.k, config.alpha * paths)))
    seeds.push_back(table.book().at(h).contact);
  const auto id = next_task++;
  const Lookup::Options options{target, paths, config.alpha, width, now + kLookupLife};
  Task& task = tasks.try_emplace(id, Task{Lookup(options, self.device, seeds), std::move(goal)}).first->second;
  lookup_deadlines.emplace_back(options.deadline, id);
  if (auto* records = std::get_if<FindRecordsGoal>(&task.goal)) {
    const auto time = wall_at(now);
    if (time) {
      for (const auto* r : store.find(records->key, *time)) records->found.push_back(*r);
    }
    if (records->pinned && already_has(records->found, *records->pinned)) task.lookup.stop();
  }
  drive(now, id);
  return LookupId{id};
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
  const auto* known = table.book().find(to.device);
  if ((known == nullptr || known->contact != to) && !verify(suite, config.network, to)) {
    ++counters.malformed;
    return task.lookup.on_failure(what.slot);
  }
  Request request;
  request.kind = std::holds_alternative<FindRecordsGoal>(task.goal) ? Kind::find_record : Kind::find_node;
  request.target = task.lookup.target();
  if (!ask(now, to, std::move(request), {Purpose::Kind::query, id, what.slot, 0}))
    return task.lookup.on_failure(what.slot);
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

Status Dht::Impl::ask(Time now, const Contact& to, Request request, const Purpose& purpose) {
  constexpr Duration kCookieLife = std::chrono::seconds(110);
  request.sender = self;
  std::optional<crypto::Mac> cookie;
  const auto* entry = table.book().find(to.device);
  if (entry != nullptr && entry->contact == to && entry->cookie_at != Time::min() &&
      now - entry->cookie_at < kCookieLife) {
    cookie = entry->cookie;
  }
  return rpc.ask(now, to, request, purpose, timeout_for(to), cookie);
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
  std::erase_if(silent, [&](const auto& s) { return s.second == answered.from.device; });
  auto& contacts = answered.answer.contacts;
  std::erase_if(contacts, [&](const Contact& c) { return !believable(c, answered.from); });
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
    case Purpose::Kind::hand_on: break;
  }
  if (fresh) on_new_contact(now, answered.from);
  for (const auto& contact : contacts) learn(now, contact, false);
  ping_hints(now);
}

void Dht::Impl::on_query_answer(Time now, const Answered& answered) {
  const auto at = tasks.find(answered.purpose.task);
  if (at == tasks.end()) return;
  auto& task = at->second;
  task.lookup.on_answer(answered.purpose.slot, answered.answer.contacts);
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
  if (purpose.kind != Purpose::Kind::query) return;
  const auto at = tasks.find(purpose.task);
  if (at == tasks.end()) return;
  at->second.lookup.on_late(purpose.slot);
  drive(now, purpose.task);
}

void Dht::Impl::on_failed(Time now, const Failed& failed) {
  table.failed(failed.to);
  if (silent.size() == kSilentRemembered) silent.pop_front();
  silent.emplace_back(now, failed.to.device);
  const auto& purpose = failed.purpose;
  if (purpose.kind == Purpose::Kind::ping) std::erase(pinging, failed.to.device);
  if (purpose.kind == Purpose::Kind::store) on_stored(now, purpose.task, AnswerStatus::refused);
  const auto at = tasks.find(purpose.task);
  if (at != tasks.end() && purpose.kind == Purpose::Kind::query) {
    at->second.lookup.on_failure(purpose.slot);
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
    std::stable_sort(records->found.begin(), records->found.end(),
                     [](const SignedRecord& a, const SignedRecord& b) { return a.sequence > b.sequence; });
    events.push(RecordsFound{LookupId{id}, std::move(records->found), task.lookup.asked() + records->further_asked,
                             task.lookup.rounds()});
  } else if (std::holds_alternative<FindNodesGoal>(task.goal)) {
    events.push(NodesFound{LookupId{id}, task.lookup.nearest(config.k)});
  } else if (auto* publish = std::get_if<PublishGoal>(&task.goal)) {
    return begin_storing(now, id, *publish, task.lookup);
  }
  const auto* refresh = std::get_if<RefreshGoal>(&task.goal);
  const bool joining = refresh != nullptr && refresh->joining;
  tasks.erase(at);
  if (joining) refresh_stale(now, true);
}

void Dht::Impl::begin_storing(Time now, std::uint64_t id, PublishGoal& goal, const Lookup& lookup) {
  goal.storing = true;
  const auto key = id_of(goal.record.user);
  goal.targets = lookup.nearest(2 * config.replicas);
  const auto n = config.replicas;
  const bool near = goal.targets.size() < n || nearer(key, self.position, goal.targets[n - 1].position);
  if (near && keep(now, goal.record, self.endpoint.ip) == AnswerStatus::ok) ++goal.copies;
  store_next(now, id);
}

void Dht::Impl::store_next(Time now, std::uint64_t id) {
  const auto at = tasks.find(id);
  auto& goal = std::get<PublishGoal>(at->second.goal);
  while (goal.copies + goal.pending + goal.overtaken < config.replicas && goal.next < goal.targets.size()) {
    Request request;
    request.kind = Kind::store;
    request.record = goal.record.wire;
    if (ask(now, goal.targets[goal.next++], std::move(request), {Purpose::Kind::store, id, 0, 0})) ++goal.pending;
  }
  if (goal.pending > 0) return;
  events.push(Stored{LookupId{id}, goal.copies});
  tasks.erase(at);
}

void Dht::Impl::on_stored(Time now, std::uint64_t id, AnswerStatus status) {
  const auto at = tasks.find(id);
  if (at == tasks.end()) return;
  auto& goal = std::get<PublishGoal>(at->second.goal);
  --goal.pending;
  if (status == AnswerStatus::ok) ++goal.copies;
  if (status == AnswerStatus::replayed || status == AnswerStatus::conflict) ++goal.overtaken;
  store_next(now, id);
}

// Most lookups end long before their deadline; their entries go when they come to the front.
void Dht::Impl::forget_old_deadlines() {
  while (!lookup_deadlines.empty() && tasks.find(lookup_deadlines.front().second) == tasks.end())
    lookup_deadlines.pop_front();
}

}  // namespace linnet::dht
