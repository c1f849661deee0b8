// Two supernodes with one address each, and what a client, a forger and a supernode that lies get out of them.
#include "node/partner_desk.h"

#include <gtest/gtest.h>

#include "nat/stun_builder.h"
#include "node/stun_door.h"

namespace linnet::node {
namespace {

using nat::stun::Attr;
using std::chrono::seconds;

const Endpoint kAsked = *Endpoint::parse("198.51.100.1:4400");
const Endpoint kHelper = *Endpoint::parse("203.0.113.1:4400");
const Endpoint kClient = *Endpoint::parse("192.0.2.9:5000");
constexpr std::uint16_t kSecond = 4401;
const Time kOclock{std::chrono::hours(1)};

OneAddress place(const Endpoint& at) {
  OneAddress out{at, kSecond, {}};
  out.policy.own = {at, {at.ip, kSecond}};
  return out;
}
std::vector<Endpoint> sockets(const Endpoint& at) { return {at, {at.ip, kSecond}}; }

// `filler` bytes of SOFTWARE, as our probe has it.
Bytes request(std::uint32_t change, std::size_t filler = 72) {
  nat::stun::Builder out(nat::stun::Class::request, nat::stun::Method::binding, nat::stun::TransactionId{9, 8, 7});
  if (change != 0) out.u32(Attr::change_request, change);
  if (filler != 0) out.bytes(Attr::software, Bytes(filler, ' '));
  return out.fingerprint().take();
}

struct Two : testing::Test {
  Two() { asked.partner().set_partner(Endpoint{kHelper.ip, kSecond}); }
  std::optional<Transmit> ask(Bytes bytes, const Endpoint& from = kClient) {
    EXPECT_TRUE(asked.take(now, {from, bytes}, true));
    return asked.poll_transmit();
  }
  // The order as the partner reads it.
  static PartnerDesk::Order order(const Endpoint& to, std::uint16_t room = 200) {
    PartnerDesk::Order out;
    out.client = to;
    out.room = room;
    out.fingerprint = true;
    return out;
  }
  std::size_t sent_to(const std::string& address, const std::string& asker, int times) {
    std::size_t out = 0;
    for (int i = 0; i < times; ++i) {
      const bool sent = helper.send_for(now, *IpAddress::parse(asker), order(*Endpoint::parse(address)));
      EXPECT_EQ(helper.poll_transmit().has_value(), sent);
      out += sent ? 1 : 0;
    }
    return out;
  }

