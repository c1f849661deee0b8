// HostCache: the file. Magic, the secret, the number of hosts, each host, and the first bytes of a hash of all that.
#include <algorithm>

#include "crypto/suite.h"
#include "overlay/host_cache.h"

namespace linnet::overlay {
namespace {

constexpr std::uint32_t kMagic = 0x4c484333;    // "LHC3"
constexpr std::uint32_t kFlat = 0x4c484332;     // "LHC2": before there were buckets
constexpr std::uint32_t kWayless = 0x4c484331;  // "LHC1": did not tell by which way
constexpr std::size_t kSum = 8;

Wall read_wall(Reader& in) { return Wall{static_cast<std::int64_t>(in.u64())}; }

Result<CachedHost> read_host(Reader& in, std::uint32_t magic) {
  auto contact = dht::read_contact(in);
  if (!contact) return fail(contact.error());
  CachedHost host;
  host.contact = *contact;
  host.last_success = read_wall(in);
  host.rtt_us = in.u32();
  host.failures = in.u32();
  const auto table = in.u8();
  if (magic != kMagic) {
    host.table = table != 0 ? HostTable::tried : HostTable::fresh;
  } else {
    if (table > static_cast<std::uint8_t>(HostTable::waiting)) return fail(Fault::malformed);
    host.table = static_cast<HostTable>(table);
    host.slot = in.u8();
    host.served = read_wall(in);
  }
  if (magic == kWayless) return host;
  for (auto& at : host.successes) at = read_wall(in);
  return host;
}

}  // namespace

Bytes HostCache::save() const {
  Writer out(32 + hosts_.size() * 240);
  out.u32(kMagic).bytes(secret_).u16(static_cast<std::uint16_t>(hosts_.size()));
  for (const auto& h : hosts_) {
    dht::write(out, h.contact);
    out.u64(static_cast<std::uint64_t>(seconds(h.last_success))).u32(h.rtt_us).u32(h.failures);
    out.u8(static_cast<std::uint8_t>(h.table)).u8(h.slot).u64(static_cast<std::uint64_t>(seconds(h.served)));
    for (const auto at : h.successes) out.u64(static_cast<std::uint64_t>(seconds(at)));
  }
  const auto sum = crypto::hash256({out.written()});
  out.bytes(ByteView(sum).first(kSum));
  return out.take();
}

// As this node would have placed it: each in a place of its own, and few that wait.
Status HostCache::check(const CachedHost& host) {
  const bool fresh = host.table == HostTable::fresh;
  const auto bucket = host.slot / kSlots;
  const auto buckets = fresh ? kFreshBuckets : kTriedBuckets;
  if (bucket >= buckets || find(host.contact) != nullptr) return fail(Fault::malformed);
  if (at(host.table, host.slot) != nullptr) return fail(Fault::malformed);
  if (!fresh && bucket != tried_bucket(host.contact.endpoint)) return fail(Fault::malformed);
  if (host.table == HostTable::waiting && waited_for(bucket)) return fail(Fault::malformed);
  return {};
}

Result<HostCache> HostCache::load(ByteView bytes) {
  if (bytes.size() < 4 + 2 + kSum) return fail(Fault::truncated);
  const auto body = bytes.first(bytes.size() - kSum);
  const auto sum = crypto::hash256({body});
  if (!equal(ByteView(sum).first(kSum), bytes.last(kSum))) return fail(Fault::malformed);
  Reader in(body);
  const auto magic = in.u32();
  if (magic != kMagic && magic != kFlat && magic != kWayless) return fail(Fault::unsupported);
  HostCache out;
  if (magic == kMagic) out.secret_ = in.array<16>();
  const std::size_t n = in.u16();
  if (n > kCapacity) return fail(Fault::too_big);
  std::vector<CachedHost> hosts;
  for (std::size_t i = 0; i < n; ++i) {
    const auto host = read_host(in, magic);
    if (!host) return fail(host.error());
    if (lasting(host->contact)) hosts.push_back(*host);
  }
  if (!in.done()) return fail(Fault::malformed);
  if (magic != kMagic) {
    out.adopt(std::move(hosts));
    return out;
  }
  for (const auto& host : hosts) {
    if (auto ok = out.check(host); !ok) return fail(ok.error());
    out.add(host);
  }
  out.let_in_waiting();
  return out;
}

}  // namespace linnet::overlay
