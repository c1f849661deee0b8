// Where a supernode says it is, and why, by what routers opened and who came in.
#include "node/outside.h"

#include <gtest/gtest.h>

namespace linnet::node {
namespace {

const Endpoint kListens{IpAddress::v4(192, 168, 1, 11), 4400, Transport::udp};
const Endpoint kPort{IpAddress::v4(203, 0, 113, 5), 31'000, Transport::udp};

OpenPort port(const Endpoint& external, std::optional<bool> reached = true, nat::Proof proof = nat::Proof::reached) {
  return {kListens, external, nat::MappedBy::pcp, reached, kNever, proof};
}

TEST(Outside, AProvenPortIsThePlaceAndSaysByWhom) {
  Outside outside;
  EXPECT_FALSE(outside.place());
  EXPECT_EQ(outside.why(kListens, {kListens}), "no router opens a port: only its own network reaches it");
  outside.set({port(kPort)});
  EXPECT_EQ(outside.place(), kPort);
  EXPECT_EQ(outside.why(kPort, {kListens}), "opened by the router (pcp), and proven");
}

TEST(Outside, TheOuterAddressOfAStaticNatIsThePlaceToo) {
  Outside outside;
  auto found = port({kPort.ip, kListens.port});
  found.by = nat::MappedBy::static_nat;
  outside.set({found});
  EXPECT_EQ(outside.place(), found.external);
  EXPECT_EQ(outside.why(found.external, {kListens}), "the outer address of a 1:1 NAT, and proven");
}

TEST(Outside, APromiseIsNoPlaceAndItIsSaidWhatBecameOfIt) {
  Outside outside;
  outside.set({port(kPort, false, nat::Proof::none_came)});
  EXPECT_FALSE(outside.place());
  EXPECT_EQ(outside.why(kListens, {kListens}), "nobody came in by 203.0.113.5:31000, which the router promised");
  outside.set({port(kPort, false, nat::Proof::asking)});
  EXPECT_EQ(outside.why(kListens, {kListens}), "supernodes are being asked to come in by 203.0.113.5:31000");
  outside.set({port(kPort, false, nat::Proof::nobody)});
  EXPECT_EQ(outside.why(kListens, {kListens}), "no supernode is known that could come in by 203.0.113.5:31000");
}

TEST(Outside, ARouterBehindAnotherNatIsToldFromALiar) {
  Outside outside;
  outside.set({port(*Endpoint::parse("10.0.0.5:31000"), false, nat::Proof::none_came)});
  EXPECT_NE(outside.why(kListens, {kListens}).find("behind another NAT"), std::string::npos);
}

TEST(Outside, ALostPortIsNoPlaceAnyMoreAndThatIsSaid) {
  Outside outside;
  outside.set({port(kPort)});
  outside.set({});
  EXPECT_FALSE(outside.place());
  EXPECT_EQ(outside.why(kListens, {kListens}).find("the port that the router had opened is lost"), 0U);
  outside.set({port(kPort)});
  EXPECT_EQ(outside.place(), kPort);
}

TEST(Outside, ThePlaceStaysWhileItIsProvenWhateverElseIs) {
  Outside outside;
  auto other = kPort;
  other.port = 32'000;
  outside.set({port(kPort)});
  outside.set({port(other), port(kPort)});
  EXPECT_EQ(outside.place(), kPort);
  outside.set({port(other), port(kPort, false, nat::Proof::none_came)});
  EXPECT_EQ(outside.place(), other);
}

TEST(Outside, OnlyDatagramsOfIpv4MakeAPlaceAndOnlyProvenTcp443AStream) {
  Outside outside;
  const Endpoint tcp{kPort.ip, 443, Transport::tcp}, elsewhere{kPort.ip, 8443, Transport::tcp};
  outside.set({port(tcp), port(elsewhere), port(*Endpoint::parse("[2001:db8::1]:4400"), std::nullopt)});
  EXPECT_FALSE(outside.place());
  EXPECT_EQ(outside.streams(), (std::vector{Endpoint{kPort.ip, 443, Transport::tls}}));
  outside.set({port(tcp, false, nat::Proof::none_came)});
  EXPECT_TRUE(outside.streams().empty());
}

}  // namespace
}  // namespace linnet::node
