// Keeping the table alive and the copies where they belong.
#include <algorithm>
#include <cmath>

#include "dht/core.h"

namespace linnet::dht {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr Duration kTick = seconds(10);
constexpr Duration kQuietLimit = minutes(5);    // a contact not heard of for so long is pinged
constexpr Duration kBucketLimit = minutes(15);  // Kademlia's hour, for a network whose nodes come and go faster
constexpr Duration kFirstSelfRefresh = seconds(5);
constexpr Duration kLastSelfRefresh = minutes(10);
constexpr Duration kSilence = seconds(30);
constexpr std::size_t kLivenessBatch = 8;
constexpr std::size_t kFewSilent = 4;  // and a sixteenth of those known
constexpr std::size_t kLookBatch = 4;
constexpr Duration kLookPause = std::chrono::milliseconds(400);
constexpr Duration kLookEvery = minutes(2);
constexpr std::size_t kMostLookedAt = 512;
constexpr std::size_t kRefreshWidth = 4;
constexpr std::size_t kJoinWidth = 8;
constexpr std::size_t kRecordsExamined = 256;
constexpr std::size_t kHandOnAtOnce = 16;
constexpr std::size_t kHandOnExamined = 512;

}  // namespace

// Somebody spoke of this supernode: remembered until there is room to ping it, if the table could use it.
void Dht::Impl::learn(Time now, const Contact& contact, bool first) {
  if (contact.endpoint == self.endpoint || !table.wants(contact)) return;
  if (!first && fell_silent(now, contact)) return;
  const auto same = [&](const Contact& c) { return c.device == contact.device && c.endpoint == contact.endpoint; };
  if (std::any_of(hints.begin(), hints.end(), same) ||
      std::find(pinging.begin(), pinging.end(), contact.device) != pinging.end()) {
    return;
  }
  if (hints.size() >= kMaxHints) {
    if (!first) return;  // hearsay; it will be said again
    hints.pop_back();
  }
  hints.insert(first ? hints.begin() : hints.end(), contact);
}

bool Dht::Impl::fell_silent(Time now, const Contact& contact) const {
  return std::any_of(silent.begin(), silent.end(),
                     [&](const auto& s) { return s.device == contact.device && now - s.since < kSilence; });
}

// It was asked for nothing just now, while others answered; twice, where there are few to ask in its place.
bool Dht::Impl::seems_dead(Time now, const Contact& contact) const {
  if (silent.empty()) return false;
  const auto* known = table.book().find(contact.device);
  if (known != nullptr && known->failures < (has_salted_roots() ? 1 : RoutingTable::kBad)) return false;
  return std::any_of(silent.begin(), silent.end(),
                     [&](const auto& s) { return s.device == contact.device && s.alone && now - s.since < kSilence; });
}

void Dht::Impl::ping(Time now, const Contact& contact) {
  if (pinging.size() >= 2 * kMaxPings || std::find(pinging.begin(), pinging.end(), contact.device) != pinging.end())
    return;
  if (!ask(now, contact, Request{}, {Purpose::Kind::ping, 0, 0, 0})) return;
  pinging.push_back(contact.device);
  if (auto* entry = table.book().find(contact.device)) entry->tried = now;
}

void Dht::Impl::ping_hints(Time now) {
  while (!hints.empty() && pinging.size() < kMaxPings) {
    const auto contact = hints.front();
    hints.erase(hints.begin());
    if (!table.wants(contact)) continue;
    if (!verify(suite, config.network, contact)) {
      ++counters.malformed;
      continue;
    }
    ping(now, contact);
  }
  // A burst's room is given back.
  if (hints.empty()) hints = std::vector<Contact>();
  if (pinging.empty()) pinging = std::vector<crypto::DeviceKey>();
}

void Dht::Impl::on_new_contact(Time now, const Contact& contact) {
  if (self_refresh_at == kNever) {
    self_refresh_every = kFirstSelfRefresh;
    refresh_self(now);
  }
  hand_on(now, contact);
}

