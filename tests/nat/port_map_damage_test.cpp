// Answers of routers that were cut or stretched on the way: a router is anybody on the link.
#include <gtest/gtest.h>

#include "nat/natpmp.h"
#include "nat/pcp.h"
#include "tests/base/damage.h"
#include "tests/nat/model_router.h"

namespace linnet::nat {
namespace {

using std::chrono::seconds;

Bytes mapped() {
  pcp::Response out;
  out.opcode = pcp::Opcode::map;
  out.lifetime = seconds(7200);
  out.map.emplace();
  out.map->internal = 4400;
  out.map->external = {IpAddress::v4(192, 0, 2, 1), 4401, Transport::udp};
  return pcp::write(out);
}

TEST(PortMapDamage, EveryTruncationOfAPcpAnswerIsRefused) {
  const auto wire = mapped();
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

// What is not told by where it stands or by what was asked is read as it stands, and the same again when written.
TEST(PortMapDamage, OfEveryFlippedBitReadsWhatCanBeSaidOrNothing) {
  damage::each_flipped_bit(mapped(), [](ByteView flipped, std::size_t bit) {
    const auto read = pcp::read_response(flipped);
    if (!read || !read->map) return;
    const auto again = pcp::read_response(pcp::write(*read));
    ASSERT_TRUE(again && again->map) << bit;
    EXPECT_EQ(pcp::write(*again), pcp::write(*read)) << bit;
  });
  natpmp::Response old;
  old.opcode = natpmp::Opcode::map_udp;
  old.internal = 4400;
  old.external = 4401;
  old.lifetime = seconds(7200);
  damage::each_flipped_bit(natpmp::write(old), [](ByteView flipped, std::size_t bit) {
    const auto read = natpmp::read_response(flipped);
    EXPECT_TRUE(!read || equal(natpmp::write(*read), flipped)) << bit;
  });
}

// PCP's nonce, with protocol and port, says whose an answer is (RFC 6887, section 11.4): of a flipped bit of these, or
// of what makes it an answer to MAP, nothing is believed, and the right one still counts.
TEST(PortMapDamage, NoFlippedBitOfWhoseAnAnswerIsOpensAPort) {
  const Endpoint router{IpAddress::v4(192, 168, 1, 1), pcp::kServerPort, Transport::udp};
  const Time now{std::chrono::hours(1)};
  SeededRng rng(1);
  PortMapper mapper(rng, {1, 2, 3});
  mapper.set_wishes(now, {{Transport::udp, 4400, 4400}});
  mapper.set_routers(now, {{router, IpAddress::v4(192, 168, 1, 7)}});
  mapper.handle_timeout(now);
  const auto asked = mapper.poll_transmit();
  ASSERT_TRUE(asked);
  auto whole = *test::ModelRouter{}.handle(now, asked->bytes);
  constexpr std::size_t kNonceAt = 24, kReservedAt = 37, kInternalAt = 40, kExternalAt = 42;
  damage::each_truncation(whole, [&](ByteView cut) {
    auto bytes = copy(cut);
    mapper.handle_datagram(now, {router, bytes});
    EXPECT_TRUE(mapper.mappings().empty()) << cut.size();
  });
  damage::each_flipped_bit(whole, [&](Bytes& flipped, std::size_t bit) {
    const auto byte = bit / 8;
    const bool whose =
        byte == 1 || (byte >= kNonceAt && byte < kReservedAt) || (byte >= kInternalAt && byte < kExternalAt);
    if (!whose) return;
    mapper.handle_datagram(now, {router, flipped});
    EXPECT_TRUE(mapper.mappings().empty()) << bit;
  });
  mapper.handle_datagram(now, {router, whole});
  EXPECT_EQ(mapper.mappings().size(), 1U);
}

}  // namespace
}  // namespace linnet::nat
