// Where a node's own port is reached behind a 1:1 NAT, by two things that hold together.
#include "nat/static_nat.h"

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

// The node, the supernodes that it asks, and the NAT between, which lets in by port.
struct Behind : KnockedOn {
  Behind() {
    supernodes = {kNear, kFar};
    outside = kPublic;
  }
  void run(Duration wait) {
    ask(proof, wait, [this](const Transmit& asked) { answer(asked); });
  }
  void answer(const Transmit& asked) {
    ++asks;
    const auto said = answer_of(asked);
    // What is said of a stranger's address goes to the stranger.
    if (seen_by(asked.to).ip != outside || shut.contains(said.to.port)) return;
    const auto message = stun::Message::parse(said.bytes);
    ASSERT_TRUE(message);
    const bool silent = said.to.port == kSilent.port;
    EXPECT_TRUE(silent ? proof.handle_silent(now, asked.to, *message) : proof.handle_own(now, asked.to, *message));
  }

  StaticNat proof{now, rng, kSilent, kMeant};
  std::set<std::uint16_t> shut;
  unsigned asks = 0;
};

TEST(StaticNat, IsProvenByASilentPortAndTheOneThatIsMeant) {
  Behind node;
  node.run(2s);
  EXPECT_EQ(node.proof.outside(), (Endpoint{kPublic, 4400}));
}

// A NAT that our own datagrams opened, and a router that passes on some ports only.
TEST(StaticNat, IsNoneWhereOnlyOneOfTheTwoPortsIsReached) {
  for (const auto& port : {kSilent.port, kMeant.port}) {
    Behind node;
    node.shut = {port};
    node.run(1h);
    EXPECT_FALSE(node.proof.outside()) << port;
    EXPECT_LE(node.asks, 6U * (15 + 6)) << "in an hour";
  }
}

TEST(StaticNat, IsNoneWhereOthersSeeUsAsWeAre) {
  Behind node;
  node.outside = kSilent.ip;
  node.run(1h);
  EXPECT_FALSE(node.proof.outside());
}

TEST(StaticNat, OneSupernodeAloneIsNotBelievedWhereThereAreTwo) {
  Behind node;
  node.lies = {{kNear.ip, IpAddress::v4(198, 51, 100, 7)}};
  node.run(1min);
  EXPECT_FALSE(node.proof.outside());
}

TEST(StaticNat, FollowsToAnotherAddressAndIsLostWhenNobodyComesInAnyMore) {
  Behind node;
  node.run(2s);
  node.outside = IpAddress::v4(203, 0, 113, 99);
  node.run(20min);
  EXPECT_EQ(node.proof.outside(), (Endpoint{node.outside, 4400}));
  node.shut = {kSilent.port, kMeant.port};
  node.run(20min);
  EXPECT_FALSE(node.proof.outside());
}

}  // namespace
}  // namespace linnet::nat
