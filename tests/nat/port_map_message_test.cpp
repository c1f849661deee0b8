// The bytes of PCP and NAT-PMP as their RFCs draw them.
#include <gtest/gtest.h>

#include "nat/natpmp.h"
#include "nat/pcp.h"

using namespace linnet;
using namespace linnet::nat;
using namespace std::chrono_literals;

namespace {

TEST(PcpMessage, ARequestHasTheFormOfTheRfc) {
  pcp::MapRequest request;
  request.client = IpAddress::v4(192, 168, 1, 7);
  request.lifetime = 7200s;
  request.map.nonce = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  request.map.internal = 4400;
  request.map.external = {IpAddress::v4(0), 4401, Transport::udp};
  EXPECT_EQ(to_hex(pcp::write(request)),
            "0201000000001c20"
            "00000000000000000000ffffc0a80107"
            "0102030405060708090a0b0c"
            "11000000"
            "11301131"
            "00000000000000000000ffff00000000");
  request.prefer_failure = true;
  EXPECT_EQ(to_hex(pcp::write(request)).substr(120), "02000000");
  const auto again = pcp::read_map_request(pcp::write(request));
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->prefer_failure);
  EXPECT_EQ(again->map.external.port, 4401);
}

TEST(NatPmpMessage, ARequestHasTheFormOfTheRfc) {
  EXPECT_EQ(to_hex(natpmp::write_address_request()), "0000");
  EXPECT_EQ(to_hex(natpmp::write({natpmp::Opcode::map_tcp, 4400, 443, 7200s})),
            "000200001130"
            "01bb"
            "00001c20");
}

}  // namespace
