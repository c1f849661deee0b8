// What a mixer does when its frames leave too late, in virtual time.
#include "node/conference_deadline.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/rng.h"
#include "calls_fixture.h"

namespace linnet::node {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

struct Metered : ::testing::Test {
  DeadlineMeter meter;
  Time now{seconds(100)};
  std::size_t members = 100;

  void frames(int n, Duration took, Duration late = {}) {
    for (int i = 0; i < n; ++i) {
      now += DeadlineMeter::kFrame;
      meter.frame(now, members, late, took);
    }
  }
  // Frames until the verdict is another; nothing after ten minutes.
  std::optional<int> until(Deadline verdict, Duration took) {
    for (int i = 0; i < 30'000; ++i) {
      if (meter.verdict() == verdict) return i;
      frames(1, took);
    }
    return std::nullopt;
  }
};

TEST_F(Metered, WhoSendsInTimeIsFineForever) {
  frames(10'000, milliseconds(9), milliseconds(2));
  EXPECT_EQ(meter.verdict(), Deadline::fine);
  EXPECT_EQ(meter.heard(), 3u);
  EXPECT_FALSE(meter.carries());
}

TEST_F(Metered, OneStallOfTheMachineChangesNothing) {
  for (int hour = 0; hour < 10; ++hour) {
    frames(1, milliseconds(3), seconds(3600));
    frames(4, milliseconds(3), milliseconds(80));
    frames(100, milliseconds(3));
    EXPECT_EQ(meter.verdict(), Deadline::fine);
  }
}

TEST_F(Metered, LatenessIsAsBadAsLongWork) {
  frames(DeadlineMeter::kManySlow, milliseconds(2), milliseconds(13));
  EXPECT_EQ(meter.verdict(), Deadline::tight);
}

TEST_F(Metered, FewerAreHeardBeforeMembersAreTooMany) {
  std::vector<std::size_t> heard;
  for (int i = 0; i < 200 && meter.verdict() != Deadline::over; ++i) {
    frames(1, milliseconds(28));
    if (heard.empty() || heard.back() != meter.heard()) heard.push_back(meter.heard());
  }
  EXPECT_EQ(heard, (std::vector<std::size_t>{3, 2, 1}));
  EXPECT_EQ(meter.verdict(), Deadline::over);
  EXPECT_EQ(meter.carries(), 50u);  // in half the time
}

TEST_F(Metered, FewerDecodesAreEnoughWhereTheyAre) {
  ASSERT_TRUE(until(Deadline::tight, milliseconds(16)));
  for (int i = 0; i < 5000; ++i) {
    frames(1, meter.heard() == 3 ? milliseconds(16) : milliseconds(13));
    ASSERT_NE(meter.verdict(), Deadline::over);
    ASSERT_GE(meter.heard(), 2u);
  }
}

TEST_F(Metered, ARelapseMakesItWaitLonger) {
  // In time with two, too late with three.
  const auto took = [&] { return meter.heard() == 3 ? milliseconds(16) : milliseconds(5); };
  std::vector<int> tries;
  int since = 0;
  for (int i = 0; i < 60'000; ++i) {
    const auto before = meter.heard();
    frames(1, took());
    ++since;
    if (before == 2 && meter.heard() == 3) tries.push_back(std::exchange(since, 0));
  }
  ASSERT_GE(tries.size(), 4u);
  EXPECT_LT(tries.size(), 15u);
  EXPECT_TRUE(std::is_sorted(tries.begin(), tries.begin() + 4));
}

TEST_F(Metered, WhoKeepsUpAgainHearsThreeAgain) {
  ASSERT_TRUE(until(Deadline::over, milliseconds(30)));
  ASSERT_TRUE(until(Deadline::fine, milliseconds(4)));
  EXPECT_EQ(meter.heard(), 3u);
  EXPECT_TRUE(meter.carries()) << "what it claims stays low for a while";
}

TEST_F(Metered, WhatCouldNotBeCarriedIsClaimedAgainAfterTenMinutes) {
  ASSERT_TRUE(until(Deadline::over, milliseconds(30)));
  const Time fell = now;
  meter.idle();
  EXPECT_EQ(meter.verdict(), Deadline::fine);
  EXPECT_FALSE(meter.handle_timeout(fell + minutes(9)));
  EXPECT_TRUE(meter.carries());
  EXPECT_TRUE(meter.handle_timeout(fell + DeadlineMeter::kHumble));
  EXPECT_FALSE(meter.carries());
  EXPECT_EQ(meter.next_timeout(), kNever);
}

// Whatever a machine does: one step at a time, never fewer than one heard, members are too many only once everything
// else was left out, and what is carried is less than what was too much.
TEST(DeadlineProperty, HoldsForEveryHistoryOfAMachine) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    SeededRng rng(seed);
    DeadlineMeter meter;
    Time now{seconds(1)};
    std::size_t members = 1 + rng.below(400);
    std::uint64_t most = 5;
    for (int i = 0; i < 3000; ++i) {
      if (rng.below(200) == 0) most = 1 + rng.below(40);
      if (rng.below(500) == 0) members = 1 + rng.below(400);
      if (rng.below(1000) == 0) meter.idle();
      const auto heard = meter.heard();
      const auto carries = meter.carries();
      const auto verdict = meter.verdict();
      now += DeadlineMeter::kFrame;
      meter.frame(now, members, milliseconds(rng.below(most)), milliseconds(rng.below(most)));
      const auto step = meter.heard() > heard ? meter.heard() - heard : heard - meter.heard();
      ASSERT_LE(step, 1u) << "seed " << seed;
      ASSERT_GE(meter.heard(), 1u);
      ASSERT_LE(meter.heard(), DeadlineMeter::kHeard);
      ASSERT_EQ(meter.verdict() == Deadline::fine, meter.heard() == DeadlineMeter::kHeard);
      ASSERT_TRUE(meter.verdict() != Deadline::over || meter.heard() == 1);
      if (meter.carries() == carries) continue;
      ASSERT_TRUE(meter.carries()) << "only time puts it right";
      ASSERT_EQ(meter.verdict(), Deadline::over);
      ASSERT_TRUE(verdict == Deadline::over || heard == 1);
      ASSERT_GE(*meter.carries(), 1u);
      ASSERT_TRUE(members == 1 || *meter.carries() < members) << "seed " << seed;
    }
  }
}

