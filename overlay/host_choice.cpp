// HostCache: whom to ask.
#include <algorithm>

#include "overlay/host_cache.h"

namespace linnet::overlay {
namespace {

using Hosts = std::vector<const CachedHost*>;

void shuffle(Hosts& hosts, Rng& rng) {
  for (auto left = hosts.size(); left > 1; --left) std::swap(hosts[left - 1], hosts[rng.below(left)]);
}

bool same_group(const CachedHost& a, const CachedHost& b) {
  return HostCache::group_of(a.contact.endpoint) == HostCache::group_of(b.contact.endpoint);
}

// Who has many addresses of one group is not drawn more often for it.
Hosts one_of_each_group(const Hosts& shuffled, Rng& rng) {
  Hosts out;
  for (const auto* host : shuffled) {
    if (std::none_of(out.begin(), out.end(), [&](const auto* x) { return same_group(*x, *host); })) out.push_back(host);
  }
  shuffle(out, rng);
  return out;
}

// Adds those of `from` that hold, until there are `most`.
template <class Holds>
void take(Hosts& out, const Hosts& from, std::size_t most, Holds holds) {
  for (const auto* host : from) {
    if (out.size() >= most) return;
    if (std::find(out.begin(), out.end(), host) == out.end() && holds(*host)) out.push_back(host);
  }
}

Hosts latest_first(Hosts hosts) {
  std::stable_sort(hosts.begin(), hosts.end(), [](const CachedHost* a, const CachedHost* b) {
    return a->served != b->served ? a->served > b->served : a->last_success > b->last_success;
  });
  return hosts;
}

}  // namespace

std::optional<dht::Contact> HostCache::to_test(Rng& rng) const {
  std::array<Hosts, 2> choice;
  for (const auto& host : hosts_) {
    const bool tested = std::any_of(hosts_.begin(), hosts_.end(), [&](const CachedHost& rival) {
      return rival.table == HostTable::waiting && rival.slot == host.slot;
    });
    if (host.table == HostTable::tried && tested) choice[0].push_back(&host);
    if (host.table == HostTable::fresh) choice[1].push_back(&host);
  }
  const auto& from = choice[choice[0].empty() || (!choice[1].empty() && rng.below(2) == 1) ? 1 : 0];
  if (from.empty()) return std::nullopt;
  return from[rng.below(from.size())]->contact;
}

std::vector<CachedHost> HostCache::candidates(std::size_t n, Rng& rng) const {
  Hosts all;
  for (const auto& host : hosts_) all.push_back(&host);
  shuffle(all, rng);
  Hosts chosen;
  const auto sound = [](const CachedHost& h) { return h.failures < kGone; };
  const auto apart = [&](const CachedHost& h) {
    return std::none_of(chosen.begin(), chosen.end(), [&](const auto* x) { return same_group(*x, h); });
  };
  take(chosen, latest_first(all), std::min(n, kLatest),
       [&](const CachedHost& h) { return h.last_success != Wall{} && sound(h) && apart(h); });
  for (const bool proven : {true, false}) {
    Hosts table;
    take(table, all, all.size(), [&](const CachedHost& h) { return h.proven() == proven && sound(h); });
    const auto most = proven && n > 0 ? n - 1 : n;
    take(chosen, one_of_each_group(table, rng), most, apart);
  }
  Hosts proven;
  take(proven, all, all.size(), [](const CachedHost& h) { return h.proven(); });
  take(chosen, one_of_each_group(proven, rng), n, [&](const CachedHost& h) { return sound(h) && apart(h); });
  take(chosen, all, n, sound);
  take(chosen, all, n, [](const CachedHost&) { return true; });
  std::vector<CachedHost> out;
  for (const auto* host : chosen) out.push_back(*host);
  return out;
}

}  // namespace linnet::overlay
