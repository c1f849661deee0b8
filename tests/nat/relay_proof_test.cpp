// Where relayed ports are reached from outside (nat/relay_proof.h), behind a NAT that keeps ports.
#include "nat/relay_proof.h"

#include <gtest/gtest.h>

#include "nat/stun_builder.h"
#include "tests/nat/knocked_on.h"

namespace linnet::nat {
namespace {

using namespace std::chrono_literals;

const IpAddress kBoundAt = IpAddress::v4(10, 0, 0, 2);
const IpAddress kMappedTo = IpAddress::v4(203, 0, 113, 5);
const IpAddress kKnockedAt = IpAddress::v4(198, 51, 100, 7);
const Endpoint kOneServer{IpAddress::v4(192, 0, 2, 1), 4400};
const Endpoint kNextToOne{IpAddress::v4(192, 0, 2, 77), 4400};
const Endpoint kOtherServer{IpAddress::v4(198, 18, 0, 1), 4400};

// The port, the supernodes that are asked, and what stands between.
struct Relay : KnockedOn {
  explicit Relay(const IpAddress& at = kBoundAt) : proof(now, rng, {at, 50'000}) {
    supernodes = {kOneServer, kOtherServer};
    outside = kMappedTo;
  }

  void run(Duration wait) {
    ask(proof, wait, [this](const Transmit& asked) { answer(asked); });
  }
  void answer(const Transmit& asked) {
    asks.push_back(asked.to);
    const auto said = answer_of(asked);
    EXPECT_EQ(said.to.port, 50'000) << "the answer goes to the relayed port";
    if (!open) return;
    const auto message = stun::Message::parse(said.bytes);
    ASSERT_TRUE(message);
    EXPECT_TRUE(proof.handle(now, asked.to, *message));
  }

  RelayProof proof;
  bool open = true;
  std::vector<Endpoint> asks;
};

TEST(RelayProof, OfAnAddressThatIsSeenAsItIsNeedsOneSupernode) {
  Relay relay(kMappedTo);
  relay.run(1s);
  EXPECT_EQ(relay.proof.outside(), kMappedTo);
  EXPECT_EQ(relay.asks.size(), 1U);
}

TEST(RelayProof, BehindANatTwoSupernodesHaveToAgree) {
  Relay relay;
  relay.run(1s);
  EXPECT_EQ(relay.proof.outside(), kMappedTo);
  EXPECT_EQ(relay.proof.proof(), Proof::reached);
  ASSERT_EQ(relay.asks.size(), 2U);
  EXPECT_NE(relay.asks[0], relay.asks[1]);
}

TEST(RelayProof, TheOnlySupernodeThereIsIsBelieved) {
  Relay relay;
  relay.supernodes = {kOneServer};
  relay.run(1s);
  EXPECT_EQ(relay.proof.outside(), kMappedTo);
}

TEST(RelayProof, ASupernodeInOurOwnNetworkIsAskedWhereThereIsNoOther) {
  const Endpoint sibling{IpAddress::v4(10, 0, 0, 3), 4400};
  Relay relay;
  relay.siblings = {{sibling.ip, kBoundAt}};
  relay.supernodes = {sibling};
  relay.run(1s);
  EXPECT_EQ(relay.proof.outside(), kBoundAt);
  relay.supernodes = {sibling, kOneServer, kOtherServer};
  relay.run(10min);
  for (int minute = 0; minute < 180; ++minute) {
    ASSERT_EQ(relay.proof.outside(), kMappedTo) << minute;
    relay.run(1min);
  }
}

TEST(RelayProof, TwoOfOneOwnerAreOne) {
  Relay relay;
  relay.supernodes = {kOneServer, kNextToOne, kOtherServer};
  relay.lies = {{kOneServer.ip, kKnockedAt}, {kNextToOne.ip, kKnockedAt}};
  relay.run(2h);
  EXPECT_NE(relay.proof.outside(), kKnockedAt);
}

TEST(RelayProof, WhoContradictsIsNotBelievedNorAskedWithoutEnd) {
  Relay relay;
  relay.lies = {{kOneServer.ip, kKnockedAt}};
  relay.run(1min);
  EXPECT_EQ(relay.proof.outside(), std::nullopt);
  EXPECT_LE(relay.asks.size(), 3U);
}

TEST(RelayProof, OneWhoLiesLaterChangesNothing) {
  Relay relay;
  relay.run(1s);
  ASSERT_EQ(relay.proof.outside(), kMappedTo);
  relay.lies = {{kOneServer.ip, kKnockedAt}};
  relay.run(3h);
  EXPECT_EQ(relay.proof.outside(), kMappedTo);
}

TEST(RelayProof, AnotherAddressIsNoticedAtTheNextTime) {
  Relay relay;
  relay.run(1s);
  relay.outside = IpAddress::v4(203, 0, 113, 99);
  relay.run(10min);
  EXPECT_EQ(relay.proof.outside(), relay.outside);
}

TEST(RelayProof, IsLostWhenNobodyComesInAnyMore) {
  Relay relay;
  relay.run(1s);
  relay.open = false;
  relay.run(10min);
  EXPECT_EQ(relay.proof.outside(), std::nullopt);
  EXPECT_EQ(relay.proof.proof(), Proof::none_came);
}

TEST(RelayProof, WhatIsShutIsAskedAboutWithBounds) {
  Relay relay;
  relay.open = false;
  relay.run(1h);
  EXPECT_EQ(relay.proof.outside(), std::nullopt);
  EXPECT_LE(relay.asks.size(), 7 * DialBack::kServers * DialBack::kTries);
}

TEST(RelayProof, SupernodesOfTheOtherFamilyAreNotAsked) {
  Relay relay;
  relay.supernodes = {*Endpoint::parse("[2001:db8::1]:4400")};
  relay.run(1min);
  EXPECT_TRUE(relay.asks.empty());
  EXPECT_EQ(relay.proof.proof(), Proof::nobody);
}

}  // namespace
}  // namespace linnet::nat
