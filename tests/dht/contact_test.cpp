#include "dht/contact.h"

#include <set>

#include "dht/place.h"
#include "tests/dht/support.h"

namespace linnet::dht::test {
namespace {

std::uint32_t lead21(const Id& id) {
  return (static_cast<std::uint32_t>(id.bytes[0]) << 13) | (static_cast<std::uint32_t>(id.bytes[1]) << 5) |
         (id.bytes[2] >> 3);
}

TEST(Position, AnIpv4PrefixOf24BitsIsOnePlace) {
  SeededRng rng(1);
  std::set<std::uint32_t> leads;
  for (int i = 0; i < 2000; ++i)
    leads.insert(lead21(position(IpAddress::v4(8, 8, 8, static_cast<std::uint8_t>(i)), {rng.array<32>()})));
  EXPECT_EQ(leads.size(), 1U);
}

TEST(Position, EachIpv4PrefixIsAnother) {
  const crypto::DeviceKey key{SeededRng(2).array<32>()};
  std::set<std::uint32_t> leads;
  for (int i = 0; i < 256; ++i) {
    const auto n = static_cast<std::uint8_t>(i);
    leads.insert(lead21(position(IpAddress::v4(8, 8, n, 4), key)));
    leads.insert(lead21(position(IpAddress::v4(9, n, 8, 4), key)));
  }
  EXPECT_GE(leads.size(), 510U);  // of 512, on 2^21 places
}

TEST(Position, AnIpv6PrefixOf32BitsIsOnePlace) {
  SeededRng rng(3);
  std::set<std::uint32_t> leads;
  for (int i = 0; i < 2000; ++i) {
    auto bytes = rng.array<16>();
    const std::uint8_t prefix[4] = {0x20, 0x01, 0x0d, 0xb9};
    std::memcpy(bytes.data(), prefix, 4);
    leads.insert(lead21(position(IpAddress::v6(bytes), {rng.array<32>()})));
  }
  EXPECT_EQ(leads.size(), 1U);
}

// What is left for the key tells those of one place apart.
TEST(Position, BehindThePrefixFollowsFromTheKey) {
  SeededRng rng(6);
  const auto ip = IpAddress::v4(8, 8, 8, 8);
  const crypto::DeviceKey a{rng.array<32>()};
  const crypto::DeviceKey b{rng.array<32>()};
  EXPECT_TRUE(one_place(position(ip, a), position(ip, b)));
  EXPECT_LT(common_prefix(position(ip, a), position(ip, b)), 64);
}

TEST(Position, OnPrivateAddressesOnlyTheKeyCounts) {
  const crypto::DeviceKey key{SeededRng(4).array<32>()};
  EXPECT_EQ(position(IpAddress::v4(10, 0, 0, 1), key), position(IpAddress::v4(192, 168, 7, 9), key));
  EXPECT_EQ(position(IpAddress::v4(127, 0, 0, 1), key), position(*IpAddress::parse("fe80::1"), key));
  EXPECT_NE(position(IpAddress::v4(10, 0, 0, 1), key), position(IpAddress::v4(9, 9, 9, 9), key));
}

// Nobody says where he stands: who hears of him works it out from the endpoint, and an endpoint that is not his leads
// elsewhere.
TEST(Position, IsWorkedOutByWhoeverHearsOfTheContact) {
  const auto& suite = crypto::shipped_suite();
  auto claims = contact_of(suite, person(suite, 5), endpoint(0x08080404));
  const auto right = claims.position;
  claims.position = Id{};
  EXPECT_EQ(verify(suite, network(), claims).error(), Fault::mismatch);
  Writer out;
  write(out, claims);
  Reader in(out.written());
  EXPECT_EQ(read_contact(in)->position, right);
  claims.endpoint = endpoint(0x09090909);
  Writer elsewhere;
  write(elsewhere, claims);
  Reader moved(elsewhere.written());
  const auto read = read_contact(moved);
  EXPECT_EQ(read->position, position(read->endpoint.ip, read->device));
  EXPECT_NE(lead21(read->position), lead21(right));
}

TEST(Contact, IsReadAsWrittenAndEveryTruncationIsRefused) {
  const auto& suite = crypto::shipped_suite();
  const auto contact = contact_of(suite, person(suite, 5), endpoint(0x08080404));
  Writer out;
  write(out, contact);
  Reader in(out.written());
  const auto back = read_contact(in);
  ASSERT_TRUE(back && in.done());
  EXPECT_EQ(*back, contact);
  EXPECT_EQ(back->position, contact.position);
  EXPECT_TRUE(verify(suite, network(), *back));
  for (std::size_t n = 0; n < out.size(); ++n) {
    Reader cut(out.written().first(n));
    EXPECT_FALSE(read_contact(cut)) << n;
  }
}

TEST(Contact, AnotherSessionKeyOrNetworkDoesNotVerify) {
  const auto& suite = crypto::shipped_suite();
  auto contact = contact_of(suite, person(suite, 5), endpoint(0x08080404));
  EXPECT_FALSE(verify(suite, crypto::network_id("other"), contact));
  contact.session.bytes[3] ^= 1;
  EXPECT_EQ(verify(suite, network(), contact).error(), Fault::bad_signature);
}

TEST(Contact, OfALinkLocalAddressNothingTravelsButThePort) {
  SeededRng rng(6);
  for (const auto* text : {"[fe80::1%3]:4400", "169.254.7.7:4400"}) {
    Writer out;
    write(out, paper_contact(rng, *Endpoint::parse(text)));
    Reader in(out.written());
    const auto contact = read_contact(in);
    ASSERT_TRUE(contact) << text;
    EXPECT_TRUE(contact->serves_its_link());
    EXPECT_EQ(contact->endpoint.port, 4400);
    EXPECT_FALSE(may_tell(contact->endpoint.ip, IpAddress::v4(10, 0, 0, 1)));
  }
}

TEST(Contact, EndpointsThatNobodyCanReachAreRefused) {
  SeededRng rng(6);
  for (const auto* text : {"0.0.0.1:1", "224.0.0.1:5", "255.255.255.255:5", "[ff02::1]:5", "1.2.3.4:0", "[::]:0"}) {
    Writer out;
    write(out, paper_contact(rng, *Endpoint::parse(text)));
    Reader in(out.written());
    EXPECT_FALSE(read_contact(in)) << text;
  }
}

TEST(Contact, NobodyOnTheInternetAimsUsAtOurOwnNetwork) {
  const auto global = *IpAddress::parse("8.8.8.8");
  const auto lan = *IpAddress::parse("192.168.1.5");
  const auto self = *IpAddress::parse("127.0.0.1");
  const auto link = *IpAddress::parse("fe80::5");
  EXPECT_TRUE(may_tell(global, global));
  EXPECT_TRUE(may_tell(global, lan));
  EXPECT_TRUE(may_tell(lan, lan));
  EXPECT_TRUE(may_tell(self, self));
  for (const auto& near : {lan, self, link}) EXPECT_FALSE(may_tell(near, global));
  EXPECT_FALSE(may_tell(self, lan));
  EXPECT_FALSE(may_tell(link, lan));
}

}  // namespace
}  // namespace linnet::dht::test
