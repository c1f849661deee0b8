#include "overlay/host_cache.h"

#include <algorithm>

#include "base/growth.h"

namespace linnet::overlay {
namespace {

constexpr std::uint32_t kMagic = 0x4c484332;    // "LHC2"
constexpr std::uint32_t kWayless = 0x4c484331;  // "LHC1": did not tell by which way

// Tried before new, few failures before many, recent before old.
bool better(const CachedHost& a, const CachedHost& b) {
  const bool a_bad = a.failures >= 3;
  const bool b_bad = b.failures >= 3;
  if (a_bad != b_bad) return !a_bad;
  if (a.tried != b.tried) return a.tried;
  if (a.failures != b.failures) return a.failures < b.failures;
  if (a.last_success != b.last_success) return seconds(a.last_success) > seconds(b.last_success);
  return a.contact.device < b.contact.device;
}

CachedHost* find(std::vector<CachedHost>& hosts, const dht::Contact& contact) {
  for (auto& h : hosts) {
    if (h.contact.device == contact.device || h.contact.endpoint == contact.endpoint) return &h;
  }
  return nullptr;
}

// Who must go so that `contact` may come: the worst of a full prefix, else the worst of a full cache. Only an untried
// or failing host goes for one we merely heard of.
bool make_room(std::vector<CachedHost>& hosts, const dht::Contact& contact, bool tried) {
  const auto& ip = contact.endpoint.ip;
  std::vector<std::size_t> same;
  if (ip.is_global()) {
    for (std::size_t i = 0; i < hosts.size(); ++i) {
      const auto& other = hosts[i].contact.endpoint.ip;
      if (other.is_global() && other.prefix() == ip.prefix()) same.push_back(i);
    }
  }
  const bool prefix_full = same.size() >= HostCache::kPerPrefix;
  if (!prefix_full && hosts.size() < HostCache::kCapacity) return true;
  if (!prefix_full) {
    same.resize(hosts.size());
    for (std::size_t i = 0; i < same.size(); ++i) same[i] = i;
  }
  const auto worst = *std::max_element(same.begin(), same.end(),
                                       [&](std::size_t a, std::size_t b) { return better(hosts[a], hosts[b]); });
  if (!tried && hosts[worst].tried && hosts[worst].failures == 0) return false;
  hosts.erase(hosts.begin() + static_cast<std::ptrdiff_t>(worst));
  return true;
}

// A link-local address is worth nothing tomorrow, and nothing on another link.
bool lasting(const dht::Contact& contact) {
  return !contact.endpoint.ip.is_link_local() && !contact.endpoint.ip.is_unspecified();
}

}  // namespace

void HostCache::heard_of(const dht::Contact& contact) {
  if (!lasting(contact)) return;
  if (find(hosts_, contact) || !make_room(hosts_, contact, false)) return;
  CachedHost host;
  host.contact = contact;
  make_room_for_one(hosts_);
  hosts_.push_back(host);
}

void HostCache::succeeded(const dht::Contact& contact, Way way, Wall now, Duration rtt) {
  if (!lasting(contact)) return;
  auto* host = find(hosts_, contact);
  if (!host) {
    if (!make_room(hosts_, contact, true)) return;
    make_room_for_one(hosts_);
    host = &hosts_.emplace_back();
  }
  host->contact = contact;
  host->last_success = now;
  host->successes[static_cast<std::size_t>(way)] = now;
  host->rtt_us = static_cast<std::uint32_t>(std::clamp<std::int64_t>(micros(rtt), 0, 0xffffffff));
  host->failures = 0;
  host->tried = true;
}

void HostCache::failed(const dht::Contact& contact) {
  auto* host = find(hosts_, contact);
  if (!host) return;
  if (host->failures < 1000) ++host->failures;
  if (!host->tried && host->failures >= 3) {
    hosts_.erase(hosts_.begin() + (host - hosts_.data()));
  }
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

std::vector<CachedHost> HostCache::best(std::size_t n) const {
  auto out = hosts_;
  std::sort(out.begin(), out.end(), better);
  if (out.size() > n) out.resize(n);
  return out;
}

Bytes HostCache::save() const {
  Writer out(8 + hosts_.size() * 230);
  out.u32(kMagic).u16(static_cast<std::uint16_t>(hosts_.size()));
  for (const auto& h : hosts_) {
    dht::write(out, h.contact);
    out.u64(static_cast<std::uint64_t>(seconds(h.last_success))).u32(h.rtt_us).u32(h.failures).u8(h.tried ? 1 : 0);
    for (const auto at : h.successes) out.u64(static_cast<std::uint64_t>(seconds(at)));
  }
  const auto sum = crypto::hash256({out.written()});
  out.bytes(ByteView(sum).first(8));
  return out.take();
}

Result<HostCache> HostCache::load(ByteView bytes) {
  if (bytes.size() < 14) return fail(Fault::truncated);
  const auto body = bytes.first(bytes.size() - 8);
  const auto sum = crypto::hash256({body});
  if (!equal(ByteView(sum).first(8), bytes.last(8))) return fail(Fault::malformed);
  Reader in(body);
  const auto magic = in.u32();
  if (magic != kMagic && magic != kWayless) return fail(Fault::unsupported);
  const std::size_t n = in.u16();
  if (n > kCapacity) return fail(Fault::too_big);
  HostCache out;
  for (std::size_t i = 0; i < n; ++i) {
    auto contact = dht::read_contact(in);
    if (!contact) return fail(contact.error());
    CachedHost host;
    host.contact = *contact;
    host.last_success = Wall{static_cast<std::int64_t>(in.u64())};
    host.rtt_us = in.u32();
    host.failures = in.u32();
    host.tried = in.u8() != 0;
    for (auto& at : host.successes) at = Wall{magic == kMagic ? static_cast<std::int64_t>(in.u64()) : 0};
    if (lasting(host.contact)) out.hosts_.push_back(host);
  }
  if (!in.done()) return fail(Fault::malformed);
  return out;
}

}  // namespace linnet::overlay