  Time now = kOclock;
  StunDoor asked{sockets(kAsked), place(kAsked)};
  StunDoor helper{sockets(kHelper), place(kHelper)};
};

using Partner = Two;

TEST_F(Partner, IsNamedAsTheSecondAddress) {
  const auto told = ask(request(0));
  ASSERT_TRUE(told);
  const auto m = nat::stun::Message::parse(told->bytes);
  EXPECT_EQ(m->endpoint(Attr::other_address), (Endpoint{kHelper.ip, kSecond}));
  EXPECT_EQ(m->endpoint(Attr::response_origin), kAsked);
  EXPECT_EQ(m->endpoint(Attr::xor_mapped_address), kClient);
  EXPECT_LE(told->bytes.size(), request(0).size());
}

TEST_F(Partner, AnswersFromItsAddressAtThePortThatIsAskedFor) {
  for (const bool port : {false, true}) {
    EXPECT_FALSE(ask(request(nat::stun::kChangeAddress | (port ? nat::stun::kChangePort : 0)))) << "not by us";
    const auto order = asked.poll_order();
    ASSERT_TRUE(order);
    ASSERT_TRUE(helper.send_for(now, kAsked.ip, *order));
    const auto out = helper.poll_transmit();
    ASSERT_TRUE(out);
    EXPECT_FALSE(helper.poll_transmit()) << "one datagram";
    EXPECT_TRUE(same_place(out->to, kClient));
    EXPECT_EQ(out->to.socket, port ? 2 : 1);
    const auto m = nat::stun::Message::parse(out->bytes);
    ASSERT_TRUE(m);
    EXPECT_EQ(m->id(), (nat::stun::TransactionId{9, 8, 7}));
    EXPECT_EQ(m->endpoint(Attr::xor_mapped_address), kClient);
    EXPECT_EQ(m->endpoint(Attr::response_origin), (Endpoint{kHelper.ip, port ? kSecond : kHelper.port}));
  }
}

TEST_F(Partner, IsNotNeededForAnotherPort) {
  const auto told = ask(request(nat::stun::kChangePort));
  ASSERT_TRUE(told);
  EXPECT_EQ(told->to.socket, 2);
  EXPECT_FALSE(asked.poll_order());
}

TEST_F(Partner, WithoutOneOrForAShortRequestThereIsNoSecondAddress) {
  for (const bool there : {true, false}) {
    if (!there) asked.partner().set_partner(std::nullopt);
    const auto size = there ? 0 : 72;
    const auto told = ask(request(0, size));
    ASSERT_TRUE(told);
    EXPECT_FALSE(nat::stun::Message::parse(told->bytes)->has(Attr::other_address));
    const auto refused = ask(request(nat::stun::kChangeAddress, size));
    ASSERT_TRUE(refused);
    EXPECT_EQ(nat::stun::Message::parse(refused->bytes)->error()->code, nat::stun::ErrorCode::unknown_attribute);
    EXPECT_FALSE(asked.poll_order());
  }
}

TEST_F(Partner, ThatDidNotSendLeavesTheClientWithAnErrorAndNotWithSilence) {
  EXPECT_FALSE(ask(request(nat::stun::kChangeAddress)));
  asked.not_sent(*asked.poll_order());
  const auto told = asked.poll_transmit();
  ASSERT_TRUE(told);
  EXPECT_TRUE(same_place(told->to, kClient));
  const auto m = nat::stun::Message::parse(told->bytes);
  EXPECT_EQ(m->id(), (nat::stun::TransactionId{9, 8, 7}));
  EXPECT_EQ(m->error()->code, nat::stun::ErrorCode::server_error);
}

TEST_F(Partner, SendsNothingToAPortThatOnlyTheRequestNames) {
  nat::stun::Builder out(nat::stun::Class::request, nat::stun::Method::binding, nat::stun::TransactionId{9});
  out.u32(Attr::change_request, nat::stun::kChangeAddress).u16(Attr::response_port, 7);
  const auto told = ask(out.bytes(Attr::software, Bytes(72, ' ')).take());
  ASSERT_TRUE(told);
  EXPECT_TRUE(same_place(told->to, kClient));
  EXPECT_EQ(nat::stun::Message::parse(told->bytes)->error()->code, nat::stun::ErrorCode::server_error);
  EXPECT_FALSE(asked.poll_order());
}

// Whoever forges the source gets nothing for it: neither by one of the two nor by both together.
TEST_F(Partner, NeverSendsMoreThanWasAskedWith) {
  for (const auto* client : {"192.0.2.9:5000", "[2001:db8:9::1]:5000"}) {
    const auto victim = *Endpoint::parse(client);
    const bool v4 = victim.ip.is_v4();
    const auto one = v4 ? kAsked : *Endpoint::parse("[2001:db8:1::1]:4400");
    const auto two = v4 ? kHelper : *Endpoint::parse("[2001:db8:2::1]:4400");
    for (std::size_t filler = 0; filler < 120; filler += 4) {
      StunDoor first(sockets(one), place(one)), second(sockets(two), place(two));
      first.partner().set_partner(Endpoint{two.ip, kSecond});
      for (const std::uint32_t change : {2U, 4U, 6U}) {
        auto bytes = request(change, filler);
        EXPECT_TRUE(first.take(now, {victim, bytes}, true));
        std::size_t sent = 0;
        while (const auto order = first.poll_order()) {
          if (!second.send_for(now, one.ip, *order)) first.not_sent(*order);
          const auto wire = overlay::control::write(*order);
          while (const auto out = second.poll_transmit()) {
            sent += out->bytes.size();
            // What sealing adds (docs/protocol/sessions.md) is more than the rest.
            EXPECT_LE(out->bytes.size(), wire.size() + 32) << "a partner that lies sends more than its partner";
          }
        }
        while (const auto out = first.poll_transmit()) {
          const auto m = nat::stun::Message::parse(out->bytes);
          // The refusal of a server without RFC 5780: 12 bytes more, as everywhere (nat/binding_server.h).
          if (m->message_class() != nat::stun::Class::error) sent += out->bytes.size();
        }
        EXPECT_LE(sent, bytes.size()) << client << ' ' << filler << ' ' << change;
      }
    }
  }
}

TEST_F(Partner, SendsToNobodyWhoMustNotHearUs) {
  for (const auto* bad : {"127.0.0.1:53", "10.0.0.1:53", "192.168.1.1:53", "169.254.169.254:80", "100.64.0.1:9",
                          "0.0.0.0:9", "224.0.0.1:5353", "255.255.255.255:9", "240.0.0.1:9", "192.0.2.1:0",
                          "203.0.113.1:4400", "203.0.113.1:22", "198.51.100.1:9", "[::1]:53", "[2001:db8::1]:53"})
    EXPECT_EQ(sent_to(bad, "198.51.100.1", 1), 0U) << bad;
  auto by_tcp = order(kClient);
  by_tcp.client.transport = Transport::tcp;
  EXPECT_FALSE(helper.send_for(now, kAsked.ip, by_tcp));
  EXPECT_FALSE(helper.send_for(now, kAsked.ip, order(kClient, 40))) << "longer than the request";
  EXPECT_EQ(sent_to("192.0.2.1:9", "198.51.100.1", 1), 1U);
}

TEST_F(Partner, TakesNoOrdersWhereItHasNoSecondPort) {
  StunDoor ordinary(sockets(kHelper));
  EXPECT_FALSE(ordinary.send_for(now, kAsked.ip, order(kClient)));
}

TEST_F(Partner, SendsOnePrefixALittleWhoeverAsks) {
  std::size_t sent = 0;
  for (int i = 0; i < 100; ++i)
    sent += sent_to("192.0.2." + std::to_string(i + 1) + ":9", "10." + std::to_string(i) + ".0.1", 1);
  EXPECT_EQ(sent, PartnerDesk::kPrefixBurst);
  now += seconds(5);
  EXPECT_EQ(sent_to("192.0.2.1:9", "198.51.100.1", 100), 5 * PartnerDesk::kPerPrefix);
}

TEST_F(Partner, SendsLittleForOneSupernodeAndLeavesTheOthersTheirShare) {
  std::size_t sent = 0;
  for (int i = 0; i < 200; ++i) sent += sent_to("192.0." + std::to_string(i + 3) + ".1:9", "198.51.100.1", 1);
  EXPECT_EQ(sent, PartnerDesk::kPartnerBurst);
  EXPECT_EQ(sent_to("192.0.2.1:9", "198.51.101.1", 1), 1U);
  sent = 0;
  for (int i = 0; i < 200; ++i)
    sent += sent_to("192.1." + std::to_string(i + 3) + ".1:9", "199." + std::to_string(i) + ".0.1", 1);
  EXPECT_LE(sent, PartnerDesk::kAllBurst) << "and in all";
  std::size_t in_a_minute = 0;
  for (int second = 0; second < 60; ++second) {
    now += seconds(1);
    for (int i = 0; i < 200; ++i)
      in_a_minute += sent_to("193." + std::to_string(i) + ".1.1:9", "199." + std::to_string(i) + ".0.1", 1);
  }
  EXPECT_LE(in_a_minute, 60 * PartnerDesk::kAll + PartnerDesk::kAllBurst);
}

TEST_F(Partner, IsAskedForThoseWhoProvedTheirAddressBeforeOthers) {
  auto& desk = asked.partner();
  std::size_t forged = 0;
  const auto yes = [] { return true; };
  const auto no = [] { return false; };
  for (int i = 0; i < 100; ++i) forged += desk.may_ask(now, IpAddress::v4(193, 0, static_cast<std::uint8_t>(i), 1), no);
  EXPECT_EQ(forged, PartnerDesk::kUnprovenBurst);
  EXPECT_TRUE(desk.may_ask(now, IpAddress::v4(192, 1, 1, 1), yes));
  std::size_t one = 0;
  for (int i = 0; i < 200; ++i) one += desk.may_ask(now, kClient.ip, yes);
  EXPECT_EQ(one, PartnerDesk::kPrefixBurst);
}

// Each look goes through all clients, and the sources may be forged.
TEST(PartnerDeskInAFlood, LooksForTheSessionsOfSoManyAsAreAllowed) {
  PartnerDesk desk(std::nullopt);
  const Time now{};
  int looks = 0;
  for (int i = 0; i < 1000; ++i) {
    const auto source = IpAddress::v4(193, static_cast<std::uint8_t>(i / 250), static_cast<std::uint8_t>(i % 250), 1);
    (void)desk.may_ask(now, source, [&] { return ++looks < 0; });
  }
  EXPECT_EQ(looks, PartnerDesk::kLooksBurst);
}

}  // namespace
}  // namespace linnet::node
