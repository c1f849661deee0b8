// STUN at the door of a node: what a supernode answers, and that a leaf does not.
#include "node/stun_door.h"

#include <gtest/gtest.h>

#include "nat/stun_builder.h"
#include "nat/stun_message.h"
#include "tests/node/town.h"

namespace linnet::node {
namespace {

using nat::stun::Attr;

const Endpoint kStranger = *Endpoint::parse("203.0.113.9:5000");

Bytes request() {
  return nat::stun::Builder(nat::stun::Class::request, nat::stun::Method::binding, nat::stun::TransactionId{9}).take();
}

std::vector<Transmit> answers(Town& town, Resident& to, const Endpoint& from, Bytes bytes) {
  std::vector<Transmit> out;
  to.node->handle_datagram(town.now(), {from, bytes});
  while (auto t = to.node->poll_transmit()) {
    if (t->to == from) out.push_back(std::move(*t));
  }
  return out;
}

TEST(StunDoor, ASupernodeTellsAStrangerWhereItIsSeenAndALeafTellsNothing) {
  Town town;
  town.build();
  auto& leaf = town.add("leaf@town.example");
  ASSERT_TRUE(town.all_online());
  const auto told = answers(town, *town.supernodes[0], kStranger, request());
  ASSERT_EQ(told.size(), 1U);
  const auto m = nat::stun::Message::parse(told[0].bytes);
  ASSERT_TRUE(m);
  EXPECT_EQ(*m->endpoint(Attr::xor_mapped_address), kStranger);
  EXPECT_TRUE(answers(town, leaf, kStranger, request()).empty());
}

TEST(StunDoor, OnePrefixGetsItsShareAndTheNextAsMuch) {
  StunDoor door;
  const Time now{std::chrono::hours(1)};
  auto bytes = request();
  const auto ask = [&](std::uint32_t ip, int times) {
    std::size_t got = 0;
    for (int i = 0; i < times; ++i) {
      EXPECT_TRUE(door.take(now, {{IpAddress::v4(ip), 1000}, bytes}, true));
      while (door.poll_transmit()) ++got;
    }
    return got;
  };
  EXPECT_EQ(ask(0xcb007109, 1000), StunDoor::kBurst);
  EXPECT_EQ(ask(0xcb00710a, 1000), 0U) << "of the same /24";
  EXPECT_EQ(ask(0xcb007209, 10), 10U);
}

TEST(StunDoor, WhatIsNotAskedIsNotAnswered) {
  StunDoor door;
  const Time now{std::chrono::hours(1)};
  for (const auto c : {nat::stun::Class::indication, nat::stun::Class::success, nat::stun::Class::error}) {
    auto bytes = nat::stun::Builder(c, nat::stun::Method::binding, {}).take();
    EXPECT_TRUE(door.take(now, {kStranger, bytes}, true));
  }
  auto broken = request();
  broken[3] = 4;
  EXPECT_FALSE(door.take(now, {kStranger, broken}, true)) << "not STUN";
  auto from_nowhere = request();
  EXPECT_TRUE(door.take(now, {{kStranger.ip, 0}, from_nowhere}, true));
  auto by_tcp = request();
  EXPECT_FALSE(door.take(now, {{kStranger.ip, 5000, Transport::tcp}, by_tcp}, true));
  EXPECT_FALSE(door.poll_transmit());
}

TEST(StunDoor, AFloodFromEverywhereWaitsInABoundedQueue) {
  StunDoor door;
  const Time now{std::chrono::hours(1)};
  auto bytes = request();
  for (std::uint32_t i = 0; i < 10'000; ++i)
    EXPECT_TRUE(door.take(now, {{IpAddress::v4(0x0b000000U + i * 256), 1000}, bytes}, true));
  std::size_t waiting = 0;
  while (door.poll_transmit()) ++waiting;
  EXPECT_EQ(waiting, StunDoor::kMaxWaiting);
}

}  // namespace
}  // namespace linnet::node
