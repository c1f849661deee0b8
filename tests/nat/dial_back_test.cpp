#include "nat/dial_back.h"

#include <gtest/gtest.h>

#include "nat/binding_server.h"

using namespace linnet;
using namespace linnet::nat;
using namespace std::chrono_literals;

namespace {

const Endpoint kPromised{IpAddress::v4(203, 0, 113, 5), 4400, Transport::udp};
const Endpoint kDialler{IpAddress::v4(192, 0, 2, 1), 4400, Transport::udp};
const Endpoint kOther{IpAddress::v4(192, 0, 2, 2), 4400, Transport::udp};
const Endpoint kSide{IpAddress::v4(203, 0, 113, 5), 61000, Transport::udp};  // the other socket, as servers see it

struct Doorway {
  SeededRng rng{1};
  DialBack dial{rng};
  BindingServer server{BindingServerConfig{}};
  Time now{1h};

  // One turn of the clock: what the server sends, and to where.
  std::vector<std::pair<Endpoint, BindingAnswer>> turn(const std::vector<DialBack::Server>& servers) {
    std::vector<std::pair<Endpoint, BindingAnswer>> out;
    dial.handle_timeout(now, servers);
    while (const auto asked = dial.poll_transmit()) {
      const auto request = stun::Message::parse(asked->bytes);
      if (auto answer = request ? server.answer(asked->to, kSide, *request) : std::nullopt)
        out.emplace_back(asked->to, *answer);
    }
    return out;
  }
  bool hand_in(const Endpoint& from, const Bytes& bytes) {
    const auto message = stun::Message::parse(bytes);
    return message && dial.handle(from, *message);
  }
};

TEST(DialBack, AServerThatHeardTheOtherSocketAnswersToThePromisedPort) {
  Doorway house;
  house.dial.set(house.now, {kPromised});
  const auto sent = house.turn({{kDialler}});
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].second.to, kPromised);
  EXPECT_FALSE(house.dial.reached(kPromised));
  EXPECT_TRUE(house.hand_in(kDialler, sent[0].second.bytes));
  EXPECT_EQ(house.dial.reached(kPromised), kPromised);
  EXPECT_EQ(house.dial.next_timeout(), kNever);
}

TEST(DialBack, AnAnswerFromElsewhereOrToAnotherQuestionProvesNothing) {
  Doorway house;
  house.dial.set(house.now, {kPromised});
  const auto sent = house.turn({{kDialler}});
  EXPECT_FALSE(house.hand_in(kOther, sent[0].second.bytes));
  auto forged = sent[0].second.bytes;
  forged[19] = static_cast<std::uint8_t>(forged[19] ^ 1);
  EXPECT_FALSE(house.hand_in(kDialler, forged));
  EXPECT_FALSE(house.dial.reached(kPromised));
}

TEST(DialBack, ALiarIsAskedAboutNineTimesAtSeveralServersAndThenSeldom) {
  Doorway house;
  house.dial.set(house.now, {kPromised});
  std::size_t asked = 0;
  std::vector<Endpoint> whom;
  for (const auto end = house.now + 9min; house.dial.next_timeout() <= end;) {
    house.now = house.dial.next_timeout();
    for (const auto& [to, answer] : house.turn({{kDialler}, {kOther}})) {
      ++asked;
      whom.push_back(to);
    }
  }
  EXPECT_EQ(asked, 9U);
  EXPECT_NE(whom.front(), whom[3]);
  EXPECT_FALSE(house.dial.reached(kPromised));
}

TEST(DialBack, AServerThatSeesUsAtThePromisedPortProvesNothing) {
  Doorway house;
  house.dial.set(house.now, {kPromised});
  EXPECT_TRUE(house.turn({{kDialler, kPromised.port}}).empty()) << "our own NAT may let its answer in";
  house.now += DialBack::kNobody;
  const auto sent = house.turn({{kDialler, kPromised.port}, {kOther, 50'000}});
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].first, kOther);
}

TEST(DialBack, ANatMayShowTheServerAtAnotherPort) {
  Doorway house;
  house.dial.set(house.now, {kPromised});
  const auto sent = house.turn({{kDialler, 50'000}});
  auto shown = kDialler;
  shown.port = 48'971;
  EXPECT_TRUE(house.hand_in(shown, sent.at(0).second.bytes));
  EXPECT_EQ(house.dial.reached(kPromised), kPromised);
}

TEST(DialBack, TheAddressIsTheOneThatTheServerSaw) {
  Doorway house;
  auto behind = kPromised;  // as a router says that has another NAT before it, which passes everything on
  behind.ip = IpAddress::v4(100, 64, 0, 9);
  house.dial.set(house.now, {behind});
  const auto sent = house.turn({{kDialler}});
  ASSERT_TRUE(house.hand_in(kDialler, sent.at(0).second.bytes));
  EXPECT_EQ(house.dial.reached(behind), kPromised);
}

TEST(DialBack, WithoutAServerThatCanProveItItWaits) {
  Doorway house;
  house.dial.set(house.now, {kPromised});
  EXPECT_TRUE(house.turn({}).empty());
  EXPECT_EQ(house.dial.next_timeout(), house.now + DialBack::kNobody);
  house.now += DialBack::kNobody;
  EXPECT_EQ(house.turn({{kDialler}}).size(), 1U);
}

TEST(DialBack, WhatWasProvenStaysSoWhileThePromiseStands) {
  Doorway house;
  house.dial.set(house.now, {kPromised});
  const auto sent = house.turn({{kDialler}});
  ASSERT_TRUE(house.hand_in(kDialler, sent.at(0).second.bytes));
  auto second = kPromised;
  second.port = 4401;
  house.dial.set(house.now, {kPromised, second});
  EXPECT_EQ(house.dial.reached(kPromised), kPromised);
  EXPECT_FALSE(house.dial.reached(second));
  house.dial.set(house.now, {});
  house.dial.set(house.now, {kPromised});
  EXPECT_FALSE(house.dial.reached(kPromised));
}

}  // namespace
