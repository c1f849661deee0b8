// Wall clocks that jump: a call and what is pinned outlive them, and when the clock is right again so is everything.
#include <gtest/gtest.h>

#include "town.h"

namespace linnet::node {
namespace {

constexpr auto kAlice = "alice@a.example";
constexpr auto kBob = "bob@b.example";
constexpr std::int64_t kDay = 86'400;

class ClockJump : public testing::TestWithParam<std::int64_t> {};

TEST_P(ClockJump, EndsNoCallAndLosesNoPin) {
  Town town;
  town.build();
  auto& alice = town.add(kAlice);
  auto& bob = town.add(kBob);
  ASSERT_TRUE(town.all_online());
  bob.answers = true;
  const auto state = [&](const Resident& person) {
    const auto calls = person.node->status(town.now()).calls;
    return calls.empty() ? CallState::ended : calls.front().state;
  };
  alice.says = tone(700, std::chrono::seconds(60));
  town.call(alice, kBob);
  ASSERT_TRUE(town.run_until([&] { return state(alice) == CallState::talking && state(bob) == CallState::talking; },
                             std::chrono::seconds(15)));
  const auto pins = alice.node->memory().pins;
  ASSERT_FALSE(pins.empty());

  alice.clock_off_s = GetParam();
  const auto heard = bob.heard.size();
  town.run_for(std::chrono::seconds(10));
  EXPECT_EQ(state(alice), CallState::talking);
  EXPECT_EQ(state(bob), CallState::talking);
  EXPECT_GT(bob.heard.size(), heard + 9 * 48'000u);
  EXPECT_EQ(alice.node->memory().pins, pins);

  town.tell(alice, command::Hangup{});
  ASSERT_TRUE(town.run_until([&] { return bob.summary() != nullptr; }, std::chrono::seconds(15)));
  EXPECT_EQ(bob.summary()->result, CallResult::ended);

  // While it is wrong the next call goes through as well: three supernodes say what time it is.
  const auto wrong = alice.count<event::CallEnded>();
  town.call(alice, kBob, std::chrono::seconds(1));
  ASSERT_TRUE(town.run_until([&] { return alice.count<event::CallEnded>() > wrong; }, std::chrono::seconds(60)));
  EXPECT_EQ(alice.summary()->result, CallResult::ended) << alice.summary()->text;

  alice.clock_off_s = 0;
  town.run_for(std::chrono::seconds(60));
  const auto calls = alice.count<event::CallEnded>();
  town.call(alice, kBob, std::chrono::seconds(1));
  ASSERT_TRUE(town.run_until([&] { return alice.count<event::CallEnded>() > calls; }, std::chrono::seconds(60)));
  EXPECT_EQ(alice.summary()->result, CallResult::ended) << alice.summary()->text;
  EXPECT_EQ(alice.node->memory().pins, pins);
}

// One supernode alone is no quorum: the own clock is gone by, as wrong as it is, and the supernode lets go of who shows
// a certificate of another time.
TEST(OwnClock, ThatJumpedAboutKeepsNobodyFromCallingOnceItIsRight) {
  for (const auto held : {1000, 2500, 7000}) {
    SCOPED_TRACE(held);
    Town town;
    town.build(1);
    auto& alice = town.add(kAlice);
    auto& bob = town.add(kBob);
    ASSERT_TRUE(town.all_online());
    bob.answers = true;
    alice.says = tone(700, std::chrono::seconds(60));
    town.call(alice, kBob);
    town.run_for(std::chrono::seconds(5));
    for (const auto offset : {kDay, -kDay, 3652 * kDay, -3652 * kDay}) {
      alice.clock_off_s = offset;
      town.run_for(std::chrono::milliseconds(held));
    }
    town.tell(alice, command::Hangup{});
    ASSERT_TRUE(town.run_until([&] { return bob.summary() != nullptr; }, std::chrono::seconds(15)));
    alice.clock_off_s = 0;
    town.run_for(std::chrono::seconds(5));
    const auto before = alice.count<event::CallEnded>();
    town.call(alice, kBob, std::chrono::seconds(1));
    ASSERT_TRUE(town.run_until([&] { return alice.count<event::CallEnded>() > before; }, std::chrono::seconds(60)));
    EXPECT_EQ(alice.summary()->result, CallResult::ended) << alice.summary()->text;
  }
}

// Its certificate, made by that clock, is of another time as well.
TEST_P(ClockJump, AtTheStartIsNoMatterEither) {
  Town town;
  town.build();
  town.add(kBob).answers = true;
  town.clocks_off_s = GetParam();
  auto& alice = town.add(kAlice, [](NodeConfig& config) { config.peer.bootstrap.resize(1); });
  alice.answers = true;
  auto& bob = *town.people.front();
  ASSERT_TRUE(town.all_online());
  for (auto* caller : {&alice, &bob}) {
    town.call(*caller, caller == &alice ? kBob : kAlice, std::chrono::seconds(1));
    ASSERT_TRUE(town.run_until([&] { return caller->summary() != nullptr; }, std::chrono::seconds(60)));
    EXPECT_EQ(caller->summary()->result, CallResult::ended) << caller->summary()->text;
    town.run_for(std::chrono::seconds(5));
  }
  const auto& certificate = alice.node->identity().certificate;
  EXPECT_TRUE(crypto::check_time(certificate, Wall{1'700'001'000}));
  const auto ahead = alice.node->status(town.now()).clock_ahead;
  ASSERT_TRUE(ahead);
  EXPECT_LE(std::abs(ahead->count() - GetParam()), 1);
}

// With one supernode nobody outvotes the own clock: whoever calls is told what to mend.
TEST(OwnClock, ThatIsWrongIsNamedWhenNobodyIsFound) {
  for (const std::int64_t off : {365 * kDay, -365 * kDay, std::int64_t{0}}) {
    Town town;
    town.build(1);
    town.add(kBob);
    town.clocks_off_s = off;
    auto& alice = town.add(kAlice);
    // Whose certificate is of another time never gets to be online: the supernode is heard all the same.
    const auto heard = [&] { return alice.node->status(town.now()).clock_voices == 1; };
    ASSERT_TRUE(town.run_until(heard, std::chrono::seconds(20)));
    town.run_for(std::chrono::seconds(2));
    const auto status = alice.node->status(town.now());
    EXPECT_EQ(status.state == overlay::State::online, off == 0);
    const std::string why = std::string("This machine's clock is 365 days ") + (off > 0 ? "ahead" : "behind");
    EXPECT_EQ(status.why.find(why) != std::string::npos, off != 0) << status.why;
    EXPECT_EQ(status.why.empty(), off == 0) << status.why;
    town.call(alice, "carol@c.example");
    ASSERT_TRUE(town.run_until([&] { return alice.summary() != nullptr; }, std::chrono::seconds(60)));
    const auto& text = alice.summary()->text;
    EXPECT_EQ(alice.summary()->result, CallResult::not_found) << text;
    EXPECT_EQ(text.rfind("Nobody has the name carol@c.example.", 0), 0u) << text;
    const std::string told = std::string("\n  This machine's clock is 365 days ") + (off > 0 ? "ahead of" : "behind") +
                             " 1 supernode's, and with fewer than three of them people are found by it. Set it: "
                             "timedatectl set-ntp true";
    EXPECT_EQ(text.find(told) != std::string::npos, off != 0) << text;
  }
}

INSTANTIATE_TEST_SUITE_P(ADayAndTenYears, ClockJump, testing::Values(kDay, -kDay, 3652 * kDay, -3652 * kDay),
                         [](const auto& param_info) {
                           const auto s = param_info.param;
                           return std::string(s > 0 ? "Ahead" : "Behind") + std::to_string(std::abs(s) / kDay) + "Days";
                         });

}  // namespace
}  // namespace linnet::node
