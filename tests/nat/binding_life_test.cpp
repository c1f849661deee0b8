// How long a NAT keeps a mapping, found out against the simulator's NATs (RFC 5780, section 4.6).
#include "nat/binding_life.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>

#include "nat/binding_server.h"
#include "nat/stun_builder.h"
#include "sim/nat_box.h"

namespace linnet::nat {
namespace {

using namespace std::chrono_literals;
using By = BindingLife::By;
using Found = BindingLife::Found;
using sim::NatBox;
using sim::NatKind;

const Endpoint kTestedSocket = *Endpoint::parse("10.0.0.1:5001");
const Endpoint kAskingSocket = *Endpoint::parse("10.0.0.1:5002");
const Endpoint kStunServer = *Endpoint::parse("198.51.100.1:3478");
const IpAddress kNatOutside = *IpAddress::parse("203.0.113.7");

// Two sockets of one host behind one NAT, and a Binding server.
struct LifeNet {
  LifeNet(NatKind kind, Duration life) : box(kind, kNatOutside, life), box_life(life) {}

  NatBox box;
  SeededRng rng{3}, chance{7};
  double loss = 0;
  bool twice = false;  // each answer
  std::uint64_t bytes = 0;
  std::map<By, std::uint64_t> sent;
  bool heeds_response_port = true;
  std::function<bool(Time)> server_lives = [](Time) { return true; };
  Duration lies_every{};  // so often the server keeps the mapping alive by a packet of its own
  Bytes lie;              // empty: the last answer again
  Bytes last_answer;
  Endpoint outside;  // of the tested socket

  // What comes in refreshes the mapping, as on Linux.
  void tell_lie(BindingLife& life, Time now) {
    if (box.inbound(now, outside, kStunServer) != kTestedSocket) return;
    (void)box.outbound(now, kTestedSocket, kStunServer);
    const auto message = stun::Message::parse(lie.empty() ? last_answer : lie);
    message ? life.handle(now, By::tested, *message) : life.disturbed(now);
  }

  void carry(BindingLife& life, Time now, const BindingLife::Shot& shot) {
    bytes += shot.datagram.bytes.size() + 28;
    ++sent[shot.by];
    const auto source = box.outbound(now, shot.by == By::tested ? kTestedSocket : kAskingSocket, kStunServer);
    if (shot.by == By::tested) outside = source;
    if (chance.unit() < loss || !server_lives(now)) return;
    auto answer = BindingServer(BindingServerConfig{}).answer({}, source, *stun::Message::parse(shot.datagram.bytes));
    if (!answer || chance.unit() < loss) return;
    if (!heeds_response_port) answer->to = source;
    last_answer = answer->bytes;
    const auto inside = box.inbound(now, answer->to, kStunServer);
    for (int copies = twice ? 2 : 1; inside && copies > 0; --copies)
      life.handle(now, *inside == kTestedSocket ? By::tested : By::other, *stun::Message::parse(answer->bytes));
  }

