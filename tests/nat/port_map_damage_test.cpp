// Answers of routers that were cut or stretched on the way: a router is anybody on the link.
#include <gtest/gtest.h>

#include "nat/natpmp.h"
#include "nat/pcp.h"

namespace linnet::nat {
namespace {

using std::chrono::seconds;

TEST(PortMapDamage, EveryTruncationOfAPcpAnswerIsRefused) {
  pcp::Response response;
  response.opcode = pcp::Opcode::map;
  response.lifetime = seconds(7200);
  response.map.emplace();
  response.map->internal = 4400;
  response.map->external = {IpAddress::v4(192, 0, 2, 1), 4401, Transport::udp};
  const auto wire = pcp::write(response);
  ASSERT_TRUE(pcp::read_response(wire));
  for (std::size_t n = 0; n < wire.size(); ++n) EXPECT_FALSE(pcp::read_response(ByteView(wire).first(n))) << n;
}

TEST(PortMapDamage, APcpAnswerOfAnotherSizeIsRefused) {
  pcp::Response response;
  response.opcode = pcp::Opcode::map;
  response.map.emplace();
  auto wire = pcp::write(response);
  wire.push_back(0);
  EXPECT_FALSE(pcp::read_response(wire)) << "not a multiple of four";
  wire.resize(pcp::kMaxMessage + 4);
  EXPECT_FALSE(pcp::read_response(wire)) << "larger than section 7 allows";
}

TEST(PortMapDamage, EveryTruncationOfAPcpRequestIsRefused) {
  pcp::MapRequest request;
  request.client = IpAddress::v4(192, 168, 1, 7);
  request.map.internal = 4400;
  const auto wire = pcp::write(request);
  ASSERT_TRUE(pcp::read_map_request(wire));
  for (std::size_t n = 0; n < wire.size(); ++n) EXPECT_FALSE(pcp::read_map_request(ByteView(wire).first(n))) << n;
}

// Found by the fuzz target: such an answer was read for ever.
TEST(PortMapDamage, AnOptionLongerThanItsMessageIsRefused) {
  pcp::Response response;
  response.opcode = pcp::Opcode::map;
  response.map.emplace();
  pcp::MapRequest request;
  for (auto wire : {pcp::write(response), pcp::write(request)}) {
    for (const std::uint8_t byte : {0x0b, 0x0c, 0x11, 0x00, 0x00, 0x00, 0x00, 0x00}) wire.push_back(byte);
    EXPECT_FALSE(pcp::read_response(wire));
    EXPECT_FALSE(pcp::read_map_request(wire));
  }
}

TEST(PortMapDamage, EveryTruncationOfANatPmpAnswerIsRefusedAndNothingMayFollow) {
  for (const auto opcode : {natpmp::Opcode::external_address, natpmp::Opcode::map_udp, natpmp::Opcode::map_tcp}) {
    natpmp::Response response;
    response.opcode = opcode;
    response.address = IpAddress::v4(192, 0, 2, 1);
    response.internal = 4400;
    auto wire = natpmp::write(response);
    ASSERT_TRUE(natpmp::read_response(wire));
    for (std::size_t n = 0; n < wire.size(); ++n) EXPECT_FALSE(natpmp::read_response(ByteView(wire).first(n))) << n;
    wire.push_back(0);
    EXPECT_FALSE(natpmp::read_response(wire));
  }
}

}  // namespace
}  // namespace linnet::nat
