#include "sim/nat_box.h"

#include <gtest/gtest.h>

namespace linnet::sim {
namespace {

Endpoint at(const char* text) { return *Endpoint::parse(text); }

const Endpoint kInside = at("10.0.0.1:4400");
const Endpoint kServer = at("198.18.0.1:4400");
const Endpoint kServerOtherPort = at("198.18.0.1:9");
const Endpoint kStranger = at("198.18.9.9:4400");
const IpAddress kOutside = *IpAddress::parse("203.0.113.7");

TEST(NatBox, WithoutNatTheHostIsSeenAsItIs) {
  NatBox box(NatKind::none, kInside.ip);
  EXPECT_EQ(box.outbound(Time{}, kInside, kServer), kInside);
  EXPECT_EQ(box.inbound(Time{}, kInside, kStranger), kInside);
}

TEST(NatBox, AConeMapsOneInsideEndpointToOnePortWhateverTheDestination) {
  NatBox box(NatKind::port_restricted, kOutside);
  const auto first = box.outbound(Time{}, kInside, kServer);
  EXPECT_EQ(first.ip, kOutside);
  EXPECT_EQ(box.outbound(Time{}, kInside, kStranger), first);
}

TEST(NatBox, ASymmetricNatMapsEachDestinationToItsOwnPort) {
  NatBox box(NatKind::symmetric, kOutside);
  const auto first = box.outbound(Time{}, kInside, kServer);
  EXPECT_NE(box.outbound(Time{}, kInside, kStranger), first);
  EXPECT_EQ(box.outbound(Time{}, kInside, kServer), first);
}

TEST(NatBox, FiltersByWhatItsKindLooksAt) {
  const auto passes = [](NatKind kind, const Endpoint& from) {
    NatBox box(kind, kOutside);
    const auto outside = box.outbound(Time{}, kInside, kServer);
    return box.inbound(Time{}, outside, from).has_value();
  };
  EXPECT_TRUE(passes(NatKind::full_cone, kStranger));
  EXPECT_FALSE(passes(NatKind::restricted, kStranger));
  EXPECT_TRUE(passes(NatKind::restricted, kServerOtherPort));
  EXPECT_FALSE(passes(NatKind::port_restricted, kServerOtherPort));
  EXPECT_TRUE(passes(NatKind::port_restricted, kServer));
  EXPECT_TRUE(passes(NatKind::symmetric, kServer));
}

TEST(NatBox, AMappingThatIsNotUsedIsForgotten) {
  NatBox box(NatKind::full_cone, kOutside, std::chrono::seconds(30));
  const auto outside = box.outbound(Time{}, kInside, kServer);
  EXPECT_TRUE(box.inbound(Time{} + std::chrono::seconds(29), outside, kServer));
  EXPECT_FALSE(box.inbound(Time{} + std::chrono::seconds(31), outside, kServer));
}

TEST(NatBox, AFloodOfDestinationsDoesNotMakeItGrow) {
  NatBox box(NatKind::symmetric, kOutside);
  std::optional<Endpoint> last;
  for (std::uint32_t i = 0; i < 100'000; ++i) {
    last = box.outbound(Time{} + Duration(i), kInside, {IpAddress::v4(0x20000000U + i), 1, Transport::udp});
  }
  const Endpoint newest{IpAddress::v4(0x20000000U + 99'999), 1, Transport::udp};
  const Endpoint oldest{IpAddress::v4(0x20000000U), 1, Transport::udp};
  EXPECT_TRUE(box.inbound(Time{} + Duration(100'000), *last, newest));
  EXPECT_FALSE(box.inbound(Time{} + Duration(100'000), *last, oldest));
}

}  // namespace
}  // namespace linnet::sim
