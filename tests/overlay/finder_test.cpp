// The looking-up side, with answers made by hand.
#include "overlay/finder.h"

#include <gtest/gtest.h>

#include "tests/overlay/one_leaf.h"

namespace linnet::overlay::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct FinderTest : ::testing::Test, OneLeaf {
  Bytes record_of(const crypto::Identity& who) {
    dht::RecordBody body;
    body.session = who.session_key();
    body.homes.push_back({{IpAddress::v4(10, 0, 0, 1), 4400, Transport::udp}, {}, 1});
    return dht::make_record(net.suite, who, node.config.network, name, body, 1, kWall, std::chrono::hours(1))->wire;
  }
  crypto::Identity somebody() { return crypto::make_identity(net.suite, *node.rng, name, kWall); }

  crypto::Address name = *crypto::Address::parse("bob@demo.example");
  Finder finder;
};

TEST_F(FinderTest, ManyWhoClaimTheNameDoNotCrowdOutThePinnedOne) {
  const auto bob = somebody();
  ASSERT_TRUE(finder.find(c, name, bob.account_key(), true, {SessionId{1}, SessionId{2}}, false));
  const auto request = finder.poll_question()->request;
  control::Records lies{request, false, {}, 2};
  for (int i = 0; i < 16; ++i) lies.records.push_back(record_of(somebody()));
  finder.on_records(c, SessionId{1}, lies);
  finder.on_records(c, SessionId{2}, {request, false, {record_of(bob)}, 3});
  const auto found = finder.poll_found();
  ASSERT_TRUE(found);
  EXPECT_LE(found->devices.size(), Finder::kMaxDevices);
  EXPECT_TRUE(std::any_of(found->devices.begin(), found->devices.end(),
                          [&](const FoundDevice& d) { return d.record.account() == bob.account_key(); }));
  EXPECT_EQ(found->rounds, 3U);  // the longest of the paths
}

TEST_F(FinderTest, EachOfThreeIsAskedForItsShareOfTheHolders) {
  ASSERT_TRUE(finder.find(c, name, std::nullopt, true, {SessionId{1}, SessionId{2}, SessionId{3}}, false));
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(finder.poll_question()->share, (dht::Share{i, 3}));
}

TEST_F(FinderTest, TheOneThatIsLeftAsksForTheOthersToo) {
  const auto bob = somebody();
  ASSERT_TRUE(finder.find(c, name, std::nullopt, true, {SessionId{1}, SessionId{2}, SessionId{3}}, false));
  const auto request = finder.poll_question()->request;
  while (finder.poll_question()) {
  }
  finder.on_records(c, SessionId{1}, {request, true, {}, 0});
  finder.on_records(c, SessionId{3}, {request, false, {}, 1});
  finder.on_session_down(c, SessionId{2});
  EXPECT_FALSE(finder.poll_found());
  const auto again = finder.poll_question();
  ASSERT_TRUE(again);
  EXPECT_EQ(again->session, SessionId{3});
  EXPECT_EQ(again->share, dht::Share{});
  finder.on_records(c, SessionId{3}, {request, false, {record_of(bob)}, 1});
  const auto found = finder.poll_found();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->devices.size(), 1U);
}

// It may have had no time for us the second time. What it said the first time is an answer all the same.
TEST_F(FinderTest, TheOneThatIsAskedAgainAndBusyHasAnsweredBefore) {
  const auto bob = somebody();
  ASSERT_TRUE(finder.find(c, name, std::nullopt, true, {SessionId{1}, SessionId{2}, SessionId{3}}, false));
  const auto request = finder.poll_question()->request;
  finder.on_records(c, SessionId{1}, {request, false, {record_of(bob)}, 1});
  finder.on_records(c, SessionId{2}, {request, true, {}, 0});
  finder.on_records(c, SessionId{3}, {request, true, {}, 0});
  EXPECT_FALSE(finder.poll_found()) << "it is asked for the others' holders first";
  EXPECT_LE(finder.next_timeout(), c.now + std::chrono::seconds(1))
      << "which is not waited for as long as a lookup may take";
  finder.on_records(c, SessionId{1}, {request, true, {}, 0});
  const auto found = finder.poll_found();
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->status);
  EXPECT_EQ(found->devices.size(), 1U);
}

