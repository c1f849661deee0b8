#include "nat/dial_back.h"

#include <gtest/gtest.h>

#include "nat/binding_server.h"
#include "nat/stun_builder.h"

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
  Endpoint side = kSide;

  // What a server says to a Binding request of the port under test, which it sees at that port.
  Bytes seen_at(const Transmit& look, std::uint16_t port) {
    const auto request = stun::Message::parse(look.bytes);
    const auto answer = server.answer(look.to, {side.ip, port, Transport::udp}, *request);
    return answer ? answer->bytes : Bytes();
  }
  // One turn of the clock: what the server sends, and to where.
  std::vector<std::pair<Endpoint, BindingAnswer>> turn(const std::vector<DialBack::Server>& servers) {
    std::vector<std::pair<Endpoint, BindingAnswer>> out;
    dial.handle_timeout(now, servers);
    while (const auto asked = dial.poll_transmit()) {
      const auto request = stun::Message::parse(asked->bytes);
      if (auto answer = request ? server.answer(asked->to, side, *request) : std::nullopt)
        out.emplace_back(asked->to, *answer);
    }
    return out;
  }
  bool hand_in(const Endpoint& from, const Bytes& bytes) {
    const auto message = stun::Message::parse(bytes);
    return message && dial.handle(now, from, *message);
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
  EXPECT_EQ(house.dial.proof(kPromised), Proof::reached);
  EXPECT_EQ(house.dial.next_timeout(), house.now + DialBack::kProvenAgain);
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
  EXPECT_EQ(house.dial.proof(kPromised), Proof::none_came);
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

TEST(DialBack, WhereItIsSeenIsAskedFromThePortItselfWhenNobodyKnows) {
  Doorway house;
  house.dial.set(house.now, {kPromised});
  EXPECT_TRUE(house.turn({{kDialler, std::nullopt}}).empty()) << "not yet";
  const auto look = house.dial.poll_from_port();
  ASSERT_TRUE(look);
  EXPECT_EQ(look->promised, kPromised);
  EXPECT_EQ(look->transmit.to, kDialler);
  EXPECT_TRUE(house.hand_in(kDialler, house.seen_at(look->transmit, 61'000)));
  EXPECT_FALSE(house.dial.reached(kPromised)) << "that was no proof";
  const auto sent = house.turn({{kDialler, std::nullopt}});
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_TRUE(house.hand_in(kDialler, sent[0].second.bytes));
  EXPECT_EQ(house.dial.reached(kPromised), kPromised);
}

TEST(DialBack, WhoTurnsOutToSeeItAtThePromisedPortIsNotAskedAndSoIsNobodyElse) {
  Doorway house;
  house.dial.set(house.now, {kPromised});
  std::size_t looked = 0;
  for (const auto end = house.now + 1min; house.dial.next_timeout() <= end;) {
    house.now = house.dial.next_timeout();
    EXPECT_TRUE(house.turn({{kDialler, std::nullopt}, {kOther, std::nullopt}}).empty());
    while (const auto look = house.dial.poll_from_port()) {
      ++looked;
      house.hand_in(look->transmit.to, house.seen_at(look->transmit, kPromised.port));
    }
  }
  EXPECT_EQ(looked, DialBack::kServers);
  EXPECT_EQ(house.dial.proof(kPromised), Proof::seen_there);
}

TEST(DialBack, WhatWasProvenIsAskedAboutAgainAndLostAfterTwoGoesInVain) {
  Doorway house;
  house.dial.set(house.now, {kPromised});
  ASSERT_TRUE(house.hand_in(kDialler, house.turn({{kDialler}}).at(0).second.bytes));
  const auto proven = house.now;
  house.dial.doubt(house.now);
  EXPECT_EQ(house.dial.next_timeout(), house.now) << "our address may be another one";
  std::optional<Time> lost;
  for (const auto end = house.now + 5min; !lost && house.dial.next_timeout() <= end;) {
    house.now = house.dial.next_timeout();
    house.turn({{kDialler}, {kOther}});
    if (!house.dial.reached(kPromised)) lost = house.now;
  }
  ASSERT_TRUE(lost);
  EXPECT_GT(*lost - proven, DialBack::kDoubted) << "one bad moment is not enough";
  EXPECT_EQ(house.dial.proof(kPromised), Proof::none_came);
}

TEST(DialBack, AnAddressThatMovedIsSeenAtTheNextQuestion) {
  Doorway house;
  house.dial.set(house.now, {kPromised});
  ASSERT_TRUE(house.hand_in(kDialler, house.turn({{kDialler}}).at(0).second.bytes));
  house.now += DialBack::kProvenAgain;
  house.side.ip = IpAddress::v4(203, 0, 113, 77);
  ASSERT_TRUE(house.hand_in(kDialler, house.turn({{kDialler}}).at(0).second.bytes));
  EXPECT_EQ(house.dial.reached(kPromised)->to_string(), "203.0.113.77:4400");
}

const Endpoint kTcp{IpAddress::v4(203, 0, 113, 5), 443, Transport::tcp};

Bytes on_a_stream(const stun::TransactionId& id, const Endpoint& dialled) {
  stun::Builder answer(stun::Class::success, stun::Method::binding, id);
  answer.endpoint(stun::Attr::xor_mapped_address, dialled);
  return answer.take();
}

TEST(DialBack, ATcpPortIsProvenByAStreamThatBringsTheNonce) {
  Doorway house;
  house.dial.set(house.now, {kTcp});
  EXPECT_TRUE(house.turn({{kDialler, 443}}).empty()) << "no datagram asks for it, and what it sees does not matter";
  const auto ask = house.dial.poll_ask();
  ASSERT_TRUE(ask);
  EXPECT_EQ(ask->server, kDialler);
  EXPECT_EQ(ask->port, 443);
  auto from = kDialler;
  EXPECT_FALSE(house.hand_in(from, on_a_stream(ask->id, kTcp))) << "a datagram is no stream";
  from.transport = Transport::tcp;
  from.port = 51'234;
  EXPECT_FALSE(house.hand_in(from, on_a_stream({1, 2, 3}, kTcp))) << "a stranger does not know the nonce";
  EXPECT_TRUE(house.hand_in(from, on_a_stream(ask->id, kTcp)));
  EXPECT_EQ(house.dial.reached(kTcp), kTcp);
}

TEST(DialBack, EachServerIsAskedOnceToDialInOneGo) {
  Doorway house;
  house.dial.set(house.now, {kTcp});
  std::vector<Endpoint> asked;
  for (const auto end = house.now + 9min; house.dial.next_timeout() <= end;) {
    house.now = house.dial.next_timeout();
    house.turn({{kDialler}, {kOther}});
    while (const auto ask = house.dial.poll_ask()) asked.push_back(ask->server);
  }
  ASSERT_EQ(asked.size(), 2U);
  EXPECT_NE(asked[0], asked[1]);
  EXPECT_EQ(house.dial.proof(kTcp), Proof::none_came);
}

}  // namespace
