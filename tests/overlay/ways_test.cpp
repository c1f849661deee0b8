// By which ways a supernode is tried, in which order, and how its own place is told from the way that answered.
#include "overlay/ways.h"

#include <gtest/gtest.h>

namespace linnet::overlay {
namespace {

const Endpoint kSupernode = *Endpoint::parse("203.0.113.9:4400");

std::vector<Way> order(const std::vector<Endpoint>& endpoints) {
  std::vector<Way> out;
  for (const auto& e : endpoints) out.push_back(way_of(e));
  return out;
}

TEST(Ways, GoFromDatagramsToWhatOnlyAProxyLetsOut) {
  EXPECT_EQ(order(all_ways({false, false}, kSupernode, {})), (std::vector{Way::udp}));
  EXPECT_EQ(order(all_ways({true, false}, kSupernode, {})), (std::vector{Way::udp, Way::tcp, Way::tls, Way::web}));
  EXPECT_EQ(order(all_ways({true, true}, kSupernode, {})),
            (std::vector{Way::udp, Way::tcp, Way::tls, Way::web, Way::tls_by_proxy, Way::tcp_by_proxy}));
}

TEST(Ways, BeginAmongStreamsWithTheOneThatWorkedLast) {
  EXPECT_EQ(order(all_ways({true, false}, kSupernode, Way::tls)),
            (std::vector{Way::udp, Way::tls, Way::tcp, Way::web}));
  EXPECT_EQ(order(all_ways({true, true}, kSupernode, Way::tls_by_proxy))[1], Way::tls_by_proxy);
}

TEST(Ways, LeaveOutWhatOthersMayHoldOnLoopbackAndWhatIsTheSame) {
  EXPECT_EQ(order(all_ways({true, true}, *Endpoint::parse("127.0.0.1:4400"), {})), (std::vector{Way::udp, Way::tcp}));
  const auto web = all_ways({true, false}, *Endpoint::parse("203.0.113.9:80"), {});
  EXPECT_EQ(web.size(), 3U);
}

TEST(Ways, ToANameAreTheProxysAlone) {
  const auto named = placeholder(7, 4400);
  EXPECT_TRUE(is_placeholder(named.ip));
  EXPECT_FALSE(is_placeholder(kSupernode.ip));
  EXPECT_FALSE(is_placeholder(*IpAddress::parse("100:0:0:1::7")));
  EXPECT_EQ(order(all_ways({true, true}, named, {})), (std::vector{Way::tls_by_proxy, Way::tcp_by_proxy}));
  EXPECT_TRUE(all_ways({true, false}, named, {}).empty());
}

TEST(Ways, EndAtTheSupernodesOwnPlace) {
  const Endpoint told = *Endpoint::parse("10.0.0.1:4400");
  for (const auto way : {Way::udp, Way::tcp, Way::tls, Way::web, Way::tls_by_proxy, Way::tcp_by_proxy}) {
    const auto heard = by(way, kSupernode);
    EXPECT_EQ(way_of(heard), way);
    EXPECT_TRUE(leads_to(heard, kSupernode));
    EXPECT_FALSE(leads_to(heard, *Endpoint::parse("203.0.113.10:4400")));
    EXPECT_EQ(home_of(heard, told), kSupernode) << "the address that answered counts, with the port it is at";
  }
  EXPECT_EQ(home_of(by(Way::tls_by_proxy, placeholder(7, 4400)), told), told) << "only it knows where a name leads";
}

}  // namespace
}  // namespace linnet::overlay