struct ThreeAskedAndOneSpareTest : FinderTest {
  ThreeAskedAndOneSpareTest() {
    const std::vector<SessionId> sessions{SessionId{1}, SessionId{2}, SessionId{3}, SessionId{4}};
    EXPECT_TRUE(finder.find(c, name, std::nullopt, true, sessions, false));
    request = finder.poll_question()->request;
    while (finder.poll_question()) {
    }
  }
  void pass(Duration d) {
    c.now += d;
    finder.handle_timeout(c);
  }
  void answers(SessionId session, std::vector<Bytes> records) {
    finder.on_records(c, session, {request, false, std::move(records), 1});
  }

  const crypto::Identity bob = somebody();
  std::uint64_t request = 0;
};

// Nobody of these acknowledges anything, so an answer is the only sign of life.
TEST_F(ThreeAskedAndOneSpareTest, ThePartOfWhoDoesNotAcknowledgeIsAskedOfOneThatWasNotAsked) {
  pass(milliseconds(200));
  answers(SessionId{1}, {});
  answers(SessionId{2}, {});
  EXPECT_FALSE(finder.poll_question()) << "nobody is late yet";
  EXPECT_LE(finder.next_timeout(), c.now + milliseconds(150)) << "a round trip decides, not a second";
  pass(finder.next_timeout() - c.now);
  const auto instead = finder.poll_question();
  ASSERT_TRUE(instead);
  EXPECT_EQ(instead->session, SessionId{4});
  EXPECT_EQ(instead->share, (dht::Share{2, 3}));
  EXPECT_FALSE(finder.poll_question());
  answers(SessionId{4}, {record_of(bob)});
  const auto found = finder.poll_found();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->devices.size(), 1U);
}

TEST_F(ThreeAskedAndOneSpareTest, WhereNobodyElseIsLeftOneThatAnsweredIsAskedForThatPartToo) {
  pass(milliseconds(200));
  answers(SessionId{1}, {});
  pass(finder.next_timeout() - c.now);
  const auto first = finder.poll_question();
  const auto second = finder.poll_question();
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->session, SessionId{4});
  EXPECT_EQ(first->share, (dht::Share{1, 3}));
  EXPECT_EQ(second->session, SessionId{1});
  EXPECT_EQ(second->share, (dht::Share{2, 3}));
}

TEST_F(ThreeAskedAndOneSpareTest, TwoThatFoundItAreEnoughWhereOfTheThirdNothingIsHeard) {
  pass(milliseconds(200));
  answers(SessionId{1}, {record_of(bob)});
  answers(SessionId{2}, {record_of(bob)});
  EXPECT_FALSE(finder.poll_found()) << "the third has its time";
  pass(finder.next_timeout() - c.now);
  const auto found = finder.poll_found();
  ASSERT_TRUE(found) << "and no second beyond it";
  EXPECT_EQ(found->devices.size(), 1U);
  EXPECT_LE(c.now - net.now, milliseconds(350));
}

TEST_F(ThreeAskedAndOneSpareTest, OneThatFoundItIsNotEnough) {
  pass(milliseconds(200));
  answers(SessionId{1}, {record_of(bob)});
  pass(finder.next_timeout() - c.now);
  EXPECT_FALSE(finder.poll_found());
  answers(SessionId{4}, {record_of(bob)});
  EXPECT_TRUE(finder.poll_found());
}

TEST_F(ThreeAskedAndOneSpareTest, WhoIsLateAndAnswersAllTheSameCounts) {
  pass(milliseconds(200));
  answers(SessionId{1}, {});
  answers(SessionId{2}, {});
  pass(finder.next_timeout() - c.now);
  answers(SessionId{3}, {record_of(bob)});
  answers(SessionId{4}, {});
  const auto found = finder.poll_found();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->devices.size(), 1U);
}

TEST_F(ThreeAskedAndOneSpareTest, WhenAllAreSilentOthersAreAskedAsTheyCome) {
  pass(seconds(1));
  while (finder.poll_question()) {
  }
  pass(seconds(1));  // the one in their place as well
  while (finder.poll_question()) {
  }
  finder.supernodes_changed(c, {SessionId{5}});
  const auto question = finder.poll_question();
  ASSERT_TRUE(question);
  EXPECT_EQ(question->session, SessionId{5});
  EXPECT_FALSE(finder.poll_found());
}

TEST_F(ThreeAskedAndOneSpareTest, ThePartOfWhomWeLoseIsAskedOfAnotherAtOnce) {
  finder.on_session_down(c, SessionId{2});
  const auto instead = finder.poll_question();
  ASSERT_TRUE(instead);
  EXPECT_EQ(instead->session, SessionId{4});
  EXPECT_EQ(instead->share, (dht::Share{1, 3}));
}

}  // namespace
}  // namespace linnet::overlay::test
