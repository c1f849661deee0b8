// Calls between machines that have nothing but a cable.
#include <gtest/gtest.h>

#include "tests/node/town.h"

namespace linnet::node {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Carol has heard of everybody and knows Bob's record; Bob is his own supernode, at an address no record may hold.
class Cable : public testing::Test {
 protected:
  void SetUp() override {
    bob.answers = true;
    town.hears(carol, bob);
    town.hears(bob, carol);
    town.hears(alice, carol);
    town.hears(carol, alice);
    ASSERT_TRUE(town.all_online());
    town.run_for(seconds(1));
  }
  Town town;
  Resident& alice = town.add_on_cable("alice@cable.example", 1);
  Resident& bob = town.add_on_cable("bob@cable.example", 2);
  Resident& carol = town.add_on_cable("carol@cable.example", 3);
};

TEST_F(Cable, ACallWaitsForTheAnnouncementOfWhoWasFoundAlready) {
  const auto began = town.now();
  town.call(alice, "bob@cable.example", seconds(1));
  town.run_for(seconds(1));
  EXPECT_EQ(alice.summary(), nullptr) << "found, but where he is nobody has said yet";
  town.hears(alice, bob);
  ASSERT_TRUE(town.run_until([&] { return alice.summary() != nullptr; }, seconds(10)));
  EXPECT_EQ(alice.summary()->result, CallResult::ended) << alice.summary()->text;
  EXPECT_LT(town.now() - began, seconds(5));
}

TEST_F(Cable, ACallToSomebodyWhoIsNeverAnnouncedEndsWithTheLookupsTime) {
  const auto began = town.now();
  town.call(alice, "bob@cable.example", seconds(1));
  ASSERT_TRUE(town.run_until([&] { return alice.summary() != nullptr; }, seconds(10)));
  EXPECT_EQ(alice.summary()->result, CallResult::unreachable);
  EXPECT_GE(town.now() - began, seconds(4));
  EXPECT_LT(town.now() - began, seconds(8));
}

}  // namespace
}  // namespace linnet::node
