#include "overlay/host_cache.h"

#include <algorithm>

#include "base/growth.h"
#include "crypto/suite.h"

namespace linnet::overlay {

// A link-local address is worth nothing tomorrow, and nothing on another link.
bool HostCache::lasting(const dht::Contact& contact) {
  return !contact.endpoint.ip.is_link_local() && !contact.endpoint.ip.is_unspecified();
}

// On a LAN all addresses are of one prefix, and on loopback one address has many: there is nothing to tell by.
HostCache::Group HostCache::group_of(const Endpoint& endpoint) {
  const auto& ip = endpoint.ip;
  if (ip.is_global() && ip.is_v4()) return {4, ip.bytes[12], ip.bytes[13]};
  if (ip.is_global()) return {6, ip.bytes[0], ip.bytes[1], ip.bytes[2], ip.bytes[3]};
  Group out{};
  std::copy(ip.bytes.begin(), ip.bytes.end(), out.begin() + 1);
  out[17] = static_cast<std::uint8_t>(endpoint.port >> 8);
  out[18] = static_cast<std::uint8_t>(endpoint.port);
  return out;
}

// The parts have one size each for each `what`.
std::uint64_t HostCache::draw(std::string_view what, ByteView of, ByteView and_of) const {
  const auto hash = crypto::hash256({view("linnet-1 host cache"), secret_, view(what), of, and_of});
  return Reader(ByteView(hash)).u64();
}

std::size_t HostCache::tried_bucket(const Endpoint& endpoint) const {
  const auto group = group_of(endpoint);
  const std::uint8_t which[] = {static_cast<std::uint8_t>(draw("which", endpoint.ip.bytes, {}) % kTriedOfGroup)};
  return draw("tried", group, which) % kTriedBuckets;
}

std::size_t HostCache::fresh_bucket(const Endpoint& endpoint, const Group& informant) const {
  const std::uint8_t which[] = {
      static_cast<std::uint8_t>(draw("told", group_of(endpoint), informant) % kFreshOfInformant)};
  return draw("fresh", informant, which) % kFreshBuckets;
}

// By its key before by its address.
CachedHost* HostCache::find(const dht::Contact& contact) {
  CachedHost* there = nullptr;
  for (auto& h : hosts_) {
    if (h.contact.device == contact.device) return &h;
    if (h.contact.endpoint == contact.endpoint) there = &h;
  }
  return there;
}

CachedHost* HostCache::at(HostTable table, std::size_t slot) {
  const auto it =
      std::find_if(hosts_.begin(), hosts_.end(), [&](const auto& h) { return h.table == table && h.slot == slot; });
  return it == hosts_.end() ? nullptr : &*it;
}

bool HostCache::waited_for(std::size_t bucket) const {
  return std::any_of(hosts_.begin(), hosts_.end(),
                     [&](const auto& h) { return h.table == HostTable::waiting && h.slot / kSlots == bucket; });
}

void HostCache::add(const CachedHost& host) {
  make_room_for_one(hosts_);
  hosts_.push_back(host);
}

void HostCache::erase(CachedHost* host) {
  if (host != &hosts_.back()) *host = hosts_.back();
  hosts_.pop_back();
}

// A place in this bucket: a free one, else that of the one that failed most, and at least so often.
std::optional<std::size_t> HostCache::room(HostTable table, std::size_t bucket, std::uint32_t failures) {
  CachedHost* worst = nullptr;
  for (auto slot = bucket * kSlots; slot < (bucket + 1) * kSlots; ++slot) {
    auto* host = at(table, slot);
    if (host == nullptr) return slot;
    if (worst == nullptr || host->failures > worst->failures) worst = host;
  }
  if (worst->failures < failures) return std::nullopt;
  const std::size_t slot = worst->slot;
  erase(worst);
  return slot;
}

bool HostCache::put(CachedHost host, HostTable table, std::optional<std::size_t> slot) {
  if (!slot) return false;
  host.table = table;
  host.slot = static_cast<std::uint8_t>(*slot);
  add(host);
  return true;
}

bool HostCache::place_fresh(const CachedHost& host, const Group& informant) {
  const auto bucket = fresh_bucket(host.contact.endpoint, informant);
  return put(host, HostTable::fresh, room(HostTable::fresh, bucket, 1));
}

bool HostCache::place_tried(const CachedHost& host) {
  return put(host, HostTable::tried, room(HostTable::tried, tried_bucket(host.contact.endpoint), kGone));
}

// Whose place it would take follows from its key: who comes again and again meets the same one.
bool HostCache::place_waiting(const CachedHost& host) {
  const auto waiting =
      std::count_if(hosts_.begin(), hosts_.end(), [](const auto& h) { return h.table == HostTable::waiting; });
  const auto bucket = tried_bucket(host.contact.endpoint);
  if (static_cast<std::size_t>(waiting) >= kWaiting || waited_for(bucket)) return false;
  return put(host, HostTable::waiting, bucket * kSlots + draw("rival", host.contact.device.bytes, {}) % kSlots);
}

void HostCache::place(const CachedHost& host) {
  if (host.proven() && (place_tried(host) || place_waiting(host))) return;
  place_fresh(host, group_of(host.contact.endpoint));
}

// Those that answered first, and of them the latest.
void HostCache::adopt(std::vector<CachedHost> hosts) {
  hosts_.clear();
  std::stable_sort(hosts.begin(), hosts.end(), [](const CachedHost& a, const CachedHost& b) {
    return a.proven() != b.proven() ? a.proven() : a.last_success > b.last_success;
  });
  for (const auto& host : hosts) {
    if (find(host.contact) == nullptr) place(host);
  }
}

void HostCache::key(const Secret& secret) {
  secret_ = secret;
  adopt(std::exchange(hosts_, {}));
}

void HostCache::heard_of(const dht::Contact& contact, const IpAddress& by) {
  if (!lasting(contact) || find(contact) != nullptr) return;
  CachedHost host;
  host.contact = contact;
  place_fresh(host, group_of({by}));
}

// The places that somebody waits for and that are free.
void HostCache::let_in_waiting() {
  for (auto& host : hosts_) {
    if (host.table == HostTable::waiting && at(HostTable::tried, host.slot) == nullptr) host.table = HostTable::tried;
  }
}

// The one in this place answers: who waited for it is one among many again.
void HostCache::answered(std::size_t slot) {
  auto* host = at(HostTable::waiting, slot);
  if (host == nullptr) return;
  const auto rival = *host;
  erase(host);
  place_fresh(rival, group_of(rival.contact.endpoint));
}

void HostCache::succeeded(const dht::Contact& contact, Way way, Wall now, Duration rtt) {
  if (!lasting(contact)) return;
  auto* known = find(contact);
  auto host = known != nullptr ? *known : CachedHost{};
  const bool was_fresh = known != nullptr && !host.proven();
  const bool stays = host.proven() && tried_bucket(contact.endpoint) == host.slot / kSlots;
  while ((known = find(contact)) != nullptr) erase(known);  // one by its key, one by its address
  host.contact = contact;
  host.last_success = now;
  host.successes[static_cast<std::size_t>(way)] = now;
  host.rtt_us = static_cast<std::uint32_t>(std::clamp<std::int64_t>(micros(rtt), 0, 0xffffffff));
  host.failures = 0;
  if (stays) {
    add(host);
    if (host.table == HostTable::tried) answered(host.slot);
  } else if (!place_tried(host) && !place_waiting(host)) {
    if (was_fresh) {
      add(host);
    } else {
      place_fresh(host, group_of(contact.endpoint));
    }
  }
  let_in_waiting();
}

void HostCache::serves(const dht::Contact& contact, Wall now) {
  if (auto* host = find(contact)) host->served = now;
}

void HostCache::failed(const Endpoint& endpoint) {
  const auto it =
      std::find_if(hosts_.begin(), hosts_.end(), [&](const auto& h) { return h.contact.endpoint == endpoint; });
  if (it == hosts_.end()) return;
  if (it->failures < 1000) ++it->failures;
  const bool replaced =
      it->table == HostTable::tried && it->failures >= kTests && at(HostTable::waiting, it->slot) != nullptr;
  const bool never_answers = it->table == HostTable::fresh && it->failures >= kGone;
  if (replaced || never_answers || it->table == HostTable::waiting) erase(&*it);
  let_in_waiting();
}

std::optional<Way> HostCache::latest_way() const {
  std::optional<Way> out;
  Wall latest{};
  for (const auto& host : hosts_) {
    for (std::size_t i = 0; i < kWays; ++i) {
      if (host.successes[i] <= latest) continue;
      latest = host.successes[i];
      out = static_cast<Way>(i);
    }
  }
  return out;
}

}  // namespace linnet::overlay
