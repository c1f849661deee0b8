#include "sim/sybils.h"

#include <algorithm>
#include <limits>
#include <set>
#include <unordered_set>

#include "dht/contact.h"
#include "sim/population.h"

namespace linnet::sim {
namespace {

constexpr std::uint64_t kOfSybils = 0x737962U;

class Keys {
 public:
  explicit Keys(const ScenarioConfig& config) : suite_(suite_of(config.wire)), rng_(config.seed ^ kOfSybils) {}

  SeededRng& rng() { return rng_; }
  crypto::SigningPair device() { return suite_.signing_pair(crypto::Secret(rng_.array<32>())); }
  // With this device; the rest is drawn.
  crypto::Identity identity(const crypto::SigningPair& device, std::size_t number, Wall now) {
    auto out = crypto::make_identity(suite_, rng_,
                                     *crypto::Address::parse("sybil" + std::to_string(number) + "@sim.example"), now);
    out.device = device;
    out.certificate.device = out.device_key();
    crypto::renew_certificate(suite_, out, now);
    return out;
  }

 private:
  const crypto::Suite& suite_;
  SeededRng rng_;
};

struct Site {
  IpAddress ip;
  std::uint64_t distance = std::numeric_limits<std::uint64_t>::max();  // of the best of its eight places, by its lead
};

// The 21 bits that follow from the address; what the key says of the others is the same for all.
std::uint64_t distance_of(const IpAddress& ip, const crypto::DeviceKey& device, const dht::Id& target) {
  constexpr std::uint64_t kOfAddress = ~std::uint64_t{0} << 43;
  return (dht::lead(dht::position(ip, device)) ^ dht::lead(target)) & kOfAddress;
}

// A device for each of the eight choices that a key has.
std::vector<crypto::DeviceKey> choices(Keys& keys) {
  constexpr std::size_t kChoices = 8;
  const IpAddress any = IpAddress::v4(8, 8, 8, 8);
  std::set<std::uint64_t> seen;
  std::vector<crypto::DeviceKey> out;
  while (out.size() < kChoices) {
    const crypto::DeviceKey key{keys.device().public_key};
    if (seen.insert(distance_of(any, key, {})).second) out.push_back(key);
  }
  return out;
}

// All addresses that he has.
std::vector<IpAddress> addresses(Keys& keys, std::size_t prefixes) {
  constexpr std::uint32_t kFirst = 64U << 24;  // 64.0.0.0/3 holds no honest host (population.h)
  std::vector<IpAddress> out;
  std::set<std::uint64_t> taken;
  while (taken.size() < prefixes) {
    const auto block = keys.rng().below(1U << 21);
    if (!taken.insert(block).second) continue;
    for (std::uint32_t last = 1; last < 255; ++last)
      out.push_back(IpAddress::v4(kFirst + static_cast<std::uint32_t>(block << 8) + last));
  }
  return out;
}

std::vector<Site> nearest_first(const std::vector<IpAddress>& from, const std::vector<crypto::DeviceKey>& choices,
                                const dht::Id& target) {
  std::vector<Site> out;
  for (const auto& ip : from) {
    Site site{ip};
    for (const auto& key : choices) site.distance = std::min(site.distance, distance_of(ip, key, target));
    out.push_back(site);
  }
  std::stable_sort(out.begin(), out.end(), [](const Site& a, const Site& b) { return a.distance < b.distance; });
  return out;
}

}  // namespace

std::vector<Placed> sybils_in_prefixes(const ScenarioConfig& config, const std::vector<dht::Id>& targets,
                                       std::size_t count, Wall now) {
  Keys keys(config);
  const auto eight = choices(keys);
  const auto own = addresses(keys, config.prefixes);
  count = std::min(count, own.size());
  std::vector<std::vector<Site>> sites;
  for (const auto& target : targets) sites.push_back(nearest_first(own, eight, target));
  std::vector<std::size_t> next(targets.size());
  std::unordered_set<IpAddress> used;
  std::vector<Placed> out;
  for (std::size_t turn = 0; out.size() < count; turn = (turn + 1) % targets.size()) {
    while (used.count(sites[turn][next[turn]].ip) != 0) ++next[turn];
    const auto& site = sites[turn][next[turn]];
    used.insert(site.ip);
    auto device = keys.device();
    while (distance_of(site.ip, {device.public_key}, targets[turn]) != site.distance) device = keys.device();
    out.push_back({{site.ip, 4400, Transport::udp}, keys.identity(device, out.size(), now)});
  }
  return out;
}

std::vector<Placed> sybils_anywhere(const ScenarioConfig& config, const std::vector<dht::Id>& targets,
                                    std::size_t count, const Population& who, Wall now) {
  Keys keys(config);
  const auto near = std::numeric_limits<std::uint64_t>::max() / (4 * std::uint64_t{who.supernodes});
  std::vector<Placed> out;
  while (out.size() < count) {
    const auto& target = targets[out.size() % targets.size()];
    const auto endpoint = closed_endpoint(who.nodes + static_cast<std::uint32_t>(out.size()));
    const auto device = keys.device();
    if ((dht::lead(dht::position(endpoint.ip, {device.public_key})) ^ dht::lead(target)) > near) continue;
    out.push_back({endpoint, keys.identity(device, out.size(), now)});
  }
  return out;
}

}  // namespace linnet::sim
