// Who may make a node search for ports, and toward whom: inside a session, of both ends' will, while a call's voice is
// relayed, and only to where a supernode sees the other end.
#include "node/port_search.h"

#include <gtest/gtest.h>

#include <array>

namespace linnet::node {
namespace {

using namespace std::chrono_literals;

const Endpoint kTheirs = *Endpoint::parse("203.0.113.2:4400");
const Endpoint kVictim = *Endpoint::parse("192.0.2.77:5000");

SearchFacts relayed_call(NatKind mine, NatKind theirs) { return {true, true, true, mine, theirs}; }
const SearchFacts kOurs = relayed_call(NatKind::symmetric, NatKind::independent);
const SearchFacts kOther = relayed_call(NatKind::independent, NatKind::symmetric);

struct PortSearches : ::testing::Test {
  Time now{1h};
  SeededRng rng{1};
  SearchBudget budget;
  PortSearch search;
  SearchAsk ask{1, std::nullopt};

  // Looks and lets the clock run, as the owner does; what left, by its target.
  std::vector<nat::birthday::Shot> run_for(Duration time, const SearchFacts& facts) {
    std::vector<nat::birthday::Shot> out;
    for (const auto end = now + time; now <= end; now += 5ms) {
      search.look(now, facts, budget);
      search.handle_timeout(now, rng);
      while (auto shot = search.poll_shot()) out.push_back(std::move(*shot));
    }
    return out;
  }
  void wait_until_it_opens() {
    run_for(1s, kOurs);
    ASSERT_TRUE(search.take_open());
  }
};

TEST_F(PortSearches, BeginWhenAPlainPunchHadItsTimeAndAreToldToTheOtherEnd) {
  run_for(PortSearch::kPatience - 20ms, kOurs);
  EXPECT_EQ(search.part(), PortSearch::Part::none);
  run_for(50ms, kOurs);
  EXPECT_EQ(search.part(), PortSearch::Part::opens);
  EXPECT_TRUE(search.take_show());
  EXPECT_TRUE(search.take_open());
  EXPECT_FALSE(search.take_open());
  search.on_opened(now, rng, 256, std::nullopt);
  ASSERT_TRUE(search.asks());
  EXPECT_EQ(search.take_ask()->round, 1U);
}

TEST_F(PortSearches, NobodyWhoseVoiceIsNotRelayedInACallSearches) {
  for (const auto missing : {0, 1, 2}) {
    auto facts = kOurs;
    (missing == 0 ? facts.shown : missing == 1 ? facts.talking : facts.relayed) = false;
    run_for(5s, facts);
    EXPECT_EQ(search.part(), PortSearch::Part::none) << missing;
  }
}

TEST_F(PortSearches, TwoSymmetricNatsAndTwoOthersSearchNothing) {
  run_for(5s, relayed_call(NatKind::symmetric, NatKind::symmetric));
  run_for(5s, relayed_call(NatKind::independent, NatKind::independent));
  run_for(5s, relayed_call(NatKind::symmetric, NatKind::unknown));
  EXPECT_EQ(search.part(), PortSearch::Part::none);
}

TEST_F(PortSearches, TheOpenerSendsToTheAttestedAddressAndNotBefore) {
  wait_until_it_opens();
  search.on_opened(now, rng, 256, std::nullopt);
  EXPECT_TRUE(run_for(1s, kOurs).empty());
  search.on_attested(now, kTheirs);
  search.on_attested(now, kVictim);  // another supernode says otherwise: too late
  const auto shots = run_for(5s, kOurs);
  EXPECT_EQ(shots.size(), 512U);
  for (const auto& s : shots) EXPECT_EQ(s.to, kTheirs);
}

TEST_F(PortSearches, TheProberSendsToTheAttestedAddressAndNotBefore) {
  run_for(1s, kOther);
  search.on_asked(now, ask, budget);
  EXPECT_EQ(search.part(), PortSearch::Part::probes);
  EXPECT_TRUE(search.take_show());
  EXPECT_TRUE(run_for(1s, kOther).empty());
  search.on_attested(now, kTheirs);
  const auto shots = run_for(10s, kOther);
  EXPECT_EQ(shots.size(), nat::birthday::kProbes);
  for (const auto& s : shots) EXPECT_EQ(s.to.ip, kTheirs.ip);
  EXPECT_EQ(search.part(), PortSearch::Part::none);
}

TEST_F(PortSearches, AnAttestationAloneMakesNobodySend) {
  search.on_attested(now, kVictim);
  EXPECT_TRUE(run_for(5s, kOther).empty());
}

TEST_F(PortSearches, WhatIsAskedOfNobodyThatWouldWantItIsNotDone) {
  search.on_asked(now, ask, budget);  // before anything is known
  for (const auto missing : {0, 1, 2, 3}) {
    auto facts = kOther;
    if (missing == 0) facts.shown = false;
    if (missing == 1) facts.talking = false;
    if (missing == 2) facts.relayed = false;
    if (missing == 3) facts.theirs = NatKind::independent;
    search.look(now, facts, budget);
    search.on_attested(now, kVictim);
    search.on_asked(now, ask, budget);
    EXPECT_EQ(search.part(), PortSearch::Part::none) << missing;
    EXPECT_TRUE(run_for(2s, facts).empty());
  }
}

TEST_F(PortSearches, WhoAsksAgainAndAgainGetsThreeSearches) {
  std::size_t probes = 0;
  for (int i = 0; i < 300; ++i) {
    search.look(now, kOther, budget);
    search.on_asked(now, ask, budget);
    search.on_attested(now, kTheirs);
    probes += run_for(1s, kOther).size();
  }
  EXPECT_EQ(probes, PortSearch::kMaxRounds * nat::birthday::kProbes);
}

TEST_F(PortSearches, ANodeSearchesForOneLinkAtATimeAndForAFewInAMinute) {
  std::array<PortSearch, 3> links;
  for (auto& link : links) {
    link.look(now, kOther, budget);
    link.on_asked(now, ask, budget);
  }
  EXPECT_EQ(links[0].part(), PortSearch::Part::probes);
  EXPECT_EQ(links[1].part(), PortSearch::Part::none);
  links[0].stop(budget);
  int searches = 1;
  for (int i = 0; i < 20; ++i) {  // links of many strangers, one after another
    PortSearch link;
    link.look(now, kOther, budget);
    link.on_asked(now, ask, budget);
    searches += link.part() == PortSearch::Part::probes ? 1 : 0;
    link.stop(budget);
  }
  EXPECT_EQ(searches, static_cast<int>(SearchBudget::kAtOnce));
  now += SearchBudget::kEvery;
  EXPECT_TRUE(budget.take(now));
  budget.release();
  EXPECT_FALSE(budget.take(now));
}

TEST_F(PortSearches, EndWhenTheCallIsDirectOrOver) {
  wait_until_it_opens();
  auto direct = kOurs;
  direct.relayed = false;
  search.look(now, direct, budget);
  EXPECT_EQ(search.part(), PortSearch::Part::none);
  EXPECT_TRUE(budget.take(now)) << "another link may search";
}

TEST_F(PortSearches, WithoutASocketASearchIsOver) {
  wait_until_it_opens();
  search.on_opened(now, rng, 0, std::nullopt);
  EXPECT_FALSE(search.asks());
  search.look(now, kOurs, budget);
  EXPECT_EQ(search.part(), PortSearch::Part::none);
}

TEST_F(PortSearches, AnOldAttestationCountsNoMore) {
  search.on_attested(now, kVictim);
  now += PortSearch::kAttestedFor;
  search.look(now, kOther, budget);
  search.on_asked(now, ask, budget);
  EXPECT_TRUE(run_for(1s, kOther).empty());
}

TEST_F(PortSearches, AGuessIsTriedFirst) {
  search.look(now, kOther, budget);
  search.on_asked(now, {1, nat::PortGuess{7000, 2}}, budget);
  search.on_attested(now, kTheirs);
  const auto shots = run_for(50ms, kOther);
  ASSERT_GE(shots.size(), 3U);
  EXPECT_EQ(shots[0].to, (Endpoint{kTheirs.ip, 7000}));
  EXPECT_EQ(shots[1].to, (Endpoint{kTheirs.ip, 7002}));
  EXPECT_EQ(shots[2].to, (Endpoint{kTheirs.ip, 7004}));
}

}  // namespace
}  // namespace linnet::node
