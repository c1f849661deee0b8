#include "sim/sybils.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <set>

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

// A /24, by its first three bytes.
struct Block {
  std::uint32_t number = 0;
  std::uint32_t used = 0;  // addresses

  IpAddress address(std::uint32_t last) const { return IpAddress::v4((number << 8) + last); }
};

std::vector<Block> blocks(Keys& keys, std::size_t n) {
  constexpr std::uint32_t kFirst = 64U << 16;  // 64.0.0.0/3 holds no honest host (population.h)
  std::vector<Block> out;
  std::set<std::uint64_t> taken;
  while (taken.size() < n) {
    const auto block = keys.rng().below(1U << 21);
    if (taken.insert(block).second) out.push_back({kFirst + static_cast<std::uint32_t>(block)});
  }
  return out;
}

std::vector<std::size_t> nearest_first(const std::vector<Block>& from, const dht::Id& target) {
  std::vector<std::size_t> out(from.size());
  std::iota(out.begin(), out.end(), std::size_t{0});
  const auto place = [&](std::size_t i) { return dht::position(from[i].address(1), {}); };
  std::stable_sort(out.begin(), out.end(),
                   [&](std::size_t a, std::size_t b) { return dht::nearer(target, place(a), place(b)); });
  return out;
}

// Those that he uses around each target: all, where he has no choice, else those that lead nearest, in turn.
std::vector<std::vector<std::size_t>> chosen(const std::vector<Block>& from, const std::vector<dht::Id>& targets,
                                             std::size_t n) {
  std::vector<std::vector<std::size_t>> out;
  for (const auto& target : targets) out.push_back(nearest_first(from, target));
  if (n >= from.size()) return out;
  for (auto& mine : out) mine.resize(std::max<std::size_t>(1, n / targets.size()));
  return out;
}

}  // namespace

std::vector<Placed> sybils_in_prefixes(const ScenarioConfig& config, const std::vector<dht::Id>& targets,
                                       std::size_t count, Wall now) {
  constexpr std::uint32_t kAddresses = 254;
  Keys keys(config);
  auto own = blocks(keys, std::max<std::size_t>(config.prefixes, config.prefix_choice));
  const auto use = chosen(own, targets, config.prefixes);
  std::vector<Placed> out;
  for (std::size_t i = 0; i < count; ++i) {
    const auto& mine = use[i % targets.size()];
    auto& block = own[mine[i / targets.size() % mine.size()]];
    if (block.used == kAddresses) break;
    out.push_back({{block.address(++block.used), 4400, Transport::udp}, keys.identity(keys.device(), out.size(), now)});
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