// A nearer supernode than some that hold our records has come: the nearest holder gives it a copy.
void Dht::Impl::hand_on(Time now, const Contact& contact) {
  const auto time = wall_at(now);
  if (!time) return;
  std::size_t given = 0;
  for (const auto* record : store.all(kHandOnExamined)) {
    if (given == kHandOnAtOnce) return;
    const auto key = id_of(record->user);
    // First the cheap question, since few records pass it: whether nobody but the new one is nearer than we are.
    const std::size_t new_one = nearer(key, contact.position, self.position) ? 1 : 0;
    if (table.nearer_than_self(key) > new_one) continue;
    const auto near = table.nearest(key, config.replicas);
    const auto is_new = [&](Handle h) { return table.book().at(h).contact.device == contact.device; };
    if (std::none_of(near.begin(), near.end(), is_new) || !check_time(*record, *time)) continue;
    Request request;
    request.kind = Kind::store;
    request.record = record->wire;
    if (!ask(now, contact, std::move(request), {Purpose::Kind::hand_on, 0, 0, 0})) return;
    ++given;
    ++counters.handed_on;
  }
}

void Dht::Impl::tick(Time now) {
  tick_at = now + kTick + std::chrono::milliseconds(rng.below(1000));
  const bool told = clock.by_median() || now >= purge_from;  // who has few to ask goes by his own clock after a while
  if (const auto time = wall_at(now); time && told) store.purge(*time);
  let_go_of_far_records(now);
  check_liveness(now);
  ping_hints(now);
  if (now >= self_refresh_at) {
    refresh_self(now);
  } else {
    refresh_stale(now, false);
  }
}

// The network grew around a key: when twice the planned copies have nearer places than ours, ours is one too many.
void Dht::Impl::let_go_of_far_records(Time now) {
  if (swept == table.generation()) return;  // what came since was judged when it was stored
  if (store_cursor == crypto::UserKey{}) {
    sweeping = table.generation();
    sweep_is_clean = true;
  }
  const auto keys = store.keys_after(store_cursor, kRecordsExamined);
  store_cursor = keys.size() < kRecordsExamined ? crypto::UserKey{} : keys.back();
  for (const auto& key : keys) {
    if (belongs_here(key)) continue;
    sweep_is_clean = false;  // it goes only when another has it: to be looked at again
    let_go(now, key);
  }
  if (store_cursor == crypto::UserKey{} && sweep_is_clean && sweeping == table.generation()) swept = sweeping;
}

// It may be the last copy: those who came since may never have been given one. So it goes when one of the nearest
// says that it has it, or has something newer.
void Dht::Impl::let_go(Time now, const crypto::UserKey& key) {
  const auto time = wall_at(now);
  const bool under_way =
      std::any_of(leaving.begin(), leaving.end(), [&](const auto& l) { return l.second.key == key; });
  if (!time || under_way || leaving.size() >= kMaxLeaving) return;
  const auto near = table.nearest(id_of(key), config.replicas);
  if (near.empty()) return;
  const auto& to = table.book().at(near[rng.below(std::min<std::size_t>(near.size(), 3))]).contact;
  const auto id = next_leaving++;
  auto& one = leaving[id];
  one.key = key;
  for (const auto* record : store.find(key, *time)) {
    Request request;
    request.kind = Kind::store;
    request.record = record->wire;
    if (ask(now, to, std::move(request), {Purpose::Kind::let_go, id, 0, 0})) {
      ++one.pending;
    } else {
      one.all_kept = false;
    }
  }
  if (one.pending == 0) leaving.erase(id);
}

void Dht::Impl::on_let_go(std::uint64_t id, bool kept) {
  const auto at = leaving.find(id);
  if (at == leaving.end()) return;
  auto& one = at->second;
  one.all_kept = one.all_kept && kept;
  if (--one.pending > 0) return;
  if (one.all_kept) store.drop(one.key);
  leaving.erase(at);
}

// We are one of those that hold it: the one that takes our place is the farthest of as many others. Where there are
// fewer, each is given it, since nobody else holds what one of them may have missed.
std::vector<Contact> Dht::Impl::heirs(const crypto::UserKey& key) const {
  const auto place = id_of(key);
  const bool near = table.self_among_nearest(place, 2 * config.replicas);
  const auto n = near ? config.replicas : config.salted_replicas;
  auto out = contacts_near(near ? place : salted_root(key), n);
  if (out.size() == n) out.erase(out.begin(), out.end() - 1);
  return out;
}

