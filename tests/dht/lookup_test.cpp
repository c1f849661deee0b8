#include "dht/lookup.h"

#include <algorithm>
#include <map>
#include <set>

#include "dht/message.h"
#include "dht/routing_table.h"
#include "tests/dht/support.h"

namespace linnet::dht::test {
namespace {

// Supernodes with tables of their own, and the naive twin: who knows everybody sorts them all.
struct Topology {
  Topology(std::uint64_t seed, std::size_t n, std::size_t k = 16) : rng(seed) {
    for (std::size_t i = 0; i < n; ++i) {
      all.push_back(paper_contact(rng, endpoint(0x0a000000U + static_cast<std::uint32_t>(i))));
      index[all.back().device] = i;
    }
    for (const auto& self : all) {
      tables.push_back(std::make_unique<RoutingTable>(self, k, 4000));
      for (std::size_t i = 0; i < n; ++i)
        tables.back()->answered(Time{}, all[(i * 7919 + tables.size()) % n], std::nullopt);
    }
    dead.resize(n);
  }

  std::vector<Contact> knows(std::size_t i, const Id& target, std::size_t n) const {
    std::vector<Contact> out;
    for (const auto h : tables[i]->nearest(target, n)) out.push_back(tables[i]->book().at(h).contact);
    return out;
  }

  std::vector<Contact> truth(const Id& target, std::size_t except, std::size_t n) const {
    std::vector<Contact> out;
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (!dead[i] && i != except) out.push_back(all[i]);
    }
    std::sort(out.begin(), out.end(),
              [&](const Contact& a, const Contact& b) { return nearer(target, a.position, b.position); });
    out.resize(std::min(out.size(), n));
    return out;
  }

  // Answers come in random order; the dead are late, late again, and then fail.
  Lookup run(std::size_t from, const Id& target, std::size_t paths, std::size_t width) {
    Lookup lookup({target, paths, 4, width, kNever}, all[from].device, knows(from, target, 16));
    std::vector<std::pair<Lookup::Slot, int>> open;
    for (;;) {
      const auto step = lookup.next(Time{});
      if (const auto* ask = std::get_if<Lookup::Ask>(&step)) {
        open.emplace_back(ask->slot, 0);
        continue;
      }
      if (std::holds_alternative<Lookup::Finished>(step) || open.empty()) break;
      const auto pick = rng.below(open.size());
      auto& [slot, late] = open[pick];
      const auto who = index.at(lookup.contact(slot).device);
      if (!dead[who]) {
        lookup.on_answer(slot, knows(who, target, kMaxContactsInAnswer));
      } else if (late++ < 2) {
        lookup.on_late(slot);
        continue;
      } else {
        lookup.on_failure(slot);
      }
      open.erase(open.begin() + static_cast<std::ptrdiff_t>(pick));
    }
    return lookup;
  }

  SeededRng rng;
  std::vector<Contact> all;
  std::map<crypto::DeviceKey, std::size_t> index;
  std::vector<std::unique_ptr<RoutingTable>> tables;
  std::vector<bool> dead;
};

TEST(Lookup, FindsWhatTheNaiveTwinFinds) {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    Topology net(seed, seed < 3 ? 20 : 400);
    for (int round = 0; round < 40; ++round) {
      const Id target{net.rng.array<32>()};
      const auto from = net.rng.below(net.all.size());
      const auto lookup = net.run(from, target, 1, 8);
      const auto truth = net.truth(target, from, 8);
      const auto found = lookup.nearest(8);
      ASSERT_EQ(found.size(), truth.size());
      for (std::size_t i = 0; i < truth.size(); ++i) EXPECT_EQ(found[i], truth[i]) << seed << "/" << round << "/" << i;
      EXPECT_LE(lookup.asked(), 40U);
    }
  }
}

TEST(Lookup, WithAThirdDeadTheNearestLivingOnesAreStillFound) {
  std::size_t right = 0;
  std::size_t total = 0;
  for (std::uint64_t seed = 11; seed <= 14; ++seed) {
    Topology net(seed, 400);
    for (std::size_t i = 0; i < net.dead.size(); ++i) net.dead[i] = net.rng.unit() < 0.33;
    for (int round = 0; round < 40; ++round) {
      const Id target{net.rng.array<32>()};
      const auto from = net.rng.below(net.all.size());
      const auto lookup = net.run(from, target, 1, 4);
      const auto truth = net.truth(target, from, 3);
      const auto found = lookup.nearest(3);
      for (std::size_t i = 0; i < 3; ++i) {
        ++total;
        right += i < found.size() && found[i] == truth[i] ? 1 : 0;
      }
    }
  }
  EXPECT_GE(right * 100, total * 97);
}