struct Overworked : Calls {
  std::vector<Resident*> members;

  void confer(std::size_t n) {
    for (std::size_t i = 0; i < n; ++i)
      members.push_back(
          &town.add("m" + std::to_string(i) + "@office.example", [](NodeConfig& c) { c.auto_answer = true; }));
    settle();
    command::Confer what;
    what.name = "team";
    for (std::size_t i = 0; i < n; ++i) {
      ConferenceMeans means;
      means.mixes = i == 0 ? 300 : 250;
      members[i]->node->set_conference_means(town.now(), means);
      if (i > 0) what.who.push_back(members[i]->name);
    }
    town.tell(*members[0], what);
    ASSERT_TRUE(town.run_until([&] { return everybody_knows(members[0]->name, n); }, seconds(20)));
    town.run_for(seconds(4));
  }
  std::optional<ConferenceView> seen_by(const Resident& r) const {
    const auto status = r.node->status(town.now());
    return status.conferences.empty() ? std::nullopt : std::optional(status.conferences.front());
  }
  bool everybody_knows(const std::string& mixer, std::size_t n) const {
    return std::all_of(members.begin(), members.end(), [&](const Resident* r) {
      const auto v = seen_by(*r);
      return v && v->mixer == mixer && v->members.size() == n;
    });
  }
};

TEST_F(Overworked, AMixerThatCannotKeepUpIsFollowedByOneThatCan) {
  ASSERT_NO_FATAL_FAILURE(confer(4));
  auto& slow = *members[0];
  EXPECT_EQ(seen_by(slow)->deadline, Deadline::fine);
  EXPECT_EQ(seen_by(slow)->heard_at_once, 3u);
  slow.mixing_takes = milliseconds(60);
  ASSERT_TRUE(town.run_until(
      [&] {
        return everybody_knows(members[1]->name, 4) || everybody_knows(members[2]->name, 4) ||
               everybody_knows(members[3]->name, 4);
      },
      seconds(15)));
  // Once for each change: fewer heard, fewer still, too many members.
  std::vector<std::pair<Deadline, std::size_t>> told;
  for (const auto& e : slow.events)
    if (const auto* load = std::get_if<event::ConferenceLoad>(&e)) told.emplace_back(load->deadline, load->heard);
  ASSERT_GE(told.size(), 3u);
  EXPECT_EQ(told[0], std::pair(Deadline::tight, std::size_t{2}));
  EXPECT_EQ(told[1], std::pair(Deadline::tight, std::size_t{1}));
  EXPECT_EQ(told[2], std::pair(Deadline::over, std::size_t{1}));
  // The others were told what it claims now, signed by it.
  const auto view = seen_by(*members[1]);
  const auto row = std::find_if(view->members.begin(), view->members.end(),
                                [&](const ConferenceView::Member& m) { return m.address == slow.name; });
  ASSERT_NE(row, view->members.end());
  EXPECT_LT(row->mixes, 4u);
}

TEST_F(Overworked, AMixerThatKeepsUpIsLeftInPeace) {
  ASSERT_NO_FATAL_FAILURE(confer(3));
  members[0]->mixing_takes = milliseconds(9);
  town.run_for(seconds(8));
  EXPECT_TRUE(everybody_knows(members[0]->name, 3));
  EXPECT_EQ(members[0]->count<event::ConferenceLoad>(), 0u);
}

}  // namespace
}  // namespace linnet::node
