#include "overlay/half_open.h"

#include <cstring>

namespace linnet::overlay {

namespace {

// A genuine initiator answers within a round trip; after this the entry may make room.
constexpr Duration kFairTime = std::chrono::seconds(1);
constexpr double kBurstSeconds = 5;  // an office that is switched on in the morning comes from one prefix

// Behind a supernode many sources share an endpoint: the id of the path tells them apart.
Endpoint source_of(const Path& path) {
  if (path.kind == PathKind::direct) return path.endpoint;
  Writer out;
  write(out, path.endpoint);
  out.u8(static_cast<std::uint8_t>(path.kind)).u64(path.id);
  const auto hash = crypto::hash256({view("linnet-1 source"), out.written()});
  Endpoint source;
  std::copy_n(hash.bytes.begin(), source.ip.bytes.size(), source.ip.bytes.begin());
  source.port = path.endpoint.port;
  return source;
}

}  // namespace

void HalfOpen::tell(Time now, Session::Start& start) const {
  for (const auto& way : ways) {
    if (way.path != start.path) continue;
    start.received += way.received;
    start.sent += way.sent;
    if (way.answers == 1) start.rtt = std::max(now - way.answered_at, Duration(1));
    start.returned = ways.size() == 1;  // message 3 knows message 2, which went nowhere else
  }
}

HalfOpen* HalfOpenTable::by_index(std::uint32_t index) {
  const auto at = by_index_.find(index);
  return at == by_index_.end() ? nullptr : &entries_.at(at->second);
}

HalfOpen* HalfOpenTable::by_mac1(const crypto::Mac& mac1) {
  const auto at = by_mac1_.find(mac1);
  return at == by_mac1_.end() ? nullptr : &entries_.at(at->second);
}

HalfOpen* HalfOpenTable::add(Time now, std::uint32_t index, const crypto::Mac& mac1,
                             std::vector<std::uint32_t>& removed) {
  // Entries that are done are small, and bounded too.
  const bool full = waiting_ >= capacity_ || entries_.size() >= 4 * capacity_;
  if (full) {
    const auto oldest = entries_.begin();
    if (oldest == entries_.end() || oldest->second.since + kFairTime > now) return nullptr;
    erase(oldest, removed);
    if (waiting_ >= capacity_) return nullptr;
  }
  const auto number = next_++;
  auto& entry = entries_[number];
  entry.index = index;
  entry.mac1 = mac1;
  entry.began = now;
  entry.since = now;
  by_index_[index] = number;
  by_mac1_[mac1] = number;
  ++waiting_;
  note_timeout();
  return &entry;
}

void HalfOpenTable::refresh(Time now, HalfOpen& entry) {
  if (entry.since + kFairTime > now || entry.began + kLongestLife <= now) return;
  auto node = entries_.extract(by_mac1_.at(entry.mac1));
  node.key() = next_++;
  node.mapped().since = now;
  by_mac1_[entry.mac1] = node.key();
  by_index_[entry.index] = node.key();
  entries_.insert(std::move(node));
  note_timeout();
}

std::vector<std::pair<Path, Bytes>> HalfOpenTable::complete(HalfOpen& entry) {
  entry.done = true;
  entry.noise.reset();
  entry.message2 = Bytes();
  entry.ways = std::vector<HalfOpen::Way>();
  by_index_.erase(entry.index);  // the session's from now on
  --waiting_;
  return std::exchange(entry.early, {});
}

void HalfOpenTable::hold(Time now, std::uint32_t index, const Path& path, ByteView packet) {
  auto* entry = by_index(index);
  if (entry == nullptr) return;
  refresh(now, *entry);
  if (packet.size() > kMaxInner || entry->early.size() >= kMaxEarly) return;
  entry->early.emplace_back(path, copy(packet));
}

void HalfOpenTable::erase(Entries::iterator at, std::vector<std::uint32_t>& removed) {
  by_mac1_.erase(at->second.mac1);
  if (!at->second.done) {
    by_index_.erase(at->second.index);
    removed.push_back(at->second.index);
    --waiting_;
  }
  entries_.erase(at);
  note_timeout();
}

void HalfOpenTable::expire(Time now, std::vector<std::uint32_t>& removed) {
  while (next_timeout_ <= now) erase(entries_.begin(), removed);
  if (!entries_.empty() || by_mac1_.bucket_count() == 1) return;
  by_index_ = decltype(by_index_)();  // their buckets as well, which `= {}` would keep
  by_mac1_ = decltype(by_mac1_)();
}

std::size_t HalfOpenTable::memory_bytes() const {
  std::size_t bytes = 0;
  for (const auto& [number, entry] : entries_) {
    bytes += sizeof entry + 160 + entry.message2.capacity() + entry.ways.capacity() * sizeof(HalfOpen::Way);
    for (const auto& [path, packet] : entry.early) bytes += sizeof path + sizeof packet + packet.capacity();
  }
  return bytes;
}

Door::Door(const SessionsConfig& config, const crypto::Suite& suite, Rng& rng, const crypto::SessionKey& own)
    : suite_(&suite),
      rng_(&rng),
      own_(own),
      network_(config.network),
      own_mac1_(suite, own_),
      network_mac1_(suite, network_),
      jar_(suite, rng),
      unproven_(config.handshakes_per_prefix, kBurstSeconds * config.handshakes_per_prefix),
      proven_(config.handshakes_per_prefix, kBurstSeconds * config.handshakes_per_prefix) {}

ByteView Door::key(Pattern pattern) const { return knows_responder(pattern) ? ByteView(own_) : ByteView(network_); }

const crypto::Mac1& Door::mac1(Pattern pattern) const { return knows_responder(pattern) ? own_mac1_ : network_mac1_; }

bool Door::mac1_good(const HandshakePacket& packet) const {
  return mac1(packet.pattern).check(packet.under_mac1, packet.mac1);
}

Door::Verdict Door::ask(Time now, const Path& path, const HandshakePacket& packet, bool loaded) {
  const auto source = source_of(path);
  // Nobody far away can send from a loopback address, and one machine may run many nodes.
  const bool local = path.kind == PathKind::direct && source.ip.is_loopback();
  if (!loaded && (local || unproven_.allow(now, source.ip))) return Verdict::enter;
  if (!jar_.check_mac2(now, source, packet.under_mac2, packet.mac2)) return Verdict::cookie;
  return local || proven_.allow(now, source.ip) ? Verdict::enter : Verdict::refuse;
}

Bytes Door::cookie_packet(Time now, const Path& path, const HandshakePacket& packet) {
  return write_cookie(*suite_, *rng_, key(packet.pattern), packet.sender, packet.mac1,
                      jar_.cookie_for(now, source_of(path)));
}

}  // namespace linnet::overlay
