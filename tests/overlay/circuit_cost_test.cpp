// What circuits cost the supernode that carries them: nothing from the allocator for each packet, and so much memory.
#include <gtest/gtest.h>

#include "overlay/circuit.h"
#include "tests/base/counted.h"

namespace linnet::overlay {
namespace {

constexpr std::uint64_t kMany = 10'000;
constexpr control::PairNonce kPair{1};

// Each at a prefix of its own.
CircuitTable::End far_end(std::uint64_t n) {
  const auto ip = IpAddress::v4(static_cast<std::uint32_t>(0x0b000000 + n * 256));
  return {SessionId{n + 1}, {ip, 4400, Transport::udp}};
}

std::vector<std::uint64_t> standing_circuits(CircuitTable& table, std::uint64_t count) {
  SeededRng rng{1};
  std::vector<std::uint64_t> out;
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto called = far_end(2 * i + 1);
    out.push_back(table.open(Time{}, rng, far_end(2 * i), called, kPair).value());
    EXPECT_TRUE(table.accept(Time{}, out.back(), called.session, kPair));
  }
  return out;
}

TEST(CircuitCost, NothingIsAllocatedForAPacketWhateverBecomesOfIt) {
  CircuitTable table{CircuitLimits{}};
  const auto ids = standing_circuits(table, 100);
  std::vector<Bytes> packets;
  for (const auto id : ids) packets.push_back(write_tagged(ForwardKind::circuit, id, Bytes(160, 0x80)));
  auto unknown = write_tagged(ForwardKind::circuit, 77, Bytes(160, 0x80));
  const auto before = counted::asked.times;
  Time now{};
  for (int round = 0; round < 200; ++round, now += std::chrono::milliseconds(5)) {
    for (std::size_t i = 0; i < packets.size(); ++i) {
      (void)table.forward(now, far_end(2 * i).endpoint, packets[i]);
      (void)table.forward(now, far_end(2 * i + 1).endpoint, packets[i]);
      (void)table.forward(now, far_end(5000).endpoint, packets[i]);
    }
    (void)table.forward(now, far_end(0).endpoint, unknown);
  }
  EXPECT_EQ(counted::asked.times, before);
  const auto& did = table.counters();
  EXPECT_GT(did.forwarded, 10'000U);
  EXPECT_GT(did.capped, 1000U);
  EXPECT_EQ(did.foreign, 20'000U);
  EXPECT_EQ(did.unknown, 200U);
}

// Who changes its address often makes no work in proportion to everybody's circuits: a list of all would show here.
TEST(CircuitCost, AMoveLooksAtTheCircuitsOfItsSessionAlone) {
  CircuitTable table{CircuitLimits{}};
  (void)standing_circuits(table, kMany);
  const auto before = counted::asked.bytes;
  table.moved(far_end(4).session, far_end(900'000).endpoint);
  EXPECT_FALSE(table.close(far_end(4).session, control::PairNonce{2}));
  EXPECT_EQ(table.close_session(far_end(4).session).size(), 1U);
  EXPECT_LE(counted::asked.bytes - before, 1024U);
  EXPECT_EQ(table.size(), kMany - 1);
}

TEST(CircuitCost, ACircuitHasHalfAKilobyteOfTheAllocatorAtMost) {
  const auto before = counted::asked.held;
  CircuitTable table{CircuitLimits{}};
  {
    const auto ids = standing_circuits(table, kMany);
    ASSERT_EQ(table.size(), kMany);
  }
  const auto each = (counted::asked.held - before) / kMany;
  RecordProperty("bytes_each", static_cast<int>(each));
  EXPECT_LE(each, 512U);
#ifndef LINNET_SANITIZED
  EXPECT_NEAR(static_cast<double>(table.memory_bytes()) / kMany, static_cast<double>(each), 50)
      << "what it says itself";
#endif
}

}  // namespace
}  // namespace linnet::overlay