bool Dht::Impl::hand_over(Time now, std::size_t most) {
  const auto time = wall_at(now);
  if (!time) return true;
  if (!handed_over) handed_over.emplace();
  const auto keys = store.keys_after(*handed_over, most);
  for (const auto& key : keys) {
    for (const auto& to : heirs(key)) {
      for (const auto* record : store.find(key, *time)) {
        Request request;
        request.kind = Kind::store;
        request.record = record->wire;
        if (ask(now, to, std::move(request), {Purpose::Kind::hand_on, 0, 0, 0})) ++counters.handed_on;
      }
    }
    handed_over = key;
  }
  return keys.size() < most;
}

void Dht::Impl::check_liveness(Time now) {
  std::vector<Contact> due;
  const auto n = table.book().size();
  for (std::size_t i = 0; i < std::min(n, kLivenessBatch); ++i) {
    liveness_cursor = (liveness_cursor + 1) % n;
    const auto& entry = table.book().at(table.book().nth(liveness_cursor));
    const bool quiet = entry.failures == 0 && now - entry.heard > kQuietLimit;
    const bool doubtful = entry.failures > 0 && now - entry.tried > kTick * (1 << entry.failures);
    if (quiet || doubtful) due.push_back(entry.contact);
  }
  for (const auto& contact : due) ping(now, contact);
}

// Many died at once, it seems: everybody known is asked, a few at a time, before records are sent to the dead.
void Dht::Impl::look_after_silence(Time now) {
  if (look_at != kNever || (look_from != Time::min() && now - look_from < kLookEvery)) return;
  const auto dead =
      std::count_if(silent.begin(), silent.end(), [&](const auto& s) { return s.alone && now - s.since < kSilence; });
  if (static_cast<std::size_t>(dead) < std::max(kFewSilent, table.size() / 16)) return;
  look_from = now;
  // Twice: who goes meanwhile moves the others up.
  look_left = std::min(2 * table.book().size(), kMostLookedAt);
  look_at = now + std::chrono::milliseconds(rng.below(1000));
}

bool Dht::Impl::looks_around(Time now) const { return look_from != Time::min() && now - look_from < kSilence; }

void Dht::Impl::look_at_some(Time now) {
  std::vector<Contact> due;
  for (const auto n = table.book().size(); look_left > 0 && n > 0 && due.size() < kLookBatch; --look_left) {
    liveness_cursor = (liveness_cursor + 1) % n;
    const auto& entry = table.book().at(table.book().nth(liveness_cursor));
    if (entry.failures < RoutingTable::kBad && entry.heard < look_from) due.push_back(entry.contact);
  }
  look_at = due.empty() ? kNever : now + kLookPause;
  for (const auto& contact : due) ping(now, contact);
}

bool Dht::Impl::covers(const Id& target, std::size_t n) const {
  return searched_own && target != self.position && table.covers(target, n);
}

void Dht::Impl::refresh_self(Time now) {
  self_refresh_at = now + self_refresh_every;
  self_refresh_every = std::min(2 * self_refresh_every, kLastSelfRefresh);
  (void)start(now, lookup_of(now, self.position, 1, kJoinWidth), RefreshGoal{true, true});
}

// Looks for a random place in the bucket that was longest without; when joining, one after another until none is stale.
void Dht::Impl::refresh_stale(Time now, bool joining) {
  const auto supernodes = table.estimated_network_size();
  while (const auto bucket = table.take_stale_bucket(now, now - kBucketLimit)) {
    // Around ourselves everybody is known already; a bucket that should hold nobody is not worth a lookup.
    // At our own place (from bucket kPlaceBits on) the size of the network says nothing.
    const bool shared = *bucket >= kPlaceBits && table.live_in(*bucket) > 1;
    if (!shared && std::ldexp(supernodes, -static_cast<int>(*bucket) - 1) < 2) continue;
    (void)start(now, lookup_of(now, table.random_in(*bucket, rng), 1, kRefreshWidth), RefreshGoal{joining, false});
    return;
  }
}

}  // namespace linnet::dht
