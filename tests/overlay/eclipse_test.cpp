// Who fills the host cache of a node, and waits for its next start. The attacker has all the addresses of some
// prefixes, tells of them through two informants without end, and is met in sessions as well; beside the cache a flat
// list is told the same, as it was before there were buckets.
#include <gtest/gtest.h>

#include <algorithm>

#include "overlay/host_cache.h"
#include "tests/overlay/hosts.h"

namespace linnet::overlay {
namespace {

constexpr std::size_t kCandidates = 8;
constexpr std::uint32_t kHonest = 40;           // supernodes, each of a prefix of its own, that the node has met
constexpr std::uint32_t kEvil = 100;            // prefixes from this on are the attacker's
constexpr std::uint32_t kAddresses = 60;        // of the attacker, of each prefix
constexpr std::uint32_t kEvilFrom = 1'000'000;  // keys

// The naive twin: 200 hosts, ten of a /24, the latest first; the oldest go.
struct FlatList {
  struct Entry {
    dht::Contact contact;
    Wall at{};
  };
  std::vector<Entry> entries;

  void met(const dht::Contact& contact, Wall at) {
    std::erase_if(entries, [&](const Entry& e) { return e.contact == contact; });
    const auto near = [&](const Entry& e) { return e.contact.endpoint.ip.prefix() == contact.endpoint.ip.prefix(); };
    if (std::count_if(entries.begin(), entries.end(), near) >= 10)
      entries.erase(std::find_if(entries.begin(), entries.end(), near));
    if (entries.size() >= 200) entries.erase(entries.begin());
    entries.push_back({contact, at});
  }
  std::vector<dht::Contact> candidates() const {
    std::vector<dht::Contact> out;
    for (auto it = entries.rbegin(); it != entries.rend() && out.size() < kCandidates; ++it) out.push_back(it->contact);
    return out;
  }
};

bool evil(const dht::Contact& contact) { return contact.endpoint.ip.bytes[13] >= kEvil; }

struct Siege {
  SeededRng rng;
  HostCache cache;
  FlatList flat;
  Wall now{1000};
  std::uint32_t prefixes;

  Siege(std::uint64_t seed, std::uint32_t k) : rng(seed), prefixes(k) {
    cache.key(rng.array<16>());
    for (std::uint32_t i = 0; i < kHonest; ++i) {
      meet(honest(i));
      cache.heard_of(honest(kHonest + i), honest(i % 4).endpoint.ip);
    }
    for (std::uint32_t i = 0; i < 3; ++i) cache.serves(honest(i), now);
  }
  dht::Contact honest(std::uint32_t i) { return host(i, 0, i); }
  dht::Contact hostile(std::uint32_t i) { return host(kEvilFrom + i, kEvil + i % prefixes, i / prefixes); }
  static dht::Contact host(std::uint32_t n, std::uint32_t block, std::uint32_t i) {
    const auto ip = n < kEvilFrom ? (60U << 24) + (i << 16) + 257 : (70U << 24) + (block << 16) + 97 * i + 1;
    return test::host(n, IpAddress::v4(ip));
  }
  void meet(const dht::Contact& contact) {
    cache.succeeded(contact, Way::udp, now, std::chrono::milliseconds(20));
    flat.met(contact, now);
    now = now + std::chrono::seconds(1);
  }
  // Everybody is there: the honest ones answer, and the attacker does.
  void feel() {
    if (const auto tested = cache.to_test(rng)) cache.succeeded(*tested, Way::udp, now, std::chrono::milliseconds(20));
  }
  void flood() {
    for (std::uint32_t i = 0; i < prefixes * kAddresses; ++i) {
      cache.heard_of(hostile(i), hostile(i % 2).endpoint.ip);
      if (i % 4 == 0) meet(hostile(i));
      if (i % 16 == 0) feel();
    }
  }
  std::size_t held() {
    const auto chosen = cache.candidates(kCandidates, rng);
    EXPECT_EQ(chosen.size(), kCandidates);
    return static_cast<std::size_t>(
        std::count_if(chosen.begin(), chosen.end(), [](const auto& h) { return evil(h.contact); }));
  }
  std::size_t held_of_flat() const {
    const auto chosen = flat.candidates();
    return static_cast<std::size_t>(std::count_if(chosen.begin(), chosen.end(), evil));
  }
  std::size_t honest_kept() const {
    return static_cast<std::size_t>(std::count_if(cache.hosts().begin(), cache.hosts().end(),
                                                  [](const auto& h) { return h.proven() && !evil(h.contact); }));
  }
};

TEST(Eclipse, NobodyIsMoreOfTheCandidatesThanHeHasPrefixes) {
  for (std::uint32_t k = 1; k <= 6; ++k) {
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
      Siege siege(seed, k);
      siege.flood();
      EXPECT_LE(siege.held(), k) << "seed " << seed;
      EXPECT_EQ(siege.held_of_flat(), kCandidates) << "the twin should have been taken";
    }
  }
}

TEST(Eclipse, WhoAnsweredBeforeStaysWhateverNumberComes) {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    Siege siege(seed, 64);
    const auto before = siege.honest_kept();
    siege.flood();
    EXPECT_GE(siege.honest_kept(), before) << "seed " << seed;
  }
}

// The two homes are honest, the one that was heard of never: of the five between them chance decides.
TEST(Eclipse, AnAttackerOfManyPrefixesHoldsAThirdOfTheCandidatesOnTheAverage) {
  for (const std::uint32_t k : {16U, 64U}) {
    std::size_t held = 0, most = 0, starts = 0;
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
      Siege siege(seed, k);
      siege.flood();
      for (int start = 0; start < 20; ++start, ++starts) {
        const auto now = siege.held();
        held += now;
        most = std::max(most, now);
      }
    }
    const auto share = static_cast<double>(held) / static_cast<double>(starts * kCandidates);
    RecordProperty("share_of_" + std::to_string(k), std::to_string(share));
    EXPECT_LE(share, k == 16 ? 0.25 : 0.34);
    EXPECT_LE(most, kCandidates - 2) << "the homes are not its";
  }
}

// Even when those that served last were the attacker's.
TEST(Eclipse, SeldomAStartMeetsNobodyElse) {
  for (const std::uint32_t k : {16U, 64U}) {
    std::size_t alone = 0, starts = 0;
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
      Siege siege(seed, k);
      siege.flood();
      for (const auto& h : std::vector<CachedHost>(siege.cache.hosts())) {
        if (h.proven() && evil(h.contact)) siege.cache.serves(h.contact, siege.now);
      }
      for (int start = 0; start < 100; ++start, ++starts) alone += siege.held() == kCandidates ? 1 : 0;
    }
    RecordProperty("alone_of_" + std::to_string(starts) + "_starts_at_" + std::to_string(k), std::to_string(alone));
    EXPECT_LE(alone * 100, starts);
  }
}

}  // namespace
}  // namespace linnet::overlay
