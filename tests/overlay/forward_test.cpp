#include "overlay/forward.h"

#include <gtest/gtest.h>

#include "overlay/forward_source.h"

namespace linnet::overlay {
namespace {

using std::chrono::seconds;

const crypto::Suite& suite() { return crypto::shipped_suite(); }
Endpoint forward_host(std::uint8_t n) { return {IpAddress::v4(10, 0, n, 1), 4400, Transport::udp}; }
crypto::SessionKey nth_key(std::uint8_t n) {
  crypto::SessionKey out;
  out.bytes.fill(n);
  return out;
}
Bytes inner(std::uint8_t first, std::size_t size = 40) {
  Bytes out(size, 0x55);
  out[0] = first;
  return out;
}

TEST(Forward, CarriesTagTokenMacAndInner) {
  const crypto::Mac1 mac1(suite(), nth_key(7));
  auto wire = write_to_leaf(mac1, 0x1122334455667788, 42, inner(4));
  EXPECT_EQ(wire.size(), kToLeafHeader + 40);
  const auto read = read_forward(wire);
  ASSERT_TRUE(read);
  const auto& packet = std::get<ToLeaf>(*read);
  EXPECT_EQ(packet.tag, 0x1122334455667788U);
  EXPECT_EQ(packet.token, 42U);
  EXPECT_TRUE(equal(packet.inner, inner(4)));
  EXPECT_TRUE(mac1.check(packet.covered, packet.mac1));
}

TEST(Forward, MacCoversTagTokenAndInner) {
  const crypto::Mac1 mac1(suite(), nth_key(7));
  const auto good = write_to_leaf(mac1, 1, 2, inner(4));
  for (std::size_t i = 2; i < good.size(); ++i) {
    auto bad = good;
    bad[i] ^= 1;
    const auto read = read_forward(bad);
    if (!read) continue;  // the inner first byte
    const auto& packet = std::get<ToLeaf>(*read);
    EXPECT_FALSE(mac1.check(packet.covered, packet.mac1)) << i;
  }
}

TEST(Forward, ACircuitIdHasSixBytesInAnEightByteHeader) {
  auto wire = write_tagged(ForwardKind::circuit, 0xa1b2c3d4e5f6, inner(0x80));
  EXPECT_EQ(wire.size(), kCircuitHeader + 40);
  const auto read = read_forward(wire);
  ASSERT_TRUE(read);
  EXPECT_EQ(std::get<Tagged>(*read).kind, ForwardKind::circuit);
  EXPECT_EQ(std::get<Tagged>(*read).id, 0xa1b2c3d4e5f6U);
}

TEST(Forward, NothingNestsAndOnlyACircuitCarriesVoiceAndChecks) {
  for (int first = 0; first < 256; ++first) {
    const bool session = first >= 4 && first <= 8;
    const bool voice = first >= 128 && first <= 191;
    const bool check = first <= 3;
    for (const auto kind : {ForwardKind::down, ForwardKind::up, ForwardKind::back, ForwardKind::circuit}) {
      auto wire = write_tagged(kind, 9, inner(static_cast<std::uint8_t>(first)));
      const bool wanted = kind == ForwardKind::circuit ? first == 8 || voice || check : session;  // no handshake
      EXPECT_EQ(read_forward(wire).has_value(), wanted) << first;
    }
    auto to_leaf = write_to_leaf(crypto::Mac1(suite(), nth_key(1)), 1, 2, inner(static_cast<std::uint8_t>(first)));
    EXPECT_EQ(read_forward(to_leaf).has_value(), session) << first;
  }
}

TEST(Forward, EveryTruncationIsRefused) {
  const auto whole = write_to_leaf(crypto::Mac1(suite(), nth_key(1)), 1, 2, inner(4, 1));
  for (std::size_t n = 0; n < whole.size(); ++n) {
    Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(n));
    EXPECT_FALSE(read_forward(cut)) << n;
  }
  const auto tagged = write_tagged(ForwardKind::back, 1, inner(8, 1));
  for (std::size_t n = 0; n < tagged.size(); ++n) {
    Bytes cut(tagged.begin(), tagged.begin() + static_cast<std::ptrdiff_t>(n));
    EXPECT_FALSE(read_forward(cut)) << n;
  }
}

TEST(SourceTable, OneTagPerSourceAndToken) {
  SeededRng rng(1);
  SourceTable table;
  const auto a = table.tag_for(Time{}, rng, forward_host(1), 5, 100);
  EXPECT_EQ(table.tag_for(Time{}, rng, forward_host(1), 5, 100), a);
  EXPECT_NE(table.tag_for(Time{}, rng, forward_host(1), 6, 100), a);
  EXPECT_NE(table.tag_for(Time{}, rng, forward_host(2), 5, 100), a);
  EXPECT_EQ(table.size(), 3U);
}

TEST(SourceTable, AnswersGoToTheSourceWithItsToken) {
  SeededRng rng(1);
  SourceTable table;
  const auto tag = table.tag_for(Time{}, rng, forward_host(3), 77, 1000);
  const auto target = table.answer(Time{}, tag, 500);
  ASSERT_TRUE(target);
  EXPECT_EQ(target->source, forward_host(3));
  EXPECT_EQ(target->token, 77U);
}

TEST(SourceTable, ATagNeverGivenGoesNowhere) {
  SeededRng rng(1);
  SourceTable table;
  const auto tag = table.tag_for(Time{}, rng, forward_host(3), 77, 1000);
  EXPECT_EQ(table.answer(Time{}, tag + 2, 10).error(), Fault::not_found);
}

TEST(SourceTable, ATagExpiresWhenItsSourceIsSilent) {
  SeededRng rng(1);
  SourceTable table;
  const auto tag = table.tag_for(Time{}, rng, forward_host(3), 77, 1000);
  EXPECT_TRUE(table.answer(Time{} + SourceTable::kIdle, tag, 10));
  EXPECT_EQ(table.answer(Time{} + SourceTable::kIdle + seconds(1), tag, 10).error(), Fault::not_found);
}

TEST(SourceTable, NewcomersDoNotDriveOutWhoAnsweredTheLeaf) {
  SeededRng rng(1);
  SourceTable table;
  const auto meant = table.tag_for(Time{}, rng, forward_host(3), 77, 1000, 4);
  ASSERT_TRUE(table.answer(Time{}, meant, 100));
  table.tag_for(Time{}, rng, forward_host(3), 77, 300, 6);
  std::uint64_t refused = 0;
  for (std::uint32_t i = 0; i < 10'000; ++i) {
    const Endpoint flood{IpAddress::v4(0x09000000U + (i << 8)), 1, Transport::udp};
    if (table.tag_for(Time{} + seconds(1), rng, flood, i, 1000, 4) == 0) ++refused;
  }
  EXPECT_EQ(refused, 0U);
  EXPECT_LE(table.size(), SourceTable::kCapacity);
  EXPECT_TRUE(table.knows(forward_host(3), 77));
  EXPECT_EQ(table.tag_for(Time{} + seconds(2), rng, forward_host(3), 77, 100, 8), meant);
}

TEST(SourceTable, WhenAllAnsweredTheNewcomerWaits) {
  SeededRng rng(1);
  SourceTable table;
  for (std::uint32_t i = 0; i < SourceTable::kCapacity; ++i) {
    const Endpoint one{IpAddress::v4(0x09000000U + (i << 8)), 1, Transport::udp};
    const auto tag = table.tag_for(Time{}, rng, one, i, 1000, 4);
    ASSERT_TRUE(table.answer(Time{}, tag, 10));
    table.tag_for(Time{}, rng, one, i, 100, 6);
  }
  EXPECT_EQ(table.tag_for(Time{} + seconds(1), rng, forward_host(3), 1, 1000, 4), 0U);
  EXPECT_NE(table.tag_for(Time{} + SourceTable::kQuiet + seconds(1), rng, forward_host(3), 1, 1000, 4), 0U);
}

TEST(SourceTable, NeverSendsASourceMoreThanItSentUntilItIsKnownToBeThere) {
  SeededRng rng(1);
  SourceTable table;
  const auto tag = table.tag_for(Time{}, rng, forward_host(3), 77, 100);
  EXPECT_TRUE(table.answer(Time{}, tag, 100));
  EXPECT_EQ(table.answer(Time{}, tag, 1).error(), Fault::refused);
  table.tag_for(Time{}, rng, forward_host(3), 77, 10, 8, true);
  EXPECT_TRUE(table.answer(Time{}, tag, 230));
  EXPECT_EQ(table.answer(Time{}, tag, 1).error(), Fault::refused);
}

TEST(SourceTable, StaysBoundedAndTheSilentGoFirst) {
  SeededRng rng(1);
  SourceTable table;
  const auto first = table.tag_for(Time{}, rng, forward_host(1), 0, 100);
  for (std::uint64_t i = 1; i <= 1000; ++i) {
    table.tag_for(Time{} + Duration(static_cast<std::int64_t>(i)), rng, forward_host(1), i, 100);
    ASSERT_LE(table.size(), SourceTable::kCapacity);
  }
  EXPECT_FALSE(table.answer(Time{} + Duration(1001), first, 10));
}

TEST(SourceTable, OneHostWithManyTokensDrivesNobodyElseOut) {
  SeededRng rng(1);
  SourceTable table;
  const auto caller = table.tag_for(Time{}, rng, forward_host(1), 7, 100);
  for (std::uint64_t i = 1; i <= 1000; ++i)
    table.tag_for(Time{} + Duration(static_cast<std::int64_t>(i)), rng, forward_host(2), i, 100);
  EXPECT_LE(table.size(), 1 + SourceTable::kPerPrefix);
  EXPECT_TRUE(table.answer(Time{} + Duration(1001), caller, 10));
}

TEST(ForwardSources, KnowsTheAnswerByItsTokenFromThatSupernodeAlone) {
  SeededRng rng(1);
  ForwardSources sources;
  const auto path = sources.open(suite(), rng, forward_host(1), 99, nth_key(4));
  ASSERT_TRUE(path);
  auto sent = sources.wrap(*path, inner(4));
  ASSERT_TRUE(sent);
  EXPECT_EQ(sent->to, forward_host(1));
  const auto read = read_forward(sent->bytes);
  ASSERT_TRUE(read);
  const auto token = std::get<ToLeaf>(*read).token;
  EXPECT_EQ(sources.path_of(forward_host(1), token), *path);
  EXPECT_FALSE(sources.path_of(forward_host(2), token));
  EXPECT_FALSE(sources.path_of(forward_host(1), token + 1));
}

TEST(ForwardSources, ForgetsALeafAltogether) {
  SeededRng rng(1);
  ForwardSources sources;
  const auto a = sources.open(suite(), rng, forward_host(1), 99, nth_key(4));
  const auto b = sources.open(suite(), rng, forward_host(2), 98, nth_key(4));
  const auto other = sources.open(suite(), rng, forward_host(2), 97, nth_key(5));
  sources.close(nth_key(4));
  EXPECT_FALSE(sources.wrap(*a, inner(4)));
  EXPECT_FALSE(sources.wrap(*b, inner(4)));
  EXPECT_TRUE(sources.wrap(*other, inner(4)));
}

}  // namespace
}  // namespace linnet::overlay
