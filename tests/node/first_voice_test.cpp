// How long after the answer each of two people hears the other, 50 ms one way between a leaf and a supernode: a round
// trip between the two is 200 ms.
#include <algorithm>

#include "tests/node/calls_fixture.h"

namespace linnet::node {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr auto kRoundTrip = milliseconds(200);
constexpr auto kFirstFrame = milliseconds(45);  // a frame is filled, then the playout's first margin
constexpr std::uint64_t kSeeds = 8;

struct LongLinks {
  LongLinks(std::uint64_t seed, int supernodes) : town(crypto::shipped_suite(), seed) {
    town.build(supernodes);
    town.delay = milliseconds(50);
    alice = &town.add(kAlice);
    bob = &town.add(kBob);
    alice->says = bob->says = tone(440, seconds(30));
    town.blocked.insert({alice->endpoint, bob->endpoint});
    town.blocked.insert({bob->endpoint, alice->endpoint});
    online = town.all_online();
    town.run_for(seconds(5));  // every home stands
  }

  std::vector<Endpoint> homes(const Resident& who) const {
    std::vector<Endpoint> out;
    for (const auto& s : who.node->peer().supernodes()) {
      if (s.home) out.push_back(s.endpoint);
    }
    std::sort(out.begin(), out.end());
    return out;
  }
  bool same_homes() const { return homes(*alice) == homes(*bob); }
  bool apart() const {
    const auto a = homes(*alice), b = homes(*bob);
    return std::none_of(a.begin(), a.end(),
                        [&](const Endpoint& e) { return std::binary_search(b.begin(), b.end(), e); });
  }

  // alice calls, bob answers after it rang for `ringing`; both talk for two seconds.
  bool talk(Duration ringing) {
    town.call(*alice, kBob);
    if (!town.run_until([&] { return bob->last<event::IncomingCall>() != nullptr; }, seconds(5))) return false;
    town.run_for(ringing);
    answered = town.now();
    town.tell(*bob, command::Answer{});
    town.run_for(seconds(2));
    town.tell(*alice, command::Hangup{});
    return town.run_until([&] { return alice->summary() && bob->summary(); }, seconds(5)) &&
           alice->summary()->play_start && bob->summary()->play_start;
  }
  Duration heard_after(const Resident& who) const { return *who.summary()->play_start - answered; }

  Town town;
  Resident* alice = nullptr;
  Resident* bob = nullptr;
  bool online = false;
  Time answered{};
};

void hear_each_other(LongLinks& world, Duration ringing) {
  ASSERT_TRUE(world.online);
  ASSERT_TRUE(world.talk(ringing));
  // The answer and the first word come to the caller together; the word that it calls forth takes a round trip.
  EXPECT_LE(world.heard_after(*world.alice), kRoundTrip);
  EXPECT_LE(world.heard_after(*world.bob), kRoundTrip + kFirstFrame);
}

struct FirstVoice : ::testing::TestWithParam<int> {
  milliseconds ringing() const { return milliseconds(GetParam()); }
};
INSTANTIATE_TEST_SUITE_P(RungFor, FirstVoice, ::testing::Values(0, 100, 3000));

TEST_P(FirstVoice, IsHeardWithinARoundTripOfTheAnswerAtTheSameSupernodes) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    LongLinks world(seed, 3);
    EXPECT_TRUE(world.same_homes());
    hear_each_other(world, ringing());
  }
}

TEST_P(FirstVoice, IsHeardWithinARoundTripOfTheAnswerAtOtherSupernodes) {
  int apart = 0;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    LongLinks world(seed, 12);
    apart += world.apart() ? 1 : 0;
    hear_each_other(world, ringing());
  }
  EXPECT_GT(apart, 0) << "no two of them had homes that differ";
}

}  // namespace
}  // namespace linnet::node
