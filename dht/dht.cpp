#include "dht/dht.h"

#include <algorithm>

#include "dht/core.h"

namespace linnet::dht {
namespace {

constexpr std::size_t kMaxEvents = 1024;
constexpr std::size_t kNodesWidth = 8;  // nearest that must have answered before a find_nodes ends
constexpr Duration kRefreshAfterMove = std::chrono::seconds(5);

Contact own_contact(const Config& config, const crypto::Suite& suite, const crypto::Identity& identity,
                    const Endpoint& endpoint) {
  Contact out;
  out.endpoint = endpoint;
  out.device = identity.device_key();
  out.session = identity.session_key();
  out.signature = crypto::sign_session_key(suite, identity.device, config.network, out.session);
  out.position = position(endpoint.ip, out.device);
  return out;
}

}  // namespace

Dht::Impl::Impl(Config c, const crypto::Suite& s, Rng& r, const crypto::Identity& id, Endpoint endpoint)
    : config(std::move(c)),
      suite(s),
      rng(r),
      identity(id),
      self(own_contact(config, s, id, endpoint)),
      table(self, config.k, config.max_contacts, config.wide_buckets),
      store(config.max_records),
      rpc(config, s, r, id, counters),
      events(kMaxEvents) {
  store.restore(config.floors);
  config.floors = {};
}

void Dht::Impl::dispatch(Time now, RpcEvent event) {
  if (auto* incoming = std::get_if<Incoming>(&event)) return serve(now, std::move(*incoming));
  if (auto* answered = std::get_if<Answered>(&event)) return on_answered(now, *answered);
  if (const auto* late = std::get_if<Late>(&event)) return on_late(now, late->purpose);
  if (const auto* failed = std::get_if<Failed>(&event)) on_failed(now, *failed);
}

void Dht::Impl::move_to(Time now, const Endpoint& endpoint) {
  if (endpoint == self.endpoint) return;
  wake(now);
  self.endpoint = endpoint;
  self.position = position(endpoint.ip, self.device);
  table.move_to(self);
  searched_own = false;
  if (table.size() > 0) {
    self_refresh_every = kRefreshAfterMove;
    refresh_self(now);
  } else {
    self_refresh_at = kNever;  // with the first contact
  }
}

void Dht::Impl::wake(Time now) {
  if (tick_at != kNever) return;
  tick_at = now + std::chrono::milliseconds(1000 + rng.below(9000));
  purge_from = now + std::chrono::minutes(1);
}

void Dht::Impl::handle_timeout(Time now) {
  wake(now);
  while (auto event = rpc.handle_timeout(now)) dispatch(now, std::move(*event));
  while (!lookup_deadlines.empty() && lookup_deadlines.front().first <= now) {
    const auto id = lookup_deadlines.front().second;
    lookup_deadlines.pop_front();
    drive(now, id);
  }
  if (now >= tick_at) tick(now);
  if (now >= look_at) look_at_some(now);
  forget_old_deadlines();
}

Time Dht::Impl::next_timeout() const {
  auto out = std::min({rpc.next_timeout(), tick_at, look_at});
  if (!lookup_deadlines.empty()) out = std::min(out, lookup_deadlines.front().first);
  return out;
}

Dht::Dht(Config config, const crypto::Suite& suite, Rng& rng, const crypto::Identity& identity, Endpoint self)
    : impl_(std::make_unique<Impl>(std::move(config), suite, rng, identity, self)) {}

Dht::~Dht() = default;

void Dht::handle_datagram(Time now, const Datagram& datagram) {
  impl_->wake(now);
  if (auto event = impl_->rpc.handle_datagram(now, datagram)) impl_->dispatch(now, std::move(*event));
  impl_->forget_old_deadlines();
}

void Dht::handle_timeout(Time now) { impl_->handle_timeout(now); }

void Dht::handle_wall(Time now, Wall wall) {
  impl_->wake(now);
  impl_->clock.set(now, wall);
  impl_->wall_set_at = now;
}

void Dht::hear_time(Time now, const IpAddress& from, const crypto::SessionKey& who, Wall said) {
  impl_->clock.hear(now, from, who, said);
}

const NetworkClock& Dht::network_clock() const { return impl_->clock; }

void Dht::take_over(const NetworkClock& clock) { impl_->clock.take_over(clock); }
bool Dht::hand_over(Time now, std::size_t most) { return impl_->hand_over(now, most); }
std::vector<Floor> Dht::floors() const { return impl_->store.all_floors(); }

Time Dht::next_timeout() const { return impl_->next_timeout(); }
std::optional<Transmit> Dht::poll_transmit() { return impl_->rpc.poll_transmit(); }
std::optional<Event> Dht::poll_event() { return impl_->events.pop(); }

void Dht::add_hint(Time now, const Contact& contact) {
  impl_->wake(now);
  impl_->learn(now, contact, true);
  impl_->ping_hints(now);
}

void Dht::contact_lost(Time now, const crypto::DeviceKey& device) {
  auto* entry = impl_->table.book().find(device);
  if (entry == nullptr) return;
  entry->failures = std::max<std::uint8_t>(entry->failures, 1);  // one more and it is bad
  impl_->ping(now, entry->contact);
}

Result<LookupId> Dht::find_records(Time now, const crypto::UserKey& key, FindOptions options) {
  FindRecordsGoal goal;
  goal.key = key;
  goal.pinned = options.pinned;
  return impl_->start(now, impl_->lookup_for_records(now, id_of(key), options), std::move(goal));
}

Result<LookupId> Dht::find_nodes(Time now, const Id& target) {
  return impl_->start(now, impl_->lookup_of(now, target, 1, kNodesWidth), FindNodesGoal{});
}

Result<LookupId> Dht::publish(Time now, SignedRecord record, bool watched) {
  const auto key = id_of(record.user);
  PublishGoal goal;
  goal.record = std::move(record);
  goal.watched = watched;
  goal.farthest = key;
  return impl_->start_publishing(now, key, std::move(goal));
}

bool Dht::thinned(const crypto::UserKey& user) const { return impl_->thinned(user); }

std::vector<SignedRecord> Dht::local_records(const crypto::UserKey& key) const {
  std::vector<SignedRecord> out;
  const auto wall = impl_->wall_at(impl_->wall_set_at);
  if (!wall) return out;
  for (const auto* record : impl_->store.find(key, *wall)) out.push_back(*record);
  return out;
}

const Contact& Dht::self() const { return impl_->self; }
void Dht::move_to(Time now, const Endpoint& self) { impl_->move_to(now, self); }

std::vector<Contact> Dht::nearest(const Id& target, std::size_t n) const { return impl_->contacts_near(target, n); }

std::optional<Contact> Dht::contact_by_session(const crypto::SessionKey& key) const {
  const auto& book = impl_->table.book();
  for (std::size_t i = 0; i < book.size(); ++i) {
    const auto& entry = book.at(book.nth(i));
    if (entry.contact.session == key && entry.rtt.measured()) return entry.contact;
  }
  return std::nullopt;
}

bool Dht::looks_around(Time now) const { return impl_->looks_around(now); }
bool Dht::covers(const Id& target, std::size_t n) const { return impl_->covers(target, n); }

std::size_t Dht::contact_count() const { return impl_->table.size(); }
std::size_t Dht::book_count() const { return impl_->table.book().size(); }
double Dht::estimated_network_size() const { return impl_->table.estimated_network_size(); }
std::size_t Dht::contact_book_bytes() const { return impl_->table.book().memory_bytes(); }
std::size_t Dht::record_count() const { return impl_->store.size(); }
std::size_t Dht::record_bytes() const { return impl_->store.bytes(); }
std::size_t Dht::record_memory_bytes() const { return impl_->store.memory_bytes(); }
const Counters& Dht::counters() const { return impl_->counters; }

std::size_t Dht::memory_bytes() const {
  const auto& i = *impl_;
  return sizeof(Dht) + sizeof(Impl) + i.table.memory_bytes() - sizeof(RoutingTable) + i.rpc.memory_bytes() +
         i.tasks.size() * (sizeof(Task) + 64) + i.hints.capacity() * sizeof(Contact) + i.pinging.capacity() * 32;
}

}  // namespace linnet::dht
