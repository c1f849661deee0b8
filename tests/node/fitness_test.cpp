// Who is fit to be a supernode.
#include "node/fitness.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace linnet::node {
namespace {

using namespace std::chrono_literals;

const Endpoint kPlace{IpAddress::v4(203, 0, 113, 5), 4400};
const MachineState kGood{true, false, std::uint64_t{1} << 30, 1.5, 200'000};

// A machine that is all that is asked, but for what a test takes from it.
struct Volunteer {
  explicit Volunteer(const MachineState& machine = kGood) {
    fitness.set_machine(now, machine);
    fitness.set_reach(now, kPlace, true);
    fitness.set_uplink(now, 10'000'000);
  }
  std::optional<Fitness::Fit> after(Duration wait) {
    now += wait;
    return fitness.fit(now);
  }
  std::optional<bool> met(std::string_view what) const {
    for (const auto& check : fitness.checks(now))
      if (check.what == what) return check.met;
    ADD_FAILURE() << what;
    return std::nullopt;
  }

  Time now{1h};
  Fitness fitness{Fitness::Limits{}};
};

TEST(Fitness, WhoIsReachedAtOneEndpointForTwentyMinutesAndHasEnoughIsFit) {
  Volunteer volunteer;
  EXPECT_FALSE(volunteer.after(20min - 1us));
  EXPECT_EQ(volunteer.fitness.next_timeout(), volunteer.now + 1us);
  const auto fit = volunteer.after(1us);
  ASSERT_TRUE(fit);
  EXPECT_EQ(fit->place, kPlace);
  EXPECT_GE(fit->leaves, 500U);
}

TEST(Fitness, AnotherEndpointBeginsAnew) {
  Volunteer volunteer;
  volunteer.after(19min);
  volunteer.fitness.set_reach(volunteer.now, Endpoint{kPlace.ip, 4401}, true);
  EXPECT_FALSE(volunteer.after(19min));
  EXPECT_TRUE(volunteer.after(1min));
}

TEST(Fitness, AMachineThatSleptIsAskedForThriceAsLong) {
  Volunteer volunteer;
  volunteer.fitness.slept(volunteer.now);
  EXPECT_FALSE(volunteer.after(59min));
  EXPECT_TRUE(volunteer.after(1min));
}

TEST(Fitness, StreamsAreAskedForAsWell) {
  Volunteer volunteer;
  volunteer.fitness.set_reach(volunteer.now, kPlace, false);
  EXPECT_FALSE(volunteer.after(1h));
  EXPECT_EQ(volunteer.met("streams"), std::nullopt);
}

TEST(Fitness, WhoIsShortOfSomethingIsNotFitAndSaysOfWhat) {
  const auto with = [](auto change) {
    auto out = kGood;
    change(out);
    return out;
  };
  const std::vector<std::pair<std::string_view, MachineState>> short_of{
      {"power", with([](MachineState& m) { m.mains = false; })},
      {"link", with([](MachineState& m) { m.metered = true; })},
      {"cpu", with([](MachineState& m) { m.idle_cores = 0.1; })},
      {"cpu", with([](MachineState& m) { m.packets_per_core_second = 1000; })},
      {"memory", with([](MachineState& m) { m.memory_free = 1 << 20; })},
  };
  for (const auto& [what, machine] : short_of) {
    Volunteer volunteer(machine);
    EXPECT_FALSE(volunteer.after(1h)) << what;
    EXPECT_EQ(volunteer.met(what), false) << what;
    EXPECT_FALSE(volunteer.fitness.wants_uplink(volunteer.now)) << what;
  }
}

TEST(Fitness, ALinkOfWhichNobodyKnowsIsTakenForUnmetered) {
  auto machine = kGood;
  machine.metered.reset();
  Volunteer volunteer(machine);
  EXPECT_TRUE(volunteer.after(20min));
}

TEST(Fitness, ASlowUplinkIsMeasuredAgainAfterAnHourAndNotBefore) {
  Volunteer volunteer;
  volunteer.fitness.set_uplink(volunteer.now, 500'000);
  EXPECT_FALSE(volunteer.after(20min));
  EXPECT_EQ(volunteer.met("uplink"), false);
  EXPECT_FALSE(volunteer.fitness.wants_uplink(volunteer.now));
  EXPECT_FALSE(volunteer.after(40min));
  EXPECT_TRUE(volunteer.fitness.wants_uplink(volunteer.now));
}

TEST(Fitness, TheUplinkIsMeasuredOnlyWhenAllElseIsMet) {
  Volunteer volunteer;
  Fitness fresh{Fitness::Limits{}};
  fresh.set_machine(volunteer.now, kGood);
  EXPECT_FALSE(fresh.wants_uplink(volunteer.now + 1h));
  fresh.set_reach(volunteer.now, kPlace, true);
  EXPECT_FALSE(fresh.wants_uplink(volunteer.now + 19min));
  EXPECT_TRUE(fresh.wants_uplink(volunteer.now + 20min));
}

TEST(Fitness, LeavesFollowFromWhatIsScarcest) {
  const auto leaves = [](std::uint64_t uplink, std::uint64_t memory, double idle) {
    auto machine = kGood;
    machine.memory_free = memory;
    machine.idle_cores = idle;
    Volunteer volunteer(machine);
    volunteer.fitness.set_uplink(volunteer.now, uplink);
    const auto fit = volunteer.after(20min);
    return fit ? fit->leaves : 0;
  };
  const std::uint64_t plenty = std::uint64_t{16} << 30;
  EXPECT_EQ(leaves(2'000'000, plenty, 4), 128U);
  EXPECT_EQ(leaves(1'000'000'000, std::uint64_t{64} << 20, 4), 1024U);
  EXPECT_EQ(leaves(1'000'000'000, plenty, 4), 8192U) << "no more than the most";
}

TEST(Fitness, WhoServesIsNotToldToStopBecauseThereIsMuchToDo) {
  Volunteer volunteer;
  volunteer.after(20min);
  volunteer.fitness.set_serving(true);
  auto busy = kGood;
  busy.idle_cores = 0;
  busy.memory_free = 0;
  volunteer.fitness.set_machine(volunteer.now, busy);
  volunteer.fitness.set_month_left(volunteer.now, false);
  EXPECT_TRUE(volunteer.after(2h));
}

TEST(Fitness, WhoServesStopsOnABatteryOnceItLasts) {
  Volunteer volunteer;
  volunteer.after(20min);
  volunteer.fitness.set_serving(true);
  auto unplugged = kGood;
  unplugged.mains = false;
  volunteer.fitness.set_machine(volunteer.now, unplugged);
  EXPECT_TRUE(volunteer.after(20s));
  volunteer.fitness.set_machine(volunteer.now, kGood);
  EXPECT_TRUE(volunteer.after(2h));
  volunteer.fitness.set_machine(volunteer.now, unplugged);
  EXPECT_EQ(volunteer.fitness.next_timeout(), volunteer.now + Fitness::kGrace);
  EXPECT_FALSE(volunteer.after(30s));
}

TEST(Fitness, WhoIsReachedNoMoreStopsServing) {
  Volunteer volunteer;
  volunteer.after(20min);
  volunteer.fitness.set_serving(true);
  volunteer.fitness.set_reach(volunteer.now, std::nullopt, false);
  EXPECT_FALSE(volunteer.after(0us));
}

}  // namespace
}  // namespace linnet::node
