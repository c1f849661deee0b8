// STUN at the door of a node: what a supernode answers, and that a leaf does not.
#include "node/stun_door.h"

#include <gtest/gtest.h>

#include "nat/stun_builder.h"
#include "nat/stun_message.h"
#include "node/sockets.h"
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

// RFC 5389, section 12.2: on a port that other things come to as well, what has no cookie cannot be told from them.
TEST(StunDoor, AnOldClientThatSendsNoCookieIsNotAnswered) {
  Town town;
  town.build();
  ASSERT_TRUE(town.all_online());
  auto old = request();
  ASSERT_EQ(answers(town, *town.supernodes[0], kStranger, old).size(), 1U);
  for (std::size_t i = 4; i < 8; ++i) old[i] = 0x5a;  // the beginning of its transaction id of 128 bits (RFC 3489)
  EXPECT_TRUE(answers(town, *town.supernodes[0], kStranger, old).empty());
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

// Two addresses with two ports each, as bound by a daemon.
const std::vector<Endpoint> kFour = {*Endpoint::parse("198.51.100.1:4400"), *Endpoint::parse("198.51.100.2:4401"),
                                     *Endpoint::parse("198.51.100.1:4401"), *Endpoint::parse("198.51.100.2:4400")};

std::optional<Transmit> one_answer(StunDoor& door, Endpoint from, std::uint8_t socket, std::uint32_t change) {
  from.socket = socket;
  nat::stun::Builder out(nat::stun::Class::request, nat::stun::Method::binding, nat::stun::TransactionId{9});
  if (change != 0) out.u32(Attr::change_request, change);
  auto bytes = out.take();
  EXPECT_TRUE(door.take(Time{std::chrono::hours(1)}, {from, bytes}, true));
  return door.poll_transmit();
}

TEST(StunDoor, WithTwoAddressesAnswersFromTheOneThatWasAskedFor) {
  StunDoor door(kFour);
  using nat::stun::kChangeAddress;
  using nat::stun::kChangePort;
  const struct {
    std::uint8_t asked;  // the socket; 0: the first
    std::uint32_t change;
    std::size_t answers;  // index in kFour
  } cases[] = {{0, 0, 0},           {0, kChangeAddress | kChangePort, 1}, {0, kChangePort, 2}, {0, kChangeAddress, 3},
               {2, kChangePort, 3}, {2, kChangeAddress | kChangePort, 0}, {3, 0, 2},           {4, kChangeAddress, 0}};
  for (const auto& c : cases) {
    const auto told = one_answer(door, kStranger, c.asked, c.change);
    ASSERT_TRUE(told);
    EXPECT_TRUE(same_place(told->to, kStranger));
    const auto by = told->to.socket == 0 ? 0U : told->to.socket - 1U;
    EXPECT_EQ(by, c.answers) << int{c.asked} << " " << c.change;
    const auto m = nat::stun::Message::parse(told->bytes);
    ASSERT_TRUE(m);
    EXPECT_EQ(*m->endpoint(Attr::response_origin), kFour[c.answers]);
    const auto at = kFour[c.asked == 0 ? 0 : c.asked - 1U];
    const auto other = m->endpoint(Attr::other_address);
    ASSERT_TRUE(other);
    EXPECT_NE(other->ip, at.ip);
    EXPECT_NE(other->port, at.port);
  }
}

TEST(StunDoor, WithOneAddressOrForSomebodyWhoCannotSeeTheOtherSaysNothingOfIt) {
  StunDoor one({kFour[0], kFour[2]});
  StunDoor private_pair({*Endpoint::parse("10.0.0.1:4400"), *Endpoint::parse("10.0.0.2:4401"),
                         *Endpoint::parse("10.0.0.1:4401"), *Endpoint::parse("10.0.0.2:4400")});
  for (auto* door : {&one, &private_pair}) {
    const auto told = one_answer(*door, kStranger, 0, 0);
    ASSERT_TRUE(told);
    EXPECT_FALSE(nat::stun::Message::parse(told->bytes)->has(Attr::other_address));
    const auto refused = one_answer(*door, kStranger, 0, nat::stun::kChangePort);
    ASSERT_TRUE(refused);
    EXPECT_EQ(nat::stun::Message::parse(refused->bytes)->error()->code, nat::stun::ErrorCode::unknown_attribute);
  }
  EXPECT_TRUE(nat::stun::Message::parse(one_answer(private_pair, *Endpoint::parse("10.0.0.9:5000"), 0, 0)->bytes)
                  ->has(Attr::other_address));
}

TEST(Sockets, WhatIsMissingForDiscoveryIsTheRestOfTwoAddressesAtTwoPorts) {
  const auto at = [](const char* text) { return *Endpoint::parse(text); };
  using All = std::vector<Endpoint>;
  EXPECT_EQ(missing_for_discovery(All{kFour[0], kFour[1]}, true), (All{kFour[2], kFour[3]}));
  EXPECT_EQ(missing_for_discovery(All{at("198.51.100.1:4400"), at("198.51.100.2:4400")}, true),
            (All{at("198.51.100.1:4401"), at("198.51.100.2:4401")}));
  EXPECT_TRUE(missing_for_discovery(kFour, true).empty());
  EXPECT_TRUE(missing_for_discovery(kFour, false).empty());
  EXPECT_TRUE(missing_for_discovery(All{at("0.0.0.0:4400"), at("198.51.100.2:4400")}, true).empty());
  EXPECT_TRUE(missing_for_discovery(All{at("10.0.0.1:4400"), at("198.51.100.2:4400")}, true).empty());
  EXPECT_FALSE(missing_for_discovery(All{at("[2001:db8::1]:1"), at("[2001:db8::2]:2")}, false).empty());
}

}  // namespace
}  // namespace linnet::node
