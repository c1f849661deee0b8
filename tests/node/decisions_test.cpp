// With stand-ins for the primitives the telephone decides the same at the same time.
#include <gtest/gtest.h>

#include "town.h"

namespace linnet::node {
namespace {

using std::chrono::seconds;

std::string name_of(const Event& event) {
  if (const auto* done = std::get_if<event::Done>(&event))
    return "done " + std::to_string(static_cast<int>(done->outcome));
  if (const auto* end = std::get_if<event::CallEnded>(&event))
    return "ended " + std::string(to_string(end->summary.result)) + " " + std::to_string(end->summary.packets_received);
  return "event " + std::to_string(event.index());
}

// Everything that two people are told in a call, a decline and a call to nobody, with the time of the end.
std::vector<std::string> story(const crypto::Suite& suite, std::uint64_t seed) {
  Town town(suite, seed);
  town.build();
  auto& alice = town.add("alice@a.example");
  auto& bob = town.add("bob@b.example");
  EXPECT_TRUE(town.all_online());
  bob.answers = true;
  town.call(alice, "bob@b.example", seconds(2));
  town.run_for(seconds(4));
  bob.answers = false;
  town.call(alice, "bob@b.example");
  town.run_until([&] { return bob.count<event::IncomingCall>() == 2; }, seconds(5));
  town.tell(bob, command::Hangup{});
  town.run_for(seconds(1));
  town.call(alice, "nobody@b.example");
  town.run_for(seconds(7));
  std::vector<std::string> out;
  for (const auto* person : {&alice, &bob}) {
    for (const auto& event : person->events) out.push_back(person->name + " " + name_of(event));
  }
  return out;
}

TEST(Decisions, ComeToTheSameEndThroughLossWhateverTheSeed) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Town town(crypto::typed_suite(), seed);
    town.loss = 0.05;
    town.build();
    auto& alice = town.add("alice@a.example");
    auto& bob = town.add("bob@b.example");
    ASSERT_TRUE(town.all_online(seconds(60))) << "seed " << seed;
    bob.answers = true;
    town.call(alice, "bob@b.example", seconds(2));
    ASSERT_TRUE(town.run_until([&] { return alice.summary() && bob.summary(); }, seconds(60))) << "seed " << seed;
    for (const auto* person : {&alice, &bob}) {
      EXPECT_EQ(person->summary()->result, CallResult::ended) << person->name << ", seed " << seed;
      EXPECT_NEAR(person->summary()->seconds, 2, 2) << person->name << ", seed " << seed;
    }
  }
}

TEST(Decisions, AreTheSameForASeed) { EXPECT_EQ(story(crypto::typed_suite(), 7), story(crypto::typed_suite(), 7)); }

TEST(Decisions, AreTheSameWithStandInsForThePrimitives) {
  const auto typed = story(crypto::typed_suite(), 7);
  EXPECT_GT(typed.size(), 20U);
  EXPECT_EQ(typed, story(crypto::shipped_suite(), 7));
}

}  // namespace
}  // namespace linnet::node
