// NAT behaviour discovery against the simulator's NATs (RFC 5780, section 4).
#include "nat/probe.h"

#include <gtest/gtest.h>

#include <set>

#include "nat/binding_server.h"
#include "sim/nat_box.h"

namespace linnet::nat {
namespace {

using namespace std::chrono_literals;
using sim::NatBox;
using sim::NatKind;

const Endpoint kLocal = *Endpoint::parse("10.0.0.1:4400");
const IpAddress kOutside = *IpAddress::parse("203.0.113.7");
const Endpoint kServer = *Endpoint::parse("198.51.100.1:3478");
const Endpoint kServerOther = *Endpoint::parse("198.51.100.2:3479");
const Endpoint kPlain = *Endpoint::parse("192.0.2.9:3478");

// One host behind one NAT, one server with two addresses and one without.
struct Net {
  explicit Net(NatKind kind) : box(kind, kOutside) {}

  NatBox box;
  bool hairpin = false;
  bool address_dependent = false;  // the mapping: the box then sees no remote ports
  bool ordinary = false;           // the server has no second address
  std::optional<Endpoint> lies;    // where an answer comes from that was asked to come from elsewhere
  Endpoint bound = kLocal;
  std::vector<IpAddress> own;
  double loss = 0;
  std::set<Endpoint> dead;
  bool partner_dead = false;     // the second address is another machine's
  bool partner_refuses = false;  // and that one does not send
  std::vector<std::pair<Time, Datagram>> wire;
  std::vector<Bytes> kept;
  SeededRng chance{7};

  Endpoint blurred(Endpoint e) const {
    if (address_dependent) e.port = 1;
    return e;
  }
  void deliver(Probe& probe, Time now, const Endpoint& from, const Endpoint& outside, ByteView bytes) {
    if (chance.unit() < loss) return;
    if (box.inbound(now, outside, blurred(from))) (void)probe.handle(now, from, *stun::Message::parse(bytes));
  }
  void carry(Probe& probe, Time now, const Transmit& out) {
    if (chance.unit() < loss) return;
    const auto source = box.outbound(now, kLocal, blurred(out.to));
    if (out.to.ip == kOutside) {
      if (hairpin) deliver(probe, now, source, out.to, out.bytes);
      return;
    }
    if (dead.count(out.to) != 0) return;
    const bool two = !ordinary && (out.to.ip == kServer.ip || out.to.ip == kServerOther.ip);
    const BindingServer server({kServer, two ? std::optional(kServerOther) : std::nullopt, false});
    auto answer = server.answer(out.to, source, *stun::Message::parse(out.bytes));
    const bool by_partner = answer && answer->from.ip == kServerOther.ip;
    if (by_partner && partner_dead) return;
    if (by_partner && partner_refuses && out.to.ip == kServer.ip) {
      answer->from = out.to;
      answer->bytes = BindingServer::not_sent(stun::Message::parse(out.bytes)->id(), true);
    }
    if (answer && lies && !same_place(answer->from, out.to)) answer->from = *lies;
    if (answer) deliver(probe, now, answer->from, answer->to, answer->bytes);
  }
  ProbeReport discover(std::vector<Endpoint> servers = {kServer}) {
    SeededRng rng(1);
    Time now{1h};
    Probe probe(now, {bound, std::move(servers), own}, rng);
    for (int i = 0; i < 1000 && !probe.finished(); ++i) {
      while (const auto out = probe.poll_transmit()) carry(probe, now, *out);
      if (probe.finished()) break;
      now = probe.next_timeout();
      if (now == kNever) break;
      probe.handle_timeout(now);
    }
    EXPECT_TRUE(probe.finished());
    took = now - Time{1h};
    return probe.report();
  }
  Duration took{};
};

TEST(Probe, WithoutANatTheMappedAddressIsTheOwn) {
  Net net(NatKind::none);
  const auto report = net.discover();
  EXPECT_EQ(report.mapped, kLocal);
  EXPECT_FALSE(report.nat);
  EXPECT_EQ(report.mapping, Dependence::endpoint_independent);
  EXPECT_EQ(report.filtering, Dependence::endpoint_independent);
  EXPECT_EQ(report.hairpin, std::nullopt);
}

TEST(Probe, EachKindOfNatIsSeenForWhatItIs) {
  const auto check = [](NatKind kind, Dependence mapping, Dependence filtering) {
    Net net(kind);
    const auto report = net.discover();
    EXPECT_TRUE(report.nat);
    EXPECT_EQ(report.mapped->ip, kOutside);
    EXPECT_EQ(report.mapping, mapping) << static_cast<int>(kind);
    EXPECT_EQ(report.filtering, filtering) << static_cast<int>(kind);
  };
  check(NatKind::full_cone, Dependence::endpoint_independent, Dependence::endpoint_independent);
  check(NatKind::restricted, Dependence::endpoint_independent, Dependence::address);
  check(NatKind::port_restricted, Dependence::endpoint_independent, Dependence::address_and_port);
  check(NatKind::symmetric, Dependence::address_and_port, Dependence::address_and_port);
}

TEST(Probe, AMappingForEachAddressIsToldFromOneForEachPort) {
  Net net(NatKind::symmetric);
  net.address_dependent = true;
  const auto report = net.discover();
  EXPECT_EQ(report.mapping, Dependence::address);
  EXPECT_EQ(report.filtering, Dependence::address);
}

TEST(Probe, LossChangesNothing) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Net net(NatKind::full_cone);
    net.chance = SeededRng(seed);
    net.loss = 0.1;
    const auto report = net.discover();
    EXPECT_EQ(report.mapping, Dependence::endpoint_independent);
    EXPECT_EQ(report.filtering, Dependence::endpoint_independent);
  }
}

