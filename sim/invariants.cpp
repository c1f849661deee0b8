#include "sim/invariants.h"

#include <algorithm>

namespace linnet::sim {

void Invariants::say(std::string what) {
  if (std::find(broken_.begin(), broken_.end(), what) == broken_.end()) broken_.push_back(std::move(what));
}

void Invariants::look_at(const PeerActor& actor) {
  const auto& peer = actor.peer();
  if (peer.memory_bytes() > kBytesPerPeer) say("a peer holds more than 4 MiB");
  if (peer.host_cache().size() > overlay::HostCache::kCapacity) say("a host cache holds more than its limit");
  const auto* dht = peer.dht();
  if (dht == nullptr) return;
  const dht::Config limits;
  if (dht->book_count() > limits.max_contacts) say("a contact book holds more than its limit");
  if (dht->record_count() > limits.max_records) say("a store holds more than its limit");
  if (dht->contact_count() > dht->book_count()) say("a routing table names contacts that its book does not hold");
}

void Invariants::look(const World& world, const std::vector<PeerActor*>& actors, Time now) {
  const auto span = static_cast<std::uint64_t>(micros(now - looked_));
  last_.resize(actors.size());
  for (std::uint32_t i = 0; i < actors.size(); ++i) {
    if (!world.alive(HostId{i})) continue;
    const auto& counters = world.counters(HostId{i});
    auto& last = last_[i];
    if ((counters.deadlines - last.deadlines) * 1'000'000 >
        kDeadlinesPerSecond * std::max<std::uint64_t>(span, 1'000'000))
      say("a timer is always due");
    if ((counters.packets_out - last.packets) * 1'000'000 >
        kPacketsPerSecond * std::max<std::uint64_t>(span, 1'000'000))
      say("a host sends a storm of datagrams");
    last = {counters.deadlines, counters.packets_out};
    look_at(*actors[i]);
  }
  looked_ = now;
}

std::vector<std::string> Invariants::broken() const {
  auto out = broken_;
  if (oversize_) out.push_back("a datagram was over 1,200 bytes");
  return out;
}

}  // namespace linnet::sim