TEST(Lookup, DisjointPathsAskNobodyTwice) {
  Topology net(21, 200);
  for (int round = 0; round < 20; ++round) {
    const Id target{net.rng.array<32>()};
    Lookup lookup({target, 3, 4, 4, kNever}, net.all[0].device, net.knows(0, target, 16));
    std::vector<Lookup::Slot> open;
    std::set<crypto::DeviceKey> devices;
    for (;;) {
      const auto step = lookup.next(Time{});
      if (const auto* ask = std::get_if<Lookup::Ask>(&step)) {
        EXPECT_TRUE(devices.insert(ask->contact->device).second);
        open.push_back(ask->slot);
        continue;
      }
      if (open.empty()) break;
      const auto slot = open.front();
      open.erase(open.begin());
      lookup.on_answer(slot, net.knows(net.index.at(lookup.contact(slot).device), target, kMaxContactsInAnswer));
    }
    EXPECT_EQ(lookup.nearest(1).at(0), net.truth(target, 0, 1).at(0));
  }
}

// Who walks for whom, and whom it asks at once.
std::vector<std::size_t> asked_at_once(Lookup& lookup, const Topology& net) {
  std::vector<std::size_t> out;
  for (auto step = lookup.next(Time{}); std::holds_alternative<Lookup::Ask>(step); step = lookup.next(Time{}))
    out.push_back(net.index.at(std::get<Lookup::Ask>(step).contact->device));
  return out;
}

TEST(Lookup, ThreeThatShareAWalkAskTheSixNearestAndNobodyTwice) {
  Topology net(51, 200, 200);
  for (int round = 0; round < 20; ++round) {
    const Id target{net.rng.array<32>()};
    std::vector<std::size_t> asked;
    for (std::size_t i = 0; i < 3; ++i) {
      const Lookup::Options walk{target, 1, 4, 2, kNever, i, 3, net.all[i].position};
      Lookup lookup(walk, net.all[i].device, net.knows(i, target, 16));
      for (const auto who : asked_at_once(lookup, net)) asked.push_back(who);
    }
    std::sort(asked.begin(), asked.end());
    EXPECT_EQ(std::unique(asked.begin(), asked.end()), asked.end());
    EXPECT_EQ(asked.size(), 6U);
    for (const auto& near : net.truth(target, net.all.size(), 6)) {
      const auto who = net.index.at(near.device);  // one of the three asks itself
      EXPECT_TRUE(who < 3 || std::binary_search(asked.begin(), asked.end(), who)) << round;
    }
  }
}

TEST(Lookup, AWalkThatIsSharedTakesWhomItCanGetWhenSomebodyIsLate) {
  Topology net(52, 50, 200);
  const Id target{net.rng.array<32>()};
  const auto seeds = net.knows(0, target, 16);
  Lookup lookup({target, 1, 4, 2, kNever, 1, 3, std::nullopt}, net.all[0].device, seeds);
  const auto first = std::get<Lookup::Ask>(lookup.next(Time{})).slot;
  const auto second = std::get<Lookup::Ask>(lookup.next(Time{})).slot;
  EXPECT_EQ(lookup.contact(first), seeds[1]);
  EXPECT_EQ(lookup.contact(second), seeds[4]);
  EXPECT_TRUE(std::holds_alternative<Lookup::Wait>(lookup.next(Time{})));
  lookup.on_late(first);
  const auto instead = std::get<Lookup::Ask>(lookup.next(Time{})).slot;
  EXPECT_EQ(lookup.contact(instead), seeds[0]);
}