TEST(Probe, HairpinIsSeenWhenTheOwnRequestComesBack) {
  for (const bool hairpin : {false, true}) {
    Net net(NatKind::full_cone);
    net.hairpin = hairpin;
    EXPECT_EQ(net.discover().hairpin, hairpin);
  }
}

TEST(Probe, TwoOrdinaryServersTellTheMappingButNotTheFilter) {
  for (const auto& [kind, mapping] : {std::pair{NatKind::port_restricted, Dependence::endpoint_independent},
                                      {NatKind::symmetric, Dependence::address_and_port}}) {
    Net net(kind);
    net.ordinary = true;
    const auto report = net.discover({kServer, kPlain});
    EXPECT_EQ(report.mapping, mapping);
    EXPECT_EQ(report.filtering, Dependence::unknown);
  }
  Net alone(NatKind::symmetric);
  alone.ordinary = true;
  EXPECT_EQ(alone.discover().mapping, Dependence::unknown);
}

// As two supernodes with one address each are, each other's partners.
TEST(Probe, OfTwoServersThatAreEachOthersSecondAddressOneIsAskedSoThatTheFilterStaysShut) {
  for (const auto& [kind, filtering] : {std::pair{NatKind::restricted, Dependence::address},
                                        {NatKind::port_restricted, Dependence::address_and_port},
                                        {NatKind::full_cone, Dependence::endpoint_independent}}) {
    Net net(kind);
    const auto report = net.discover({kServer, kServerOther});
    EXPECT_EQ(report.mapping, Dependence::endpoint_independent);
    EXPECT_EQ(report.filtering, filtering);
  }
}

// The first one is dead, and its partner is asked in its place: the two addresses of the third are all that is left.
TEST(Probe, ASecondAddressThatWasAskedItselfIsNoneAndTheNextServerIsAsked) {
  Net net(NatKind::port_restricted);
  net.dead = {kServerOther};
  const auto report = net.discover({kServerOther, kServer});
  EXPECT_EQ(report.mapped->ip, kOutside);
  EXPECT_EQ(report.filtering, Dependence::unknown) << "the socket has asked both addresses";
}

