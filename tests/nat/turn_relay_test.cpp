// Permissions, channels, and what is relayed (RFC 8656, sections 9 to 12), and to whom nothing is (security.md, check
// 19).
#include "nat/turn_message.h"
#include "tests/nat/turn_client.h"

namespace linnet::nat::turn {
namespace {

using namespace std::chrono_literals;

struct TurnRelay : testing::Test {
  TurnRelay() { EXPECT_TRUE(client.allocate().success()); }

  World world;
  Client client{world};
};

TEST_F(TurnRelay, WithoutAPermissionNothingPassesEitherWay) {
  EXPECT_EQ(client.send(kPeer, "hello").to, Onward::To::nobody);
  EXPECT_EQ(client.hears(kPeer, "hello").to, Onward::To::nobody);
}

TEST_F(TurnRelay, WithOneDataGoesOutByTheRelayedSocket) {
  ASSERT_TRUE(client.permit(kPeer).success());
  const auto out = client.send(kPeer, "hello");
  ASSERT_EQ(out.to, Onward::To::peer);
  EXPECT_EQ(out.relay, 1U);
  EXPECT_EQ(out.endpoint, kPeer);
  EXPECT_EQ(text(out.bytes), "hello");
  EXPECT_FALSE(out.dont_fragment);
}

TEST_F(TurnRelay, APermissionIsOfAnAddressWhateverThePort) {
  ASSERT_TRUE(client.permit(kPeer).success());
  EXPECT_EQ(client.send({kPeer.ip, 9}, "hello").to, Onward::To::peer);
  EXPECT_EQ(client.send({IpAddress::v4(198, 51, 100, 8), 9}, "hello").to, Onward::To::nobody);
}

TEST_F(TurnRelay, WhatComesIsIndicatedWithItsSender) {
  ASSERT_TRUE(client.permit(kPeer).success());
  const auto out = client.hears(kPeer, "hello");
  ASSERT_EQ(out.to, Onward::To::client);
  EXPECT_EQ(out.endpoint, kClient);
  const auto m = Message::parse(out.bytes);
  ASSERT_TRUE(m);
  EXPECT_TRUE(m->is(Class::indication, Method::data));
  EXPECT_EQ(m->endpoint(Attr::xor_peer_address), kPeer);
  EXPECT_EQ(text(*m->value(Attr::data)), "hello");
}

TEST_F(TurnRelay, AnIndicationOfAnIpv6PeerFitsBeforeTheDatagramAsWell) {
  Client six(world, *Endpoint::parse("[2001:db8:9::1]:5000"));
  ASSERT_TRUE(six.ask(six.allocate_request().u8(Attr::requested_address_family, 2)).success());
  const auto peer = *Endpoint::parse("[2001:db8:7::2]:77");
  ASSERT_TRUE(six.permit(peer).success());
  const auto out = six.hears(peer, "seven77", 2);
  const auto m = Message::parse(out.bytes);
  ASSERT_TRUE(m);
  EXPECT_EQ(m->endpoint(Attr::xor_peer_address), peer);
  EXPECT_EQ(text(*m->value(Attr::data)), "seven77");
  EXPECT_EQ(out.bytes.data(), six.came_.data()) << "all of the room before it is needed";
}

TEST_F(TurnRelay, APermissionEndsAfterFiveMinutesUnlessRenewed) {
  ASSERT_TRUE(client.permit(kPeer).success());
  world.now += 299s;
  EXPECT_EQ(client.hears(kPeer, "x").to, Onward::To::client);
  ASSERT_TRUE(client.permit(kPeer).success());
  world.now += 299s;
  EXPECT_EQ(client.hears(kPeer, "x").to, Onward::To::client);
  world.now += 1s;
  EXPECT_EQ(client.hears(kPeer, "x").to, Onward::To::nobody);
  EXPECT_EQ(client.send(kPeer, "x").to, Onward::To::nobody);
}

TEST_F(TurnRelay, AChannelCarriesBothWaysWithFourBytes) {
  ASSERT_TRUE(client.bind(0x4001, kPeer).success());
  const auto out = client.on_channel(0x4001, "hello");
  ASSERT_EQ(out.to, Onward::To::peer);
  EXPECT_EQ(out.endpoint, kPeer);
  EXPECT_EQ(text(out.bytes), "hello");
  const auto back = client.hears(kPeer, "there");
  ASSERT_EQ(back.to, Onward::To::client);
  EXPECT_EQ(to_hex(back.bytes.first(4)), "40010005");
  EXPECT_EQ(back.bytes.size(), 9U);
  EXPECT_EQ(client.hears({kPeer.ip, 9}, "other port").bytes[0], 0) << "a permission, but no channel";
}

TEST_F(TurnRelay, OnAStreamChannelDataIsPaddedToFour) {
  auto at = kClient;
  at.transport = Transport::tcp;
  Client stream(world, at);
  ASSERT_TRUE(stream.allocate().success());
  ASSERT_TRUE(stream.bind(0x4001, kPeer).success());
  const auto back = stream.hears(kPeer, "there", 2);
  EXPECT_EQ(to_hex(back.bytes), "40010005" + to_hex(view("there")) + "000000");
}

TEST_F(TurnRelay, AChannelIsOfOnePeerAndAPeerOfOneChannel) {
  ASSERT_TRUE(client.bind(0x4001, kPeer).success());
  EXPECT_TRUE(client.bind(0x4001, kPeer).success());
  EXPECT_EQ(client.bind(0x4002, kPeer).code(), 400);
  EXPECT_EQ(client.bind(0x4001, {kPeer.ip, 9}).code(), 400);
  EXPECT_TRUE(client.bind(0x4002, {kPeer.ip, 9}).success());
}

TEST_F(TurnRelay, NumbersOutsideTheChannelsAreABadRequest) {
  for (const std::uint16_t number : {0x0000, 0x3fff, 0x8000, 0xffff})
    EXPECT_EQ(client.bind(number, kPeer).code(), 400) << number;
  EXPECT_TRUE(client.bind(0x7fff, kPeer).success()) << "RFC 5766";
}

TEST_F(TurnRelay, AChannelThatNobodyBoundCarriesNothing) {
  EXPECT_EQ(client.on_channel(0x4001, "x").to, Onward::To::nobody);
  ASSERT_TRUE(client.bind(0x4001, kPeer).success());
  Client other(world, *Endpoint::parse("203.0.113.9:5001"));
  EXPECT_EQ(other.on_channel(0x4001, "x").to, Onward::To::nobody);
}

TEST_F(TurnRelay, AChannelNeedsThePermissionThatItMade) {
  ASSERT_TRUE(client.bind(0x4001, kPeer).success());
  world.now += 300s;
  EXPECT_EQ(client.on_channel(0x4001, "x").to, Onward::To::nobody);
  ASSERT_TRUE(client.permit(kPeer).success());
  EXPECT_EQ(client.on_channel(0x4001, "x").to, Onward::To::peer);
  world.now += 299s;
  ASSERT_TRUE(client.permit(kPeer).success());
  world.now += 1s;
  EXPECT_EQ(client.on_channel(0x4001, "x").to, Onward::To::nobody) << "ten minutes are over";
  client.challenged();  // the nonce is ten minutes old too
  EXPECT_TRUE(client.bind(0x4002, kPeer).success()) << "and its peer is free";
}

TEST_F(TurnRelay, ALengthThatLiesIsDropped) {
  ASSERT_TRUE(client.bind(0x4001, kPeer).success());
  auto packet = *from_hex(
      "40010005"
      "61616161");
  EXPECT_EQ(world.server.from_client(world.now, kClient, packet).to, Onward::To::nobody);
  auto padded = *from_hex(
      "40010003"
      "61616100");
  EXPECT_EQ(world.server.from_client(world.now, kClient, padded).bytes.size(), 3U);
}

TEST_F(TurnRelay, AnIndicationThatIsNotUnderstoodIsDropped) {
  ASSERT_TRUE(client.permit(kPeer).success());
  Builder out(Class::indication, Method::send, client.id());
  out.endpoint(Attr::xor_peer_address, kPeer).bytes(Attr::data, view("x")).u32(static_cast<Attr>(0x7abc), 0);
  auto bytes = out.take();
  EXPECT_EQ(world.server.from_client(world.now, kClient, bytes).to, Onward::To::nobody);
  Builder whole(Class::indication, Method::send, client.id());
  whole.endpoint(Attr::xor_peer_address, kPeer).bytes(Attr::data, view("x")).flag(Attr::dont_fragment);
  bytes = whole.take();
  const auto sent = world.server.from_client(world.now, kClient, bytes);
  EXPECT_EQ(sent.to, Onward::To::peer);
  EXPECT_TRUE(sent.dont_fragment);
}

TEST_F(TurnRelay, SeveralPermissionsComeTogetherOrNotAtAll) {
  auto out = client.request(Method::create_permission);
  out.endpoint(Attr::xor_peer_address, kPeer).endpoint(Attr::xor_peer_address, *Endpoint::parse("127.0.0.1:1"));
  EXPECT_EQ(client.ask(out).code(), 403);
  EXPECT_EQ(client.send(kPeer, "x").to, Onward::To::nobody);
  EXPECT_EQ(client.ask(client.request(Method::create_permission)).code(), 400);
}

TEST_F(TurnRelay, TablesHaveAnEndAndStayUnderFourKilobytes) {
  std::size_t bound = 0;
  for (std::uint16_t i = 0; i < 100; ++i)
    bound += client
                 .bind(static_cast<std::uint16_t>(0x4000 + i),
                       {IpAddress::v4(198, 51, 100, static_cast<std::uint8_t>(i)), 9})
                 .success();
  EXPECT_EQ(bound, Peers::kMaxChannels);
  EXPECT_EQ(client.bind(0x5000, kPeer).code(), bound == Peers::kMaxChannels ? 508 : 0);
  EXPECT_EQ(client.permit(*Endpoint::parse("198.51.101.1:1")).code(), 508);
  EXPECT_LE(world.server.memory_bytes(), 4096U);
  world.now += 300s;
  EXPECT_TRUE(client.permit(*Endpoint::parse("198.51.101.1:1")).success()) << "the ended ones make room";
}

TEST_F(TurnRelay, RequestsWithoutAnAllocationAreAMismatch) {
  Client other(world, *Endpoint::parse("203.0.113.9:5001"));
  EXPECT_EQ(other.permit(kPeer).code(), 437);
  EXPECT_EQ(other.bind(0x4001, kPeer).code(), 437);
  EXPECT_EQ(other.refresh(600).code(), 437);
}

TEST_F(TurnRelay, APeerOfTheOtherFamilyIsAMismatch) {
  EXPECT_EQ(client.permit(*Endpoint::parse("[2001:db8:1::9]:1")).code(), 443);
  EXPECT_EQ(client.bind(0x4001, *Endpoint::parse("[2001:db8:1::9]:1")).code(), 443);
}

// Every place that must not be reached, in every form.
class RefusedPeer : public TurnRelay, public testing::WithParamInterface<const char*> {};

TEST_P(RefusedPeer, IsForbiddenAndNoPacketGoesThere) {
  const Endpoint peer{*IpAddress::parse(GetParam()), 4000};
  EXPECT_EQ(client.permit(peer).code(), 403);
  EXPECT_EQ(client.bind(0x4001, peer).code(), 403);
  EXPECT_EQ(client.send(peer, "x").to, Onward::To::nobody);
  EXPECT_EQ(client.on_channel(0x4001, "x").to, Onward::To::nobody);
  EXPECT_EQ(client.hears(peer, "x").to, Onward::To::nobody);
}

INSTANTIATE_TEST_SUITE_P(Everywhere, RefusedPeer,
                         testing::Values("127.0.0.1", "127.9.9.9", "::1", "0.0.0.0", "0.1.2.3", "::", "169.254.169.254",
                                         "169.254.1.1", "224.0.0.1", "239.255.255.250", "255.255.255.255", "240.0.0.1",
                                         "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "100.100.100.200",
                                         "168.63.129.16", "192.0.0.8", "192.88.99.1", "fe80::1", "fec0::1", "ff02::1",
                                         "fc00::1", "fd00:ec2::254", "2002:7f00:1::1",
                                         "2002:c000:201::", "64:ff9b::a00:1", "64:ff9b:1::a00:1", "2001:0:1::1",
                                         "::127.0.0.1", "::10.0.0.1", "::ffff:0:10.0.0.1", "100::1"));

TEST_F(TurnRelay, AnIpv4AddressInIpv6ClothesIsForbidden) {
  for (const char* ip : {"10.0.0.1", "127.0.0.1", "198.51.100.7"}) {
    // ::ffff:a.b.c.d as it stands in an attribute of family 2.
    auto out = client.request(Method::channel_bind);
    const auto id = *from_hex(to_hex(ByteView(out.written()).subspan(4, 16)));
    const auto mapped = IpAddress::parse(ip)->bytes;
    Writer value;
    value.u8(0).u8(2).u16(4000 ^ 0x2112);
    for (std::size_t i = 0; i < 16; ++i) value.u8(static_cast<std::uint8_t>(mapped[i] ^ id[i]));
    out.u16(Attr::channel_number, 0x4001).bytes(Attr::xor_peer_address, value.written());
    EXPECT_EQ(client.ask(out).code(), 403) << ip;
  }
}

TEST(TurnPolicy, ListedPrivateRangesAreReachedAndOthersNot) {
  auto config = config_of_tests();
  config.policy.private_ranges = {*Range::parse("10.1.0.0/16"), *Range::parse("fd12::/16")};
  World world(config);
  Client client(world);
  ASSERT_TRUE(client.ask(client.allocate_request().u8(Attr::additional_address_family, 2)).success());
  EXPECT_TRUE(client.permit(*Endpoint::parse("10.1.2.3:9")).success());
  EXPECT_EQ(client.permit(*Endpoint::parse("10.2.0.1:9")).code(), 403);
  EXPECT_TRUE(client.permit(*Endpoint::parse("[fd12::9]:9")).success());
  EXPECT_EQ(client.permit(*Endpoint::parse("[fd13::9]:9")).code(), 403);
}

TEST(TurnPolicy, WhoIsOnTheServersOwnNetworkReachesItAndNobodyElseDoes) {
  World world;
  world.server.set_lan_ranges({*Range::parse("192.168.7.0/24"), *Range::parse("fd00:ec2::/48")});
  Client inside(world, *Endpoint::parse("192.168.7.20:5000"));
  ASSERT_TRUE(inside.ask(inside.allocate_request().u8(Attr::additional_address_family, 2)).success());
  EXPECT_TRUE(inside.permit(*Endpoint::parse("192.168.7.9:9")).success());
  EXPECT_TRUE(inside.permit(*Endpoint::parse("[fd00:ec2::9]:9")).success());
  EXPECT_TRUE(inside.bind(0x4001, *Endpoint::parse("192.168.7.10:9")).success());
  for (const char* ip : {"192.168.8.9", "10.1.2.3", "127.0.0.1", "169.254.169.254", "169.254.7.7", "fe80::1",
                         "fd00:ec2::254", "::1", "fd01::1", "224.0.0.1"})
    EXPECT_EQ(inside.permit({*IpAddress::parse(ip), 9}).code(), 403) << ip;
  world.server.set_own({{*IpAddress::parse("192.168.7.1"), 4400}});
  EXPECT_EQ(inside.bind(0x4002, *Endpoint::parse("192.168.7.1:4400")).code(), 403);

  Client outside(world);
  ASSERT_TRUE(outside.allocate().success());
  EXPECT_EQ(outside.permit(*Endpoint::parse("192.168.7.9:9")).code(), 403);
  EXPECT_EQ(outside.bind(0x4001, *Endpoint::parse("192.168.7.9:9")).code(), 403);

  world.server.set_lan_ranges({});  // it is known elsewhere now
  EXPECT_EQ(inside.permit(*Endpoint::parse("192.168.7.9:9")).code(), 403);
}

struct Lan {
  std::vector<std::string> of(const std::vector<std::vector<std::string>>& links, const char* told,
                              const std::vector<std::string>& reached = {}) {
    std::vector<std::vector<Range>> all;
    std::vector<IpAddress> at;
    for (const auto& link : links) {
      auto& one = all.emplace_back();
      for (const auto& text : link) {
        one.push_back(*Range::parse(text));
        at.push_back(one.back().ip);
      }
    }
    for (const auto& text : reached) at.push_back(*IpAddress::parse(text));
    std::vector<std::string> out;
    for (const auto& r : lan_ranges(all, at, *IpAddress::parse(told)))
      out.push_back(r.ip.to_string() + "/" + std::to_string(r.ip.is_v4() ? r.bits - 96 : r.bits));
    return out;
  }
};

TEST(TurnPolicy, OwnRangesAreThePrivateOnesOfTheLinkWhereTheSupernodeIs) {
  using All = std::vector<std::string>;
  Lan lan;
  EXPECT_EQ(lan.of({{"192.168.7.1/24", "fd12:0:0:7::1/64", "fe80::1/64"}, {"172.17.0.1/16"}}, "192.168.7.1"),
            (All{"192.168.7.1/24", "fd12:0:0:7::1/64"}));
  EXPECT_EQ(lan.of({{"fd12::1/16"}}, "fd12::1"), (All{"fd12::1/48"})) << "no wider than one site's";
  EXPECT_EQ(lan.of({{"10.1.2.3/1"}}, "10.1.2.3"), (All{"10.1.2.3/8"})) << "no wider than the block";
  EXPECT_EQ(lan.of({{"192.168.7.1/24", "44.1.1.1/24"}}, "192.168.7.1"), All{}) << "a global address of its own";
  EXPECT_EQ(lan.of({{"192.168.7.1/24"}}, "192.168.7.1", {"44.1.1.1"}), All{}) << "it is reached from outside";
  EXPECT_EQ(lan.of({{"192.168.7.1/24", "44.1.1.1/24"}}, "44.1.1.1"), All{});
  EXPECT_EQ(lan.of({{"100.64.0.9/10"}}, "100.64.0.9"), All{}) << "the carrier's, whoever shares it";
  EXPECT_EQ(lan.of({{"169.254.3.3/16"}}, "169.254.3.3"), All{});
  EXPECT_EQ(lan.of({{"127.0.0.1/8"}}, "127.0.0.1"), All{});
  EXPECT_EQ(lan.of({{"192.168.7.1/24"}}, "::"), All{}) << "it is told of nowhere";
}

TEST(TurnPolicy, NoListOpensWhatIsNeverOpen) {
  auto config = config_of_tests();
  for (const char* all : {"0.0.0.0/0", "::/0"}) config.policy.private_ranges.push_back(*Range::parse(all));
  World world(config);
  Client client(world);
  ASSERT_TRUE(client.ask(client.allocate_request().u8(Attr::additional_address_family, 2)).success());
  for (const char* ip : {"127.0.0.1", "169.254.169.254", "0.0.0.0", "224.0.0.1", "100.100.100.200"})
    EXPECT_EQ(client.permit({*IpAddress::parse(ip), 9}).code(), 403) << ip;
  for (const char* ip : {"::1", "fe80::1", "fd00:ec2::254", "2002::1", "64:ff9b::1"})
    EXPECT_EQ(client.permit({*IpAddress::parse(ip), 9}).code(), 403) << ip;
  EXPECT_TRUE(client.permit(*Endpoint::parse("10.1.2.3:9")).success());
}

TEST(TurnPolicy, OurOwnPortsAreNobodysPeerButOthersOfTheMachineAre) {
  auto config = config_of_tests();
  World world(config);
  world.server.set_own({{kServer, 4400}, {kServer, 443, Transport::tcp}});
  Client client(world);
  ASSERT_TRUE(client.allocate().success());
  EXPECT_EQ(client.bind(0x4001, {kServer, 4400}).code(), 403);
  EXPECT_EQ(client.bind(0x4001, {kServer, 443}).code(), 403);
  ASSERT_TRUE(client.permit({kServer, 4400}).success()) << "a permission is of an address";
  EXPECT_EQ(client.send({kServer, 4400}, "x").to, Onward::To::nobody);
  EXPECT_EQ(client.send({kServer, 50'002}, "x").to, Onward::To::peer) << "another client's relayed address";
}

TEST(TurnPolicy, LoopbackIsForTestsAndNeverOurOwnPort) {
  auto config = config_of_tests();
  config.policy.allow_loopback = true;
  config.policy.own = {*Endpoint::parse("127.0.0.1:4400")};
  World world(config);
  Client client(world);
  ASSERT_TRUE(client.allocate().success());
  EXPECT_TRUE(client.bind(0x4001, *Endpoint::parse("127.0.0.1:5")).success());
  EXPECT_EQ(client.bind(0x4002, *Endpoint::parse("127.0.0.1:4400")).code(), 403);
  EXPECT_EQ(client.bind(0x4002, *Endpoint::parse("127.0.0.2:4400")).code(), 403);
}

// protocol.md, section 6: who has not answered a check is not checked for ever.
struct TurnChecks : TurnRelay {
  TurnChecks() { EXPECT_TRUE(client.bind(0x4001, kPeer).success()); }

  Bytes check(std::uint8_t n) { return Builder(Class::request, Method::binding, {9, 9, 9, n}).take(); }
  Bytes answer(std::uint8_t n) { return Builder(Class::success, Method::binding, {9, 9, 9, n}).take(); }
  bool passes(const Bytes& packet) { return client.on_channel(0x4001, ByteView(packet)).to == Onward::To::peer; }
};

TEST_F(TurnChecks, FiveGoToAPeerThatDoesNotAnswer) {
  for (std::uint8_t i = 0; i < 5; ++i) EXPECT_TRUE(passes(check(i)));
  EXPECT_FALSE(passes(check(5)));
  ASSERT_TRUE(client.permit(kPeer).success());
  EXPECT_FALSE(passes(check(6))) << "a renewed permission is no new start";
}

TEST_F(TurnChecks, OneAnswerOpensTheWay) {
  EXPECT_TRUE(passes(check(1)));
  (void)client.hears(kPeer, ByteView(answer(1)));
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(passes(check(static_cast<std::uint8_t>(i))));
}

TEST_F(TurnChecks, AnAnswerToNothingOpensNothing) {
  EXPECT_TRUE(passes(check(1)));
  (void)client.hears(kPeer, ByteView(answer(7)));
  for (std::uint8_t i = 2; i < 6; ++i) EXPECT_TRUE(passes(check(i)));
  EXPECT_FALSE(passes(check(6)));
}

TEST_F(TurnChecks, APeerThatChecksUsIsAnsweredAndCheckedBack) {
  for (std::uint8_t i = 0; i < 5; ++i) EXPECT_TRUE(passes(check(i)));
  EXPECT_FALSE(passes(answer(8)));
  (void)client.hears(kPeer, ByteView(check(8)));
  EXPECT_TRUE(passes(answer(8)));
  EXPECT_TRUE(passes(check(9)));
  EXPECT_FALSE(passes(check(10)));
}

TEST_F(TurnChecks, WhatIsNoStunIsNotCounted) {
  for (int i = 0; i < 100; ++i) EXPECT_EQ(client.on_channel(0x4001, "voice").to, Onward::To::peer);
}

TEST(TurnStream, MessagesAreCutWhereTheySayTheyEnd) {
  EXPECT_EQ(stream_frame({}), 0U);
  EXPECT_EQ(stream_frame(*from_hex("4001")), 0U);
  EXPECT_EQ(stream_frame(*from_hex("40010005")), 12U);
  EXPECT_EQ(stream_frame(*from_hex("40010000")), 4U);
  EXPECT_EQ(stream_frame(*from_hex("00030008")), 28U);
  EXPECT_EQ(stream_frame(*from_hex("00030007")), std::nullopt);
  EXPECT_EQ(stream_frame(*from_hex("16030100")), std::nullopt);
  EXPECT_EQ(stream_frame(*from_hex("80000000")), std::nullopt);
}

// What a month may carry is shared with circuits: the owner says what is left.
TEST(TurnMonth, IsPaidInBothDirectionsAndRefusesNewcomersWhenItIsSpent) {
  Allowance left{1000};
  auto config = config_of_tests();
  config.allowance = &left;
  World world(config);
  Client client(world);
  ASSERT_TRUE(client.allocate().success());
  ASSERT_TRUE(client.bind(0x4000, kPeer).success());
  const std::string voice(400, 'v');
  EXPECT_EQ(client.on_channel(0x4000, voice).to, Onward::To::peer);
  EXPECT_EQ(client.hears(kPeer, voice).to, Onward::To::client);
  EXPECT_EQ(left.bytes, 200U);
  EXPECT_EQ(client.on_channel(0x4000, voice).to, Onward::To::nobody);
  EXPECT_EQ(client.hears(kPeer, voice).to, Onward::To::nobody);
  EXPECT_EQ(world.server.counters().over_month, 2U);
  EXPECT_EQ(world.server.counters().bytes, 800U) << "what was dropped is not counted";
  left.bytes = 0;
  Client late(world, *Endpoint::parse("203.0.113.10:5000"), "bob", "hush");
  EXPECT_EQ(late.allocate().code(), 508);
  left.bytes = 1000;  // another month
  EXPECT_EQ(client.hears(kPeer, voice).to, Onward::To::client);
  EXPECT_TRUE(Client(world, *Endpoint::parse("203.0.113.11:5000"), "bob", "hush").allocate().success());
}

TEST(TurnMonth, IsWithoutEndWhereNoneIsSet) {
  Allowance left;
  auto config = config_of_tests();
  config.allowance = &left;
  World world(config);
  Client client(world);
  ASSERT_TRUE(client.allocate().success());
  ASSERT_TRUE(client.permit(kPeer).success());
  EXPECT_EQ(client.send(kPeer, "hello").to, Onward::To::peer);
}

}  // namespace
}  // namespace linnet::nat::turn