TEST(Lookup, AWalkThatIsSharedGoesOnAlone) {
  Topology net(53, 50, 200);
  const Id target{net.rng.array<32>()};
  const auto seeds = net.knows(0, target, 16);
  Lookup lookup({target, 1, 4, 2, kNever, 1, 3, std::nullopt}, net.all[0].device, seeds);
  for (int i = 0; i < 2; ++i) lookup.on_answer(std::get<Lookup::Ask>(lookup.next(Time{})).slot, {});
  EXPECT_TRUE(std::holds_alternative<Lookup::Finished>(lookup.next(Time{})));
  lookup.widen(4);
  const auto more = asked_at_once(lookup, net);
  ASSERT_EQ(more.size(), 3U);  // nearer ones were left to the others
  EXPECT_EQ(net.all[more[0]], seeds[0]);
  EXPECT_EQ(net.all[more[1]], seeds[2]);
  EXPECT_EQ(net.all[more[2]], seeds[3]);
}

TEST(Lookup, WhoRefusesNamesOthersAndIsNotCounted) {
  Topology net(54, 50, 200);
  const Id target{net.rng.array<32>()};
  const auto near = net.knows(0, target, 2);
  Lookup lookup({target, 1, 1, 1, kNever}, net.all[0].device, std::vector{near[1]});
  const auto slot = std::get<Lookup::Ask>(lookup.next(Time{})).slot;
  lookup.on_refusal(slot, std::vector{near[0]});
  const auto next = std::get<Lookup::Ask>(lookup.next(Time{})).slot;
  EXPECT_EQ(lookup.contact(next), near[0]);
  lookup.on_answer(next, {});
  EXPECT_EQ(lookup.nearest(4), std::vector{near[0]});
}

// Three liars invent nearer and nearer contacts that never answer; two paths out of three are theirs.
TEST(Lookup, APathOfLiarsDoesNotSpoilTheOthers) {
  Topology net(31, 200);
  std::size_t reached = 0;
  for (int round = 0; round < 30; ++round) {
    const Id target{net.rng.array<32>()};
    auto seeds = net.knows(0, target, 16);
    const std::set<crypto::DeviceKey> liars{seeds[0].device, seeds[1].device};
    Lookup lookup({target, 3, 3, 4, kNever}, net.all[0].device, seeds);
    std::vector<std::pair<Lookup::Slot, int>> open;
    for (;;) {
      const auto step = lookup.next(Time{});
      if (const auto* ask = std::get_if<Lookup::Ask>(&step)) {
        open.emplace_back(ask->slot, 0);
        continue;
      }
      if (std::holds_alternative<Lookup::Finished>(step)) break;
      ASSERT_FALSE(open.empty());
      auto [slot, late] = open.front();
      open.erase(open.begin());
      const auto device = lookup.contact(slot).device;
      if (liars.count(device) != 0) {
        std::vector<Contact> lies;
        for (int i = 0; i < 7; ++i) {
          auto lie = paper_contact(net.rng, endpoint(0x0b000000U + net.rng.u32() % 65536));
          lie.position = target;
          lie.position.bytes[31] ^= static_cast<std::uint8_t>(i);
          lies.push_back(lie);
        }
        lookup.on_answer(slot, lies);
      } else if (net.index.count(device) == 0) {
        late < 2 ? lookup.on_late(slot) : lookup.on_failure(slot);
        if (late < 2) open.emplace_back(slot, late + 1);
      } else {
        lookup.on_answer(slot, net.knows(net.index.at(device), target, kMaxContactsInAnswer));
      }
    }
    const auto found = lookup.nearest(8);
    const auto truth = net.truth(target, 0, 1).at(0);
    reached += std::find(found.begin(), found.end(), truth) != found.end() ? 1 : 0;
  }
  EXPECT_GE(reached, 28U);
}

class OnPaper : public ::testing::Test {
 protected:
  OnPaper() {
    for (std::uint32_t i = 0; i < 30; ++i) contacts.push_back(paper_contact(rng, endpoint(0x0a000000U + i)));
    std::sort(contacts.begin(), contacts.end(),
              [](const Contact& a, const Contact& b) { return nearer(Id{}, a.position, b.position); });
  }
  Lookup make(std::size_t alpha, std::size_t width, std::size_t seeds, Time deadline = kNever) {
    return Lookup({Id{}, 1, alpha, width, deadline}, crypto::DeviceKey{}, std::span(contacts).first(seeds));
  }
  static Lookup::Slot ask(Lookup& lookup) {
    const auto step = lookup.next(Time{});
    const auto* a = std::get_if<Lookup::Ask>(&step);
    EXPECT_NE(a, nullptr);
    return a == nullptr ? 999 : a->slot;
  }
  static bool waits(Lookup& lookup) { return std::holds_alternative<Lookup::Wait>(lookup.next(Time{})); }
  static bool finished(Lookup& lookup, Time now = {}) {
    return std::holds_alternative<Lookup::Finished>(lookup.next(now));
  }