TEST(Probe, ASilenceOfASecondAddressThatNobodyHearsOfIsNoFilter) {
  for (const auto kind : {NatKind::none, NatKind::full_cone, NatKind::port_restricted}) {
    Net net(kind);
    net.partner_dead = true;
    const auto report = net.discover({kServer, kPlain});
    EXPECT_EQ(report.filtering, Dependence::unknown);
    EXPECT_EQ(report.mapping, Dependence::endpoint_independent) << "by another server";
  }
  Net symmetric(NatKind::symmetric);
  symmetric.partner_dead = true;
  EXPECT_EQ(symmetric.discover({kServer, kPlain}).mapping, Dependence::address_and_port);
}

TEST(Probe, APartnerThatDidNotSendIsNoFilter) {
  Net net(NatKind::full_cone);
  net.partner_refuses = true;
  const auto report = net.discover();
  EXPECT_EQ(report.filtering, Dependence::unknown);
  EXPECT_EQ(report.mapping, Dependence::endpoint_independent);
}

TEST(Probe, AnAnswerFromAnotherAddressThanWasAskedForTellsNothingOfTheFilter) {
  Net net(NatKind::full_cone);
  net.lies = Endpoint{kServer.ip, 999};
  EXPECT_EQ(net.discover().filtering, Dependence::unknown);
}

TEST(Probe, ASocketBoundToEveryAddressIsBehindNoNatWhenItIsSeenAtOneOfThem) {
  Net net(NatKind::none);
  net.bound.ip = IpAddress::v4(0, 0, 0, 0);
  net.own = {IpAddress::v4(192, 168, 1, 1), kLocal.ip};
  EXPECT_FALSE(net.discover().nat);
  net.own.pop_back();
  EXPECT_TRUE(net.discover().nat);
}

TEST(Probe, TheSocketsNumberIsNoNat) {
  Net net(NatKind::none);
  net.bound.socket = 2;
  EXPECT_FALSE(net.discover().nat);
}

TEST(Probe, ADeadServerDelaysALittle) {
  Net net(NatKind::full_cone);
  net.dead = {kPlain};
  net.hairpin = true;
  const auto report = net.discover({kPlain, kServer});
  EXPECT_EQ(report.mapped->ip, kOutside);
  EXPECT_EQ(net.took, Probe::kNext) << "longer than that nobody waits for it";
}

TEST(Probe, WithoutAnyServerNothingIsKnown) {
  Net net(NatKind::full_cone);
  net.dead = {kServer};
  const auto report = net.discover();
  EXPECT_EQ(report.mapped, std::nullopt);
  EXPECT_EQ(report.mapping, Dependence::unknown);
}

TEST(LifetimeSearch, ClaimsNothingThatWasNotTried) {
  LifetimeSearch search;
  EXPECT_EQ(search.known(), 0s);
  EXPECT_EQ(search.next(), 15s);
  search.outcome(false);
  EXPECT_EQ(search.known(), 0s);
  EXPECT_LT(search.next(), 15s);
  search.outcome(true);
  EXPECT_EQ(search.known(), 7500ms);
  LifetimeSearch never;
  int trials = 0;
  for (; trials < 20 && !never.finished(); ++trials) never.outcome(false);
  EXPECT_LT(trials, 10);
  EXPECT_EQ(never.known(), 0s);
}

TEST(LifetimeSearch, FindsTheLifeOfAMappingToAnEighth) {
  for (const auto life : {4s, 16s, 31s, 60s, 125s, 300s, 599s}) {
    LifetimeSearch search;
    int trials = 0;
    for (; trials < 20 && !search.finished(); ++trials) search.outcome(search.next() < life);
    EXPECT_LE(search.known(), life);
    EXPECT_GE(search.known() * 9 / 8, life) << life.count();
    EXPECT_LE(trials, 10);
  }
}

}  // namespace
}  // namespace linnet::nat
