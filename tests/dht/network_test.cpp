#include <algorithm>

#include "tests/dht/support.h"

namespace linnet::dht::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

std::size_t holders(Network& net, const crypto::UserKey& key) {
  std::size_t out = 0;
  for (std::size_t i = 0; i < net.size(); ++i) out += net[i].dht->local_records(key).empty() ? 0 : 1;
  return out;
}

void publish_all(Network& net, const crypto::Suite& suite, std::size_t people) {
  for (std::size_t p = 0; p < people; ++p) {
    const auto name = "person" + std::to_string(p);
    const auto who = person(suite, 500'000 + p, name);
    EXPECT_GE(net.publish(p % net.size(), record_for(suite, who, address(name), 1, net.wall())), 1U) << name;
  }
}

TEST(MiniNetwork, EveryRecordIsFoundByAll) {
  const auto& suite = crypto::typed_suite();
  Network net(suite, 1, 0.01);
  net.grow(60);
  net.run(seconds(60));
  publish_all(net, suite, 20);
  for (std::size_t p = 0; p < 20; ++p) {
    for (std::size_t i = 0; i < net.size(); i += 7) {
      const auto found = net.find(i, address("person" + std::to_string(p)), {3, std::nullopt});
      ASSERT_TRUE(found) << p << " by " << i;
      EXPECT_EQ(found->records.size(), 1U) << p << " by " << i;
    }
  }
}

TEST(MiniNetwork, CopiesStayWithinThreeTimesThePlan) {
  const auto& suite = crypto::typed_suite();
  Network net(suite, 2);
  net.grow(20);
  net.run(seconds(30));
  publish_all(net, suite, 20);
  net.grow(80);  // newcomers take their share of the records that are there
  net.run(minutes(10));
  const Config plan;
  for (std::size_t p = 0; p < 20; ++p) {
    const auto n = holders(net, crypto::user_key(address("person" + std::to_string(p))));
    EXPECT_GE(n, plan.replicas / 2);
    EXPECT_LE(n, 3 * plan.replicas);
  }
}

TEST(MiniNetwork, ARecordIsHandedOnToNearerNewcomers) {
  const auto& suite = crypto::typed_suite();
  Network net(suite, 3);
  net.grow(12);
  net.run(seconds(30));
  publish_all(net, suite, 10);
  const auto before = net.size();
  net.grow(40);
  net.run(minutes(2));
  std::size_t nearest_has_it = 0;
  for (std::size_t p = 0; p < 10; ++p) {
    const auto key = crypto::user_key(address("person" + std::to_string(p)));
    std::size_t best = 0;
    for (std::size_t i = 1; i < net.size(); ++i) {
      if (nearer(id_of(key), net[i].dht->self().position, net[best].dht->self().position)) best = i;
    }
    nearest_has_it += net[best].dht->local_records(key).empty() ? 0 : 1;
  }
  EXPECT_GE(nearest_has_it, 9U);
  std::uint64_t handed = 0;
  for (std::size_t i = 0; i < before; ++i) handed += net[i].dht->counters().handed_on;
  EXPECT_GT(handed, 0U);
}

TEST(MiniNetwork, WithThirtyPercentDeadRecordsAreStillFoundWithoutAStall) {
  const auto& suite = crypto::typed_suite();
  Network net(suite, 4, 0.01);
  net.grow(80);
  net.run(seconds(60));
  publish_all(net, suite, 20);
  for (std::size_t i = 0; i < net.size(); ++i) net[i].dead = net.rng().unit() < 0.3;
  std::size_t asked = 0;
  std::size_t found = 0;
  std::vector<Duration> took;
  for (std::size_t i = 0; i < net.size(); i += 3) {
    if (net[i].dead) continue;
    for (std::size_t p = 0; p < 20; p += 4) {
      const auto began = net.now();
      const auto result = net.find(i, address("person" + std::to_string(p)), {3, std::nullopt});
      ++asked;
      ASSERT_TRUE(result);
      found += result->records.empty() ? 0 : 1;
      took.push_back(net.now() - began);
    }
  }
  EXPECT_EQ(found, asked);
  std::sort(took.begin(), took.end());
  EXPECT_LT(took.back(), seconds(2));
  EXPECT_LT(took[took.size() / 2], milliseconds(700));
}

TEST(MiniNetwork, WhoAskedTheRegionJustNowStoresThereWithoutAskingFirst) {
  const auto& suite = crypto::typed_suite();
  Network net(suite, 5);
  net.grow(40);
  net.run(seconds(60));
  const auto who = person(suite, 500'001, "again");
  const auto requests = [&](std::uint64_t sequence) {
    const auto before = net[7].dht->counters().requests_out;
    EXPECT_EQ(net.publish(7, record_for(suite, who, address("again"), sequence, net.wall())), 6U);
    net.run(seconds(2));
    return net[7].dht->counters().requests_out - before;
  };
  (void)requests(1);
  EXPECT_LE(requests(2), 10U);  // six, three at the salted root, and one that upkeep asks
}

TEST(MiniNetwork, TheNextNearestTakesTheRecordOfOneThatDied) {
  const auto& suite = crypto::typed_suite();
  Network net(suite, 6);
  net.grow(60);
  net.run(seconds(60));
  const auto who = person(suite, 500'002, "moved");
  EXPECT_EQ(net.publish(7, record_for(suite, who, address("moved"), 1, net.wall())), 6U);
  const auto key = crypto::user_key(address("moved"));
  std::size_t killed = 0;
  for (std::size_t i = 0; i < net.size() && killed < 3; ++i) {
    if (i == 7 || net[i].dht->local_records(key).empty()) continue;
    net[i].dead = true;
    ++killed;
  }
  ASSERT_EQ(killed, 3U);
  const auto began = net.now();
  EXPECT_EQ(net.publish(7, record_for(suite, who, address("moved"), 2, net.wall())), 6U);
  EXPECT_LT(net.now() - began, seconds(3));
}

TEST(MiniNetwork, APinnedLookupEndsAtTheFirstValidRecord) {
  const auto& suite = crypto::typed_suite();
  Network net(suite, 5);
  net.grow(50);
  net.run(seconds(60));
  const auto who = person(suite, 77, "pinned");
  ASSERT_GE(net.publish(3, record_for(suite, who, address("pinned"), 1, net.wall())), 6U);
  const auto stranger = person(suite, 78, "pinned");
  net.publish(4, record_for(suite, stranger, address("pinned"), 1, net.wall()));
  const auto pinned = net.find(20, address("pinned"), {3, who.account_key()});
  const auto all = net.find(21, address("pinned"), {3, std::nullopt});
  ASSERT_TRUE(pinned && all);
  EXPECT_TRUE(std::any_of(pinned->records.begin(), pinned->records.end(),
                          [&](const SignedRecord& r) { return r.account() == who.account_key(); }));
  EXPECT_EQ(all->records.size(), 2U);  // an unpinned one sees both claimants
  EXPECT_LE(pinned->asked, all->asked);
}

TEST(MiniNetwork, TheHighestSequenceOfADeviceWins) {
  const auto& suite = crypto::typed_suite();
  Network net(suite, 6);
  net.grow(30);
  net.run(seconds(30));
  const auto who = person(suite, 80, "twice");
  net.publish(1, record_for(suite, who, address("twice"), 4, net.wall()));
  net.publish(2, record_for(suite, who, address("twice"), 9, net.wall()));
  EXPECT_EQ(net.publish(3, record_for(suite, who, address("twice"), 5, net.wall())), 0U);  // a rollback is refused
  const auto found = net.find(11, address("twice"));
  ASSERT_TRUE(found);
  ASSERT_EQ(found->records.size(), 1U);
  EXPECT_EQ(found->records[0].sequence, 9U);
}

TEST(MiniNetwork, TwoRecordsOfOneSequenceRaiseTheAlarm) {
  const auto& suite = crypto::typed_suite();
  Network net(suite, 7);
  net.grow(8);
  net.run(seconds(20));
  const auto who = person(suite, 81, "fork");
  net.publish(1, record_for(suite, who, address("fork"), 4, net.wall(), 1));
  net.publish(2, record_for(suite, who, address("fork"), 4, net.wall(), 2));
  std::size_t alarms = 0;
  for (std::size_t i = 0; i < net.size(); ++i) {
    while (auto event = net[i].dht->poll_event()) alarms += std::holds_alternative<Alarm>(*event) ? 1 : 0;
  }
  EXPECT_GT(alarms, 0U);
}

TEST(MiniNetwork, ThreeSupernodesOnLoopbackAreEnough) {
  const auto& suite = crypto::shipped_suite();
  Network net(suite, 8);
  for (std::uint16_t i = 0; i < 3; ++i) net.add(endpoint(0x7f000001, static_cast<std::uint16_t>(5000 + i)));
  net[1].dht->add_hint(net.now(), net[0].dht->self());
  net[2].dht->add_hint(net.now(), net[0].dht->self());
  net.drain(1);
  net.drain(2);
  net.run(seconds(1));
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(net[i].dht->contact_count(), 2U) << i;
  const auto who = person(suite, 9, "bob");
  const auto began = net.now();
  EXPECT_EQ(net.publish(0, record_for(suite, who, address("bob"), 1, net.wall())), 3U);
  EXPECT_LT(net.now() - began, milliseconds(300));
  for (std::size_t i = 0; i < 3; ++i) {
    const auto found = net.find(i, address("bob"));
    ASSERT_TRUE(found);
    ASSERT_EQ(found->records.size(), 1U);
    const auto body = open_record(suite, found->records[0], address("bob"));
    ASSERT_TRUE(body);
    EXPECT_EQ(body->session, who.session_key());
  }
}

TEST(MiniNetwork, ANameThatNobodyHasEndsWithNothing) {
  Network net(crypto::typed_suite(), 9);
  net.grow(20);
  net.run(seconds(20));
  const auto found = net.find(5, address("nobody"), {3, std::nullopt});
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->records.empty());
  EXPECT_GT(found->asked, 0U);
}

TEST(MiniNetwork, ASupernodeAloneAnswersForItself) {
  const auto& suite = crypto::typed_suite();
  Network net(suite, 10);
  net.add(endpoint(0x05060708));
  const auto who = person(suite, 12, "alone");
  EXPECT_EQ(net.publish(0, record_for(suite, who, address("alone"), 1, net.wall())), 1U);
  const auto found = net.find(0, address("alone"));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->records.size(), 1U);
}

// Same seed, same run; and stand-ins for the cryptography change no decision: the datagrams are the same in number,
// size and time.
TEST(MiniNetwork, DecisionsAreEqualForEqualSeedAndUnderBothSuites) {
  const auto run = [](const crypto::Suite& suite) {
    Network net(suite, 11, 0.05);
    net.grow(14);
    net.run(seconds(20));
    publish_all(net, suite, 4);
    for (std::size_t p = 0; p < 4; ++p) net.find(p + 5, address("person" + std::to_string(p)), {2, std::nullopt});
    return std::pair(net.datagrams, net.trace);
  };
  const auto typed = run(crypto::typed_suite());
  EXPECT_EQ(typed, run(crypto::typed_suite()));
  EXPECT_EQ(typed, run(crypto::shipped_suite()));
}

TEST(MiniNetwork, DeadContactsLeaveTheTable) {
  Network net(crypto::typed_suite(), 12);
  net.grow(30);
  net.run(seconds(60));
  for (std::size_t i = 15; i < 30; ++i) net[i].dead = true;
  net.run(minutes(20));
  for (std::size_t i = 0; i < 15; ++i) {
    for (const auto& c : net[i].dht->nearest(net[i].dht->self().position, 30)) {
      for (std::size_t d = 15; d < 30; ++d) EXPECT_NE(c.device, net[d].dht->self().device);
    }
    EXPECT_GE(net[i].dht->contact_count(), 12U);
  }
}

std::size_t dead_among_nearest(Network& net, std::size_t i) {
  const auto known = net[i].dht->nearest(net[i].dht->self().position, net.size());
  return static_cast<std::size_t>(std::count_if(known.begin(), known.end(), [&](const Contact& c) {
    for (std::size_t n = 0; n < net.size(); ++n) {
      if (net[n].dead && net[n].dht->self().device == c.device) return true;
    }
    return false;
  }));
}

TEST(MiniNetwork, WhenManyFallSilentEverybodyIsAskedWhetherHeIsThere) {
  Network net(crypto::typed_suite(), 14);
  net.grow(40);
  net.run(minutes(2));
  for (std::size_t i = 20; i < 40; ++i) net[i].dead = true;
  for (int n = 0; n < 6; ++n) (void)net.find(0, address("nobody" + std::to_string(n)));
  EXPECT_TRUE(net[0].dht->looks_around(net.now()));
  net.run(seconds(20));
  EXPECT_EQ(dead_among_nearest(net, 0), 0U);
}

TEST(MiniNetwork, WhoHearsNobodyAtAllThinksItsOwnLinkDead) {
  Network net(crypto::typed_suite(), 15);
  net.grow(40);
  net.run(minutes(2));
  const auto who = person(crypto::typed_suite(), 500'000, "person0");
  ASSERT_GE(net.publish(20, record_for(crypto::typed_suite(), who, address("person0"), 1, net.wall())), 4U);
  for (std::size_t i = 1; i < 40; ++i) net[i].dead = true;
  for (int n = 0; n < 3; ++n) (void)net.find(0, address("nobody" + std::to_string(n)));
  EXPECT_FALSE(net[0].dht->looks_around(net.now()));
  for (std::size_t i = 1; i < 40; ++i) net[i].dead = false;
  const auto found = net.find(0, address("person0"));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->records.size(), 1U);
}

struct Holders : ::testing::Test {
  Holders() {
    net.grow(40);
    net.run(minutes(2));
    EXPECT_TRUE(net[0].dht->publish(net.now(), record, true));
    const auto stored = net.await<Stored>(0);
    EXPECT_TRUE(stored);
    net.run(seconds(5));
  }
  std::vector<std::size_t> holders() {
    std::vector<std::size_t> out;
    for (std::size_t i = 1; i < net.size(); ++i) {
      if (!net[i].dead && !net[i].dht->local_records(record.user).empty()) out.push_back(i);
    }
    return out;
  }
  // Somebody whom nobody knows is looked for near and far, so that who is dead is met.
  void look_around() {
    for (int n = 0; n < 12; ++n) (void)net.find(0, address("nobody" + std::to_string(n)));
    (void)net.find(0, address("me"));
    net.run(seconds(20));
  }

  Network net{crypto::typed_suite(), 16};
  SignedRecord record =
      record_for(crypto::typed_suite(), person(crypto::typed_suite(), 500'000, "me"), address("me"), 1, net.wall());
};

TEST_F(Holders, ARecordWhoseHoldersLiveIsNotThinned) {
  look_around();
  EXPECT_FALSE(net[0].dht->thinned(record.user));
}

TEST_F(Holders, ARecordIsThinnedWhenHoldersAreSeenToGoAndNoMoreWhenItWasStoredAgain) {
  const auto before = holders();
  ASSERT_GE(before.size(), 6U);
  for (std::size_t i = 0; i < before.size(); i += 2) net[before[i]].dead = true;
  look_around();
  EXPECT_TRUE(net[0].dht->thinned(record.user));
  const auto left = holders().size();
  EXPECT_TRUE(net[0].dht->publish(net.now(), record, true));
  EXPECT_TRUE(net.await<Stored>(0));
  net.run(seconds(5));
  EXPECT_GT(holders().size(), left);
  EXPECT_FALSE(net[0].dht->thinned(record.user));
}

TEST_F(Holders, ARecordOfSomebodyElseIsNotWatched) {
  const auto other = person(crypto::typed_suite(), 500'001, "bob");
  EXPECT_TRUE(net[0].dht->publish(net.now(), record_for(crypto::typed_suite(), other, address("bob"), 1, net.wall())));
  EXPECT_TRUE(net.await<Stored>(0));
  for (std::size_t i = 1; i < net.size(); i += 2) net[i].dead = true;
  look_around();
  EXPECT_FALSE(net[0].dht->thinned(crypto::user_key(address("bob"))));
}

TEST(MiniNetwork, TheNetworkSizeIsEstimatedWithinAFactorOfThree) {
  Network net(crypto::typed_suite(), 13);
  net.grow(150, milliseconds(50));
  net.run(minutes(1));
  std::vector<double> sizes;
  for (std::size_t i = 0; i < net.size(); ++i) sizes.push_back(net[i].dht->estimated_network_size());
  std::sort(sizes.begin(), sizes.end());
  EXPECT_GT(sizes[sizes.size() / 2], 50);
  EXPECT_LT(sizes[sizes.size() / 2], 450);
}

TEST(MiniNetwork, ACoreNeedsLittleMemoryBesideRecordsAndContacts) {
  Network net(crypto::typed_suite(), 14);
  net.grow(100, milliseconds(50));
  net.run(minutes(2));
  for (std::size_t i = 0; i < net.size(); ++i) EXPECT_LT(net[i].dht->memory_bytes(), 10'240U + 8'192U) << i;
}

TEST(MiniNetwork, AfterALossTheContactIsAskedAndKeptIfItAnswers) {
  Network net(crypto::typed_suite(), 15);
  net.grow(5);
  net.run(seconds(20));
  const auto lost = net[1].dht->self().device;
  net[0].dht->contact_lost(net.now(), lost);
  net[0].dht->contact_lost(net.now(), lost);
  net.drain(0);
  net.run(seconds(5));
  EXPECT_EQ(net[0].dht->contact_count(), 4U);
  net[1].dead = true;
  net[0].dht->contact_lost(net.now(), lost);
  net.drain(0);
  net.run(seconds(8));
  EXPECT_EQ(net[0].dht->contact_count(), 3U);
}

}  // namespace
}  // namespace linnet::dht::test
