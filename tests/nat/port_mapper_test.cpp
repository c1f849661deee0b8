#include "nat/port_mapper.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "model_router.h"

using namespace linnet;
using namespace linnet::nat;
using namespace std::chrono_literals;
using test::ModelRouter;

namespace {

const Endpoint kRouter{IpAddress::v4(192, 168, 1, 1), pcp::kServerPort, Transport::udp};
const IpAddress kLocal = IpAddress::v4(192, 168, 1, 7);

// A mapper and its one router; a datagram takes no time, the clock goes from deadline to deadline.
struct House {
  SeededRng rng{1};
  ModelRouter router;
  PortMapper mapper;
  Time now{1h};
  int silent = 0;      // so many datagrams are lost first
  bool flaps = false;  // the router's clock jumps back and forth with each answer

  explicit House(ModelRouter of = {}, const PortOwner& owner = {1, 2, 3}) : router(of), mapper(rng, owner) {
    router.up = Time{};
  }

  void start(std::vector<PortWish> wishes = {{Transport::udp, 4400, 4400}}) {
    mapper.set_wishes(now, wishes);
    mapper.set_routers(now, {{kRouter, kLocal}});
    run(0s);
  }
  void carry() {
    for (int i = 0; i < 100; ++i) {
      mapper.handle_timeout(now);
      auto out = mapper.poll_transmit();
      if (!out && mapper.next_timeout() > now) return;
      if (!out) continue;
      EXPECT_EQ(out->to, kRouter);
      if (silent > 0) {
        --silent;
        continue;
      }
      if (flaps) router.up = router.up == Time{} ? now - 10s : Time{};
      if (auto answer = router.handle(now, out->bytes)) mapper.handle_datagram(now, {kRouter, *answer});
    }
    FAIL() << "it never rests";
  }
  // What was left to say after stop().
  void carry_out() {
    while (const auto out = mapper.poll_transmit()) (void)router.handle(now, out->bytes);
  }
  void run(Duration span) {
    const auto end = now + span;
    carry();
    while (mapper.next_timeout() <= end) {
      now = std::max(now, mapper.next_timeout());
      carry();
    }
    now = end;
  }
  std::optional<Endpoint> external() {
    const auto all = mapper.mappings();
    return all.empty() ? std::nullopt : std::optional(all.front().external);
  }
};

TEST(PortMapper, APortIsMappedByPcpAtOnce) {
  House house;
  house.start();
  ASSERT_EQ(house.mapper.mappings().size(), 1U);
  const auto got = house.mapper.mappings()[0];
  EXPECT_EQ(got.by, MappedBy::pcp);
  EXPECT_EQ(got.external.to_string(), "203.0.113.5:4400");
  EXPECT_EQ(got.until, house.now + 3600s);
  EXPECT_TRUE(house.mapper.take_changed());
  EXPECT_FALSE(house.mapper.take_changed());
  EXPECT_FALSE(house.mapper.unhelpful(house.now + 1h));
}

TEST(PortMapper, ARouterOfNatPmpRefusesTheVersionAndIsAskedInItsOwn) {
  ModelRouter old;
  old.pcp = false;
  House house(old);
  house.start();
  ASSERT_EQ(house.mapper.mappings().size(), 1U);
  EXPECT_EQ(house.mapper.mappings()[0].by, MappedBy::nat_pmp);
  EXPECT_EQ(house.external()->to_string(), "203.0.113.5:4400");
}

TEST(PortMapper, ARouterThatIsSilentAboutVersionTwoIsAskedByNatPmpAfterThreeSeconds) {
  ModelRouter old;
  old.pcp = false;
  old.announces_version = false;
  House house(old);
  house.start();
  EXPECT_FALSE(house.external());
  house.run(4s);
  EXPECT_EQ(house.external()->to_string(), "203.0.113.5:4400");
}

TEST(PortMapper, ALostRequestIsSentAgainAfterThreeSecondsAndThenEachTimeTwiceAsLate) {
  ModelRouter none;
  none.pcp = none.nat_pmp = false;
  House house(none);
  SeededRng rng(2);
  PortMapClient client(
      house.now, {{*IpAddress::parse("fe80::1"), pcp::kServerPort, Transport::udp}, *IpAddress::parse("2001:db8::7")},
      {{Transport::udp, 4400, 4400}}, 7200s, rng, {});
  Duration expected = 3s;
  for (int i = 0; i < 14; ++i) {
    const auto asked = client.next_timeout();
    client.handle_timeout(asked);
    ASSERT_TRUE(client.poll_transmit());
    const auto spacing = client.next_timeout() - asked;
    EXPECT_NEAR(millis(spacing), millis(expected), millis(expected) / 10 + 1);
    expected = std::min<Duration>(2 * spacing, 1024s);
  }
}

TEST(PortMapper, WhoDoesNotAnswerIsUnhelpfulAfterFiveSecondsAndStillAskedNowAndThen) {
  ModelRouter none;
  none.pcp = none.nat_pmp = false;
  House house(none);
  house.start();
  EXPECT_FALSE(house.mapper.unhelpful(house.now + 4s));
  EXPECT_TRUE(house.mapper.unhelpful(house.now + 5s));
  house.run(24h);
  EXPECT_LT(house.router.requests, 250);
  house.router.pcp = true;
  house.run(30min);
  EXPECT_TRUE(house.external());
  EXPECT_FALSE(house.mapper.unhelpful(house.now));
}

TEST(PortMapper, AnUnreachablePortIsUnhelpfulAtOnce) {
  ModelRouter none;
  none.pcp = none.nat_pmp = false;
  House house(none);
  house.start();
  house.mapper.unreachable(house.now, kRouter);
  EXPECT_TRUE(house.mapper.unhelpful(house.now));
}

TEST(PortMapper, AMappingIsRenewedBeforeItEndsHoweverOftenAnAnswerIsLost) {
  for (const bool pcp : {true}) {
    ModelRouter router;
    router.pcp = pcp;
    House house(router);
    house.start();
    for (int hour = 0; hour < 48; ++hour) {
      house.silent = hour % 2;
      house.run(1h);
      ASSERT_TRUE(house.external()) << hour;
      const auto& held = house.router.table.begin()->second;
      EXPECT_GT(held.until, house.now) << "the router kept it";
    }
    EXPECT_LT(house.router.requests, 48 * 6);
    (void)house.mapper.take_changed();
    house.run(2h);
    EXPECT_FALSE(house.mapper.take_changed()) << "a renewal is no news";
  }
}

TEST(PortMapper, ARouterThatForgotIsAskedAnewAtTheNextAnswer) {
  for (const bool pcp : {true}) {
    ModelRouter router;
    router.pcp = pcp;
    House house(router);
    house.start({{Transport::udp, 4400, 4400}, {Transport::tcp, 4400, 4400}});
    house.run(10min);
    house.router.restart(house.now);
    house.run(40min);  // a renewal of one tells of both
    EXPECT_EQ(house.router.table.size(), 2U);
    EXPECT_EQ(house.mapper.mappings().size(), 2U);
  }
}

// Two routers behind one address, or one whose clock cannot be trusted: each answer tells of a restart.
TEST(PortMapper, ARouterWhoseClockJumpsBackAndForthIsAskedNoMoreThanEachHalfHour) {
  for (const bool pcp : {true, false}) {
    ModelRouter router;
    router.pcp = pcp;
    House house(router);
    house.start({{Transport::udp, 4400, 4400}, {Transport::tcp, 4400, 4400}});
    house.flaps = true;
    house.run(6h);
    const auto before = house.router.requests;
    house.run(24h);
    EXPECT_LT(house.router.requests - before, 48 * 6) << pcp;
    EXPECT_EQ(house.mapper.mappings().size(), 2U) << pcp;
    house.flaps = false;  // it has come to its senses: a restart is believed at once again
    house.router.up = Time{};
    house.run(4h);
    house.router.restart(house.now);
    house.run(40min);
    EXPECT_EQ(house.router.table.size(), 2U) << pcp;
  }
}

TEST(PortMapper, AnAnnouncedRestartIsAnsweredWithinFiveSeconds) {
  for (const bool pcp : {true}) {
    ModelRouter router;
    router.pcp = pcp;
    House house(router);
    house.start();
    house.run(10min);
    house.router.restart(house.now);
    Bytes said;
    if (pcp) {
      pcp::Response announce;
      announce.opcode = pcp::Opcode::announce;
      said = pcp::write(announce);
    } else {
      natpmp::Response announce;
      announce.address = house.router.external;
      said = natpmp::write(announce);
    }
    auto stranger = said;
    house.mapper.handle_announcement(house.now, {{IpAddress::v4(192, 168, 1, 66), 5351, Transport::udp}, stranger});
    house.run(5s);
    EXPECT_TRUE(house.router.table.empty()) << "who is not the router restarts nothing";
    house.mapper.handle_announcement(house.now, {kRouter, said});
    house.run(5s);
    EXPECT_EQ(house.router.table.size(), 1U) << pcp;
  }
}

Bytes announcement() {
  pcp::Response out;
  out.opcode = pcp::Opcode::announce;
  return pcp::write(out);
}

TEST(PortMapper, AForgedAnnouncementTakesNoMappingOfNatPmpAway) {
  for (const bool announces_version : {true, false}) {
    for (const Duration when : {Duration(0s), Duration(1s), Duration(10min)}) {
      ModelRouter old;
      old.pcp = false;
      old.announces_version = announces_version;
      House house(old);
      house.silent = when == Duration(0s) ? 1 : 0;  // it comes before the first answer
      house.start();
      house.run(when);
      auto forged = announcement();
      house.mapper.handle_announcement(house.now, {kRouter, forged});
      for (int minute = 0; minute < 5 * 60; ++minute) {
        house.run(1min);
        ASSERT_TRUE(house.external()) << announces_version << ' ' << millis(when) << ", minute " << minute;
        EXPECT_EQ(house.mapper.mappings()[0].by, MappedBy::nat_pmp);
      }
      EXPECT_GT(house.router.table.begin()->second.until, house.now) << "the router kept it";
    }
  }
}

TEST(PortMapper, ForgedAnnouncementsWithoutEndKeepNoMappingAway) {
  ModelRouter old;
  old.pcp = false;
  old.announces_version = false;
  House house(old);
  house.start();
  for (int second = 0; second < 3 * 3600; ++second) {
    auto forged = announcement();
    house.mapper.handle_announcement(house.now, {kRouter, forged});
    house.run(1s);
    ASSERT_TRUE(second < 5 || house.external()) << second;
  }
  EXPECT_LT(house.router.requests, 3 * 3600 * 3);
}

TEST(PortMapper, ARouterWhoseSoftwareBecameAnotherIsSpokenToInItsNewProtocol) {
  ModelRouter old;
  old.pcp = false;
  House house(old);
  house.start();
  house.run(10min);
  house.router.pcp = true;
  house.router.restart(house.now);
  auto said = announcement();
  house.mapper.handle_announcement(house.now, {kRouter, said});
  house.run(5s);
  ASSERT_TRUE(house.external());
  EXPECT_EQ(house.mapper.mappings()[0].by, MappedBy::pcp);
  house.router.pcp = false;
  house.router.restart(house.now);
  house.run(2h);
  ASSERT_EQ(house.router.table.size(), 1U);
  EXPECT_EQ(house.mapper.mappings()[0].by, MappedBy::nat_pmp);
}

TEST(PortMapper, ARouterOfPcpAloneIsFoundAgainAfterAForgedRefusalOfItsVersion) {
  ModelRouter router;
  router.nat_pmp = false;
  House house(router);
  house.silent = 1;
  house.start();
  auto forged = from_hex("0080000100000000").value();
  house.mapper.handle_datagram(house.now, {kRouter, forged});
  house.run(3min);
  EXPECT_TRUE(house.external());
}

TEST(PortMapper, ANewExternalAddressIsNews) {
  House house;
  house.start();
  (void)house.mapper.take_changed();
  house.router.external = IpAddress::v4(203, 0, 113, 9);
  house.run(1h);
  EXPECT_TRUE(house.mapper.take_changed());
  EXPECT_EQ(house.external()->to_string(), "203.0.113.9:4400");
}

TEST(PortMapper, ATakenPortGivesAnotherWhichIsAskedForFromThenOn) {
  for (const bool pcp : {true, false}) {
    ModelRouter router;
    router.pcp = pcp;
    router.taken = 443;
    House house(router);
    house.start({{Transport::tcp, 4400, 443}});
    ASSERT_TRUE(house.external());
    EXPECT_EQ(house.external()->port, 444);
    house.router.taken = 0;
    house.run(2h);
    EXPECT_EQ(house.external()->port, 444);
  }
}

TEST(PortMapper, ARefusalIsUnhelpfulAndAskedAgainWhenTheRouterSaid) {
  ModelRouter router;
  router.refuses = pcp::Code::not_authorized;
  House house(router);
  house.start();
  EXPECT_TRUE(house.mapper.unhelpful(house.now));
  const auto asked = house.router.requests;
  house.run(50s);
  EXPECT_EQ(house.router.requests, asked);
  house.router.refuses.reset();
  house.run(11s);
  EXPECT_TRUE(house.external());
}

TEST(PortMapper, ARefusalOfOneThatForgotTakesTheMappingAway) {
  House house;
  house.start();
  house.run(10min);
  house.router.restart(house.now);
  house.router.refuses = pcp::Code::no_resources;
  pcp::Response announce;
  announce.opcode = pcp::Opcode::announce;
  auto said = pcp::write(announce);
  house.mapper.handle_announcement(house.now, {kRouter, said});
  house.run(6s);
  EXPECT_FALSE(house.external());
}

TEST(PortMapper, WhatIsHeldIsDeletedAtTheEnd) {
  for (const bool pcp : {true}) {
    ModelRouter router;
    router.pcp = pcp;
    House house(router);
    house.start({{Transport::udp, 4400, 4400}, {Transport::tcp, 4400, 4400}});
    house.run(1min);
    ASSERT_EQ(house.router.table.size(), 2U);
    house.mapper.stop(house.now);
    house.carry();
    EXPECT_TRUE(house.router.table.empty());
    EXPECT_TRUE(house.mapper.mappings().empty());
    EXPECT_EQ(house.mapper.next_timeout(), kNever);
  }
}

// RFC 6887, section 11.3: a mapping is its owner's, and the nonce says who that is.
TEST(PortMapper, AfterACrashTheRouterKnowsUsAgainAndNobodyElse) {
  House before;
  before.start();
  ASSERT_TRUE(before.external());
  const auto again = [&](const PortOwner& owner) {
    House after(before.router, owner);
    after.now = before.now + 1min;
    after.start();
    return after.external();
  };
  EXPECT_EQ(again({1, 2, 3}), before.external());
  EXPECT_FALSE(again({9, 9, 9})) << "the mapping is not his";
}

TEST(PortMapper, AnAnswerToAnotherNonceMapsNothing) {
  House house;
  house.silent = 1;
  house.start();
  pcp::Response forged;
  forged.opcode = pcp::Opcode::map;
  forged.lifetime = 3600s;
  forged.map = pcp::Map{{}, pcp::Protocol::udp, 4400, {IpAddress::v4(203, 0, 113, 66), 666, Transport::udp}};
  auto bytes = pcp::write(forged);
  house.mapper.handle_datagram(house.now, {kRouter, bytes});
  EXPECT_FALSE(house.external());
}

const PortWish kOnly443{Transport::tcp, 4400, 443, true};

TEST(PortMapper, APortThatAloneIsOfUseIsKeptWhenTheRouterGivesIt) {
  House house;
  house.start({{Transport::udp, 4400, 4400}, kOnly443});
  ASSERT_EQ(house.mapper.mappings().size(), 2U);
  EXPECT_EQ(house.mapper.mappings()[1].external, (Endpoint{IpAddress::v4(203, 0, 113, 5), 443, Transport::tcp}));
  house.run(5h);
  EXPECT_EQ(house.router.table.size(), 2U) << "renewed";
  house.mapper.stop(house.now);
  house.carry_out();
  EXPECT_TRUE(house.router.table.empty()) << "given back";
}

TEST(PortMapper, AnotherPortThanTheOneOfUseIsGivenBackAndAskedForSeldom) {
  for (const bool pcp : {true, false}) {
    ModelRouter busy;
    busy.pcp = pcp;
    busy.knows_options = false;
    busy.taken = 443;
    House house(busy);
    house.start({{Transport::udp, 4400, 4400}, kOnly443});
    house.run(10s);
    ASSERT_EQ(house.mapper.mappings().size(), 1U) << pcp;
    EXPECT_EQ(house.router.table.size(), 1U) << "the router keeps nothing that is of no use: " << pcp;
    EXPECT_FALSE(house.mapper.unhelpful(house.now)) << "it goes on without";
    const auto before = house.router.requests;
    house.run(10min);
    EXPECT_LE(house.router.requests - before, 2) << pcp;
    house.router.taken = 0;
    house.run(1h);
    EXPECT_EQ(house.mapper.mappings().size(), 2U) << "it is free now: " << pcp;
  }
}

TEST(PortMapper, ARouterOfPcpIsToldThatNoOtherPortIsOfUse) {
  ModelRouter busy;
  busy.taken = 443;
  House house(busy);
  house.start({{Transport::udp, 4400, 4400}, kOnly443});
  EXPECT_EQ(house.router.requests, 2) << "nothing had to be given back";
  EXPECT_EQ(house.mapper.mappings().size(), 1U);
  house.router.taken = 0;
  house.run(2min);
  EXPECT_EQ(house.mapper.mappings().size(), 2U);
}

TEST(PortMapper, ARouterThatRefusesThatPortIsOfUseAllTheSame) {
  ModelRouter strict;
  strict.refuses_below = 1024;
  House house(strict);
  house.start({{Transport::udp, 4400, 4400}, kOnly443});
  house.run(10s);
  EXPECT_EQ(house.mapper.mappings().size(), 1U);
  EXPECT_FALSE(house.mapper.unhelpful(house.now));
}

TEST(PortMapper, WhatARenewalMovesAwayFromTheOneOfUseIsLost) {
  House house;
  house.start({kOnly443});
  ASSERT_EQ(house.mapper.mappings().size(), 1U);
  house.router.restart(house.now);
  house.router.taken = 443;
  house.run(2h);
  EXPECT_TRUE(house.mapper.mappings().empty());
  EXPECT_TRUE(house.router.table.empty());
}

TEST(PortMapper, ARouterThatIsGoneTakesItsMappingsAlong) {
  House house;
  house.start();
  (void)house.mapper.take_changed();
  house.mapper.set_routers(house.now, {});
  EXPECT_TRUE(house.mapper.take_changed());
  EXPECT_TRUE(house.mapper.mappings().empty());
}

}  // namespace