  Found measure() {
    const Time began{1h};
    Time now = began;
    BindingLife life(now, kStunServer, rng);
    Found found;
    Time lies_at = lies_every == Duration{} ? kNever : now + lies_every;
    for (int i = 0; i < 10'000 && !life.over(); ++i) {
      while (const auto shot = life.poll_transmit()) carry(life, now, *shot);
      while (const auto news = life.poll_found()) {
        // The mapping's life never lies outside what was said of it.
        if (!news->failed && loss == 0 && lies_every == Duration{}) {
          EXPECT_LT(news->alive, box_life);
          EXPECT_GE(news->dead.value_or(24h) + 1s, box_life);
        }
        found = *news;
      }
      if (life.over()) break;
      now = std::min(lies_at, life.next_timeout());
      if (now == lies_at) {
        tell_lie(life, now);
        lies_at += lies_every;
      }
      life.handle_timeout(now);
    }
    while (const auto news = life.poll_found()) found = *news;
    took = now - began;
    return found;
  }
  Duration box_life;
  Duration took{};
};

TEST(BindingLife, IsFoundToAnEighthBehindEveryKindOfNat) {
  for (const auto kind : {NatKind::full_cone, NatKind::restricted, NatKind::port_restricted, NatKind::symmetric}) {
    for (const Duration life : {Duration(5s), Duration(20s), Duration(30s), Duration(61s), Duration(120s)}) {
      LifeNet net(kind, life);
      const auto found = net.measure();
      ASSERT_TRUE(found.finished) << millis(life);
      ASSERT_TRUE(found.dead.has_value());
      EXPECT_LT(found.alive, life);
      EXPECT_LE(*found.dead - found.alive, found.alive / 8 + Duration(1)) << millis(life);
    }
  }
}

TEST(BindingLife, OfAPatientNatIsNotWaitedForLongerThanAnybodyAsks) {
  LifeNet net(NatKind::port_restricted, 24h);
  const auto found = net.measure();
  EXPECT_TRUE(found.finished);
  EXPECT_EQ(found.alive, Duration(BindingLife::kLongest));
  EXPECT_FALSE(found.dead.has_value());
  EXPECT_LE(net.took, Duration(10min));
}

TEST(BindingLife, CostsNextToNothing) {
  LifeNet net(NatKind::port_restricted, 120s);
  (void)net.measure();
  EXPECT_LE(static_cast<double>(net.bytes) / (millis(net.took) / 1000.0), 5.0) << "bytes a second";
}

TEST(BindingLife, IsFoundAllTheSameWhereSomePacketsAreLost) {
  LifeNet net(NatKind::port_restricted, 30s);
  net.loss = 0.1;
  const auto found = net.measure();
  ASSERT_TRUE(found.finished);
  EXPECT_LT(found.alive, Duration(30s));
  EXPECT_GE(found.alive, Duration(20s));
}

TEST(BindingLife, CannotBeToldByAServerThatAnswersWhoAsks) {
  LifeNet net(NatKind::port_restricted, 30s);
  net.heeds_response_port = false;
  EXPECT_TRUE(net.measure().failed);
}

TEST(BindingLife, IsNotProlongedByAServerThatKeepsTheMappingAliveItself) {
  stun::Builder stray(stun::Class::indication, stun::Method::binding, stun::TransactionId{});
  const Bytes of_stun = stray.take();
  for (const auto& lie : {Bytes{}, of_stun, Bytes{1, 2, 3}}) {
    LifeNet net(NatKind::port_restricted, 30s);
    net.lies_every = 20s;
    net.lie = lie;
    const auto found = net.measure();
    EXPECT_TRUE(found.failed) << lie.size();
    EXPECT_LT(found.alive, Duration(30s)) << lie.size();
  }
}

TEST(BindingLife, IsMeasuredWhereAnswersComeTwice) {
  LifeNet net(NatKind::port_restricted, 30s);
  net.twice = true;
  const auto found = net.measure();
  ASSERT_TRUE(found.finished);
  EXPECT_LT(found.alive, Duration(30s));
  EXPECT_GT(*found.dead + 1s, Duration(30s));
}

TEST(BindingLife, IsNotCalledOverWhenItWasTheServerThatDied) {
  LifeNet net(NatKind::port_restricted, 10min);
  net.server_lives = [](Time now) { return now < Time{1h} + 30s; };
  const auto found = net.measure();
  EXPECT_TRUE(found.failed);
  EXPECT_FALSE(found.dead.has_value());
}

TEST(BindingLife, IsMeasuredOnWhenTheServerComesBack) {
  LifeNet net(NatKind::port_restricted, 40s);
  net.server_lives = [](Time now) { return now < Time{1h} + 30s || now > Time{1h} + 60s; };
  const auto found = net.measure();
  ASSERT_TRUE(found.finished);
  EXPECT_LT(found.alive, Duration(40s));
  EXPECT_GT(*found.dead + 1s, Duration(40s));
}

}  // namespace
}  // namespace linnet::nat
