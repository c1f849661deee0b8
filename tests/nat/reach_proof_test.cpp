// Whether anybody comes in by our own port: by a silent port beside it, or by somebody whom it never sent to.
#include "nat/reach_proof.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/nat/knocked_on.h"

namespace linnet::nat {
namespace {

using namespace std::chrono_literals;

const Endpoint kSilent{IpAddress::v4(10, 0, 0, 2), 50'000};
const Endpoint kMeant{kSilent.ip, 4400};
const IpAddress kPublic = IpAddress::v4(203, 0, 113, 5);
const Endpoint kNear{IpAddress::v4(192, 0, 2, 1), 4400};
const Endpoint kFar{IpAddress::v4(198, 18, 0, 1), 4400};
const Endpoint kStranger{IpAddress::v4(198, 19, 0, 1), 4400};

// The node, the supernodes that it asks, and what stands between and lets in by port. Streams come in where `streams`
// says so.
struct Behind : KnockedOn {
  explicit Behind(const IpAddress& own = kSilent.ip)
      : silent{own, kSilent.port}, meant{own, kMeant.port}, proof(now, rng, silent, meant) {
    supernodes = {kNear, kFar};
    outside = own == kSilent.ip ? kPublic : own;
  }
  // As KnockedOn asks.
  struct Asked {
    Behind& node;
    Time next_timeout() const { return node.proof.next_timeout(); }
    void handle_timeout(Time now, const std::vector<Endpoint>& known) {
      node.proof.handle_timeout(now, {known, node.strangers});
      while (const auto ask = node.proof.poll_ask()) node.dial(*ask);
    }
    std::optional<Transmit> poll_transmit() { return node.proof.poll_transmit(); }
  };
  void run(Duration wait) {
    Asked asked{*this};
    ask(asked, wait, [this](const Transmit& one) { answer(one); });
  }
  void answer(const Transmit& asked) {
    ++asks;
    const auto said = answer_of(asked);
    // What is said of a stranger's address goes to the stranger.
    if ((lies.contains(asked.to.ip) && seen_by(asked.to).ip != outside) || shut.contains(said.to.port)) return;
    const auto message = stun::Message::parse(said.bytes);
    ASSERT_TRUE(message);
    const bool to_silent = said.to.port == silent.port;
    EXPECT_TRUE(to_silent ? proof.handle_silent(now, asked.to, *message) : proof.handle_own(now, asked.to, *message));
  }
  void dial(const DialBack::Ask& ask) {
    ++dials;
    EXPECT_EQ(ask.port, meant.port);
    if (!streams) return;
    const Endpoint here{outside, ask.port};
    const auto bytes = BindingServer::for_partner(kNear, here, ask.id, false);
    const auto message = stun::Message::parse(bytes);
    ASSERT_TRUE(message);
    EXPECT_TRUE(proof.handle_own(now, {ask.server.ip, 50'001, Transport::tcp}, *message));
  }

  Endpoint silent, meant;
  ReachProof proof;
  std::vector<Endpoint> strangers;
  std::set<std::uint16_t> shut;
  bool streams = true;
  unsigned asks = 0, dials = 0;
};

TEST(ReachProof, BehindAOneToOneNatASilentPortAndTheOneThatIsMeantAreReachedAtTheOuterAddress) {
  Behind node;
  node.run(2s);
  EXPECT_EQ(node.proof.datagrams(), (Endpoint{kPublic, 4400}));
}

// It sees us as we are, and says nothing of the NAT.
TEST(ReachProof, ASupernodeInOurOwnNetworkChangesNothing) {
  const Endpoint sibling{IpAddress::v4(10, 0, 0, 3), 4400};
  Behind node;
  node.siblings = {{sibling.ip, kSilent.ip}};
  node.supernodes = {sibling, kNear, kFar};
  node.run(2s);
  for (int minute = 0; minute < 180; ++minute) {
    ASSERT_EQ(node.proof.datagrams(), (Endpoint{kPublic, 4400})) << minute;
    node.run(1min);
  }
}

TEST(ReachProof, AMachineOnTheOpenNetIsReachedAtItsOwnAddress) {
  Behind node(kPublic);
  node.run(2s);
  EXPECT_EQ(node.proof.datagrams(), (Endpoint{kPublic, 4400}));
  EXPECT_EQ(node.proof.datagrams_proof(), Proof::reached);
}

// A NAT that our own datagrams opened, and a router that passes on some ports only.
TEST(ReachProof, OneOfTheTwoPortsAloneProvesNothing) {
  for (const auto& port : {kSilent.port, kMeant.port}) {
    Behind node;
    node.shut = {port};
    node.run(1h);
    EXPECT_FALSE(node.proof.datagrams()) << port;
    EXPECT_TRUE(node.proof.refuted()) << port;
    EXPECT_LE(node.asks, 6U * (15 + 6)) << "in an hour";
  }
}

TEST(ReachProof, AFirewallThatIsOpenForTheOnePortIsToldByAStrangerAlone) {
  Behind node(kPublic);
  node.shut = {kSilent.port};
  node.run(30min);
  EXPECT_FALSE(node.proof.datagrams()) << "those that we talk to could come in through what we opened";
  node.strangers = {kStranger};
  node.run(10min);
  EXPECT_EQ(node.proof.datagrams(), (Endpoint{kPublic, 4400}));
}

TEST(ReachProof, AStrangersWordForAnotherAddressProvesNothing) {
  Behind node(kPublic);
  node.shut = {kSilent.port};
  node.strangers = {kStranger};
  node.outside = IpAddress::v4(203, 0, 113, 77);
  node.run(1h);
  EXPECT_FALSE(node.proof.datagrams());
}

TEST(ReachProof, OneSupernodeAloneIsNotBelievedWhereThereAreTwo) {
  Behind node;
  node.lies = {{kNear.ip, IpAddress::v4(198, 51, 100, 7)}};
  node.run(1min);
  EXPECT_FALSE(node.proof.datagrams());
}

TEST(ReachProof, NobodyIsAskedToDialBeforeDatagramsComeInAndSomebodyListens) {
  Behind node(kPublic);
  node.shut = {kSilent.port, kMeant.port};
  node.proof.set_listening(node.now, true);
  node.run(30min);
  EXPECT_EQ(node.dials, 0U);
  node.shut.clear();
  node.proof.set_listening(node.now, false);
  node.run(30min);
  EXPECT_EQ(node.dials, 0U);
  EXPECT_FALSE(node.proof.streams());
  node.proof.set_listening(node.now, true);
  node.run(1min);
  EXPECT_TRUE(node.proof.streams());
}

TEST(ReachProof, StreamsThatAreKeptOutAreNotProven) {
  Behind node(kPublic);
  node.streams = false;
  node.run(2s);
  node.proof.set_listening(node.now, true);
  node.run(1h);
  EXPECT_TRUE(node.proof.datagrams());
  EXPECT_FALSE(node.proof.streams());
  EXPECT_EQ(node.proof.streams_proof(), Proof::none_came);
}

TEST(ReachProof, FollowsToAnotherAddressAndIsLostWhenNobodyComesInAnyMore) {
  Behind node;
  node.run(2s);
  node.outside = IpAddress::v4(203, 0, 113, 99);
  node.run(20min);
  EXPECT_EQ(node.proof.datagrams(), (Endpoint{node.outside, 4400}));
  node.shut = {kSilent.port, kMeant.port};
  node.run(20min);
  EXPECT_FALSE(node.proof.datagrams());
}

// Supernodes that die together must not end the role of those that are left.
TEST(ReachProof, IsNotLostWhileThereIsNobodyToAsk) {
  Behind node(kPublic);
  node.run(2s);
  node.supernodes.clear();
  node.run(2h);
  EXPECT_TRUE(node.proof.datagrams());
}

TEST(ReachProof, WhatWasLostIsAskedAboutAtOnceWhenThatIsWanted) {
  Behind node(kPublic);
  node.run(2s);
  node.shut = {kSilent.port, kMeant.port};
  while (node.proof.datagrams()) node.run(10s);
  node.shut.clear();
  node.proof.again(node.now);
  node.run(2s);
  EXPECT_TRUE(node.proof.datagrams());
}

}  // namespace
}  // namespace linnet::nat