  SeededRng rng{5};
  std::vector<Contact> contacts;
};

TEST_F(OnPaper, ALateContactIsHedgedByTheNextAndStillCounts) {
  auto lookup = make(1, 2, 3);
  const auto first = ask(lookup);
  EXPECT_TRUE(waits(lookup));
  lookup.on_late(first);
  const auto second = ask(lookup);  // the hedge, without any answer
  EXPECT_NE(first, second);
  lookup.on_answer(first, {});  // late, and counted
  lookup.on_answer(second, {});
  EXPECT_TRUE(finished(lookup));
  EXPECT_EQ(lookup.nearest(5).size(), 2U);
}

TEST_F(OnPaper, ASilentContactStallsNobodyOnceOthersAnswered) {
  auto lookup = make(3, 2, 3);
  const auto silent = ask(lookup);
  const auto a = ask(lookup);
  EXPECT_TRUE(waits(lookup));  // two are enough, and both may yet answer
  lookup.on_answer(a, {});
  EXPECT_TRUE(waits(lookup));
  lookup.on_late(silent);
  const auto b = ask(lookup);
  lookup.on_answer(b, {});
  EXPECT_TRUE(waits(lookup));
  lookup.on_late(silent);
  EXPECT_TRUE(finished(lookup));
}

TEST_F(OnPaper, WhereNobodyAnsweredTheOverdueAreWaitedFor) {
  auto lookup = make(3, 2, 1);
  const auto only = ask(lookup);
  lookup.on_late(only);
  lookup.on_late(only);
  EXPECT_TRUE(waits(lookup));
  lookup.on_answer(only, std::span(contacts).subspan(1, 1));
  EXPECT_EQ(ask(lookup), 1U);
}

TEST_F(OnPaper, EndsAtItsDeadline) {
  auto lookup = make(1, 1, 1, Time{} + std::chrono::seconds(3));
  ask(lookup);
  EXPECT_FALSE(finished(lookup, Time{} + std::chrono::milliseconds(2999)));
  EXPECT_TRUE(finished(lookup, Time{} + std::chrono::seconds(3)));
}

TEST_F(OnPaper, WithoutAnySeedItEndsAtOnce) {
  auto lookup = make(3, 2, 0);
  EXPECT_TRUE(finished(lookup));
  EXPECT_EQ(lookup.asked(), 0U);
}

TEST_F(OnPaper, AnswersThatWereNotAskedForChangeNothing) {
  auto lookup = make(1, 2, 1);
  const auto slot = ask(lookup);
  lookup.on_answer(77, std::span(contacts).first(5));
  lookup.on_failure(78);
  lookup.on_late(79);
  lookup.on_answer(slot, {});
  lookup.on_answer(slot, std::span(contacts).subspan(1, 5));  // a second answer of the same
  lookup.on_failure(slot);
  EXPECT_TRUE(finished(lookup));
  EXPECT_EQ(lookup.nearest(9).size(), 1U);
}

TEST_F(OnPaper, IsBoundedWhateverLiarsAnswer) {
  auto lookup = make(4, 8, 3);
  std::size_t asked = 0;
  for (;;) {
    const auto step = lookup.next(Time{});
    const auto* a = std::get_if<Lookup::Ask>(&step);
    if (a == nullptr) break;
    ++asked;
    std::vector<Contact> lies;
    for (int i = 0; i < 7; ++i) {
      auto lie = paper_contact(rng, endpoint(rng.u32()));
      lie.position.bytes = {};
      for (std::size_t b = 0; b < 8; ++b)
        lie.position.bytes[24 + b] = static_cast<std::uint8_t>((~std::uint64_t{asked}) >> (56 - 8 * b));
      lie.position.bytes[31] ^= static_cast<std::uint8_t>(i);
      lies.push_back(lie);
    }
    lookup.on_answer(a->slot, lies);
  }
  EXPECT_LE(asked, Lookup::kMaxAsked);
}

}  // namespace
}  // namespace linnet::dht::test
