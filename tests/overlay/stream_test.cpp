// Packets on a byte stream, as protocol.md section 4 frames them.
#include "overlay/stream.h"

#include <gtest/gtest.h>

#include "base/rng.h"
#include "overlay/forward.h"
#include "tests/base/damage.h"

namespace linnet::overlay {
namespace {

Bytes framed(const std::vector<Bytes>& packets, bool magic = true) {
  Bytes out;
  if (magic) append(out, kStreamMagic);
  for (const auto& packet : packets) EXPECT_TRUE(write_stream_packet(out, packet));
  return out;
}

// Everything that `pieces` of the stream bring.
std::vector<Bytes> read_all(StreamReader& reader, ByteView stream, Rng& rng, std::size_t most) {
  std::vector<Bytes> out;
  while (!stream.empty()) {
    const auto n = std::min<std::size_t>(stream.size(), 1 + rng.below(most));
    EXPECT_TRUE(reader.push(stream.first(n)));
    stream = stream.subspan(n);
    for (;;) {
      const auto packet = reader.next();
      EXPECT_TRUE(packet);
      if (!packet || !*packet) break;
      out.push_back(copy(**packet));
    }
  }
  return out;
}

TEST(Stream, BringsEveryPacketHoweverItIsCut) {
  SeededRng rng(1);
  for (int round = 0; round < 200; ++round) {
    std::vector<Bytes> packets;
    for (std::uint64_t i = 0; i < 1 + rng.below(8); ++i) {
      Bytes packet(1 + rng.below(round % 5 == 0 ? kMaxStreamPacket : 1200));
      rng.fill(packet);
      packets.push_back(std::move(packet));
    }
    StreamReader reader(true);
    EXPECT_EQ(read_all(reader, framed(packets), rng, round % 3 == 0 ? 3 : 4000), packets);
    EXPECT_FALSE(reader.in_the_middle());
    EXPECT_TRUE(reader.greeted());
  }
}

TEST(Stream, TheConnectingSideReadsNoMagic) {
  SeededRng rng(2);
  StreamReader reader(false);
  EXPECT_EQ(read_all(reader, framed({Bytes{8, 1, 2}}, false), rng, 2), (std::vector<Bytes>{{8, 1, 2}}));
}

TEST(Stream, TheFirstWrongByteOfTheMagicEndsIt) {
  for (std::size_t i = 0; i < kStreamMagic.size(); ++i) {
    Bytes start(kStreamMagic.begin(), kStreamMagic.begin() + static_cast<std::ptrdiff_t>(i + 1));
    start[i] ^= 0x40;
    StreamReader reader(true);
    ASSERT_TRUE(reader.push(start));
    EXPECT_EQ(reader.next().error(), Fault::malformed);
    EXPECT_FALSE(reader.push(start));
  }
}

TEST(Stream, RefusesNoughtAndMoreThanSixteenKilobytes) {
  const Bytes lengths[] = {{0, 0}, {0x40, 0x01}, {0xff, 0xff}};
  for (const auto& length : lengths) {
    StreamReader reader(false);
    ASSERT_TRUE(reader.push(length));
    EXPECT_FALSE(reader.next());
    EXPECT_FALSE(reader.next());
  }
  Bytes out;
  EXPECT_EQ(write_stream_packet(out, {}).error(), Fault::malformed);
  EXPECT_EQ(write_stream_packet(out, Bytes(kMaxStreamPacket + 1)).error(), Fault::too_big);
  EXPECT_TRUE(out.empty());
}

TEST(Stream, HoldsNoMoreThanTwoPackets) {
  StreamReader reader(false);
  ASSERT_TRUE(reader.push(Bytes(kMaxStreamPacket, 1)));
  ASSERT_TRUE(reader.push(Bytes(kMaxStreamPacket, 1)));
  EXPECT_EQ(reader.push(Bytes(kMaxStreamPacket, 1)).error(), Fault::full);
}

TEST(Stream, TellsThatSomethingIsHeldBack) {
  StreamReader reader(true);
  EXPECT_FALSE(reader.in_the_middle());
  ASSERT_TRUE(reader.push(Bytes{0x05}));
  ASSERT_TRUE(reader.next());
  EXPECT_TRUE(reader.in_the_middle());
  EXPECT_FALSE(reader.greeted());
}

// The packets that are read before it ends or waits, framed again: the beginning of `stream`.
void is_read_as_it_stands(ByteView stream, std::size_t at_most) {
  StreamReader reader(true);
  ASSERT_TRUE(reader.push(stream));
  std::vector<Bytes> packets;
  for (;;) {
    const auto packet = reader.next();
    if (!packet) {
      EXPECT_FALSE(reader.push(Bytes{1})) << "for good";
      break;
    }
    if (!*packet) break;
    packets.push_back(copy(**packet));
  }
  EXPECT_LE(packets.size(), at_most);
  if (!reader.greeted()) {
    EXPECT_TRUE(packets.empty());
    return;
  }
  const auto again = framed(packets);
  ASSERT_LE(again.size(), stream.size());
  EXPECT_TRUE(equal(again, stream.first(again.size())));
}

TEST(Stream, EveryTruncationBringsThePacketsBeforeTheCutAndNoOther) {
  const std::vector<Bytes> packets{{8, 1, 2}, Bytes(300, 8), {128, 7}};
  const auto whole = framed(packets);
  damage::each_truncation(whole, [&](ByteView cut) {
    const std::size_t before = cut.size() < 4 + 5 ? 0U : cut.size() < 4 + 5 + 302 ? 1U : 2U;
    is_read_as_it_stands(cut, before);
  });
  is_read_as_it_stands(whole, 3);
}

TEST(Stream, OfEveryFlippedBitReadsWhatStandsThereOrEnds) {
  const auto whole = framed({{8, 1, 2}, Bytes(300, 8), {128, 7}});
  damage::each_flipped_bit(whole, [&](ByteView flipped, std::size_t bit) {
    SCOPED_TRACE(bit);
    is_read_as_it_stands(flipped, bit < 8 * kStreamMagic.size() ? 0 : whole.size() / 3);
  });
}

TEST(StreamOpening, IsToldByItsFirstBytes) {
  const Bytes stun = *from_hex("000100002112a442000102030405060708090a0b");
  EXPECT_EQ(stream_opening(kStreamMagic), StreamOpening::ours);
  EXPECT_EQ(stream_opening(stun), StreamOpening::stun);
  EXPECT_EQ(stream_opening(*from_hex("1603010200")), StreamOpening::tls);
  for (const auto* foreign : {"GET / HTTP/1.1", "SSH-2.0", "\x05\x01", "\x16\x02", "\x40\x01"})
    EXPECT_EQ(stream_opening(view(foreign)), StreamOpening::foreign) << foreign;
  EXPECT_EQ(stream_opening(*from_hex("0001000021")), StreamOpening::undecided);
  EXPECT_EQ(stream_opening(*from_hex("0001000022")), StreamOpening::foreign)
      << "no cookie: refused at the first wrong byte";
}

TEST(StreamOpening, NeverChangesItsMindAsMoreComes) {
  SeededRng rng(7);
  for (int i = 0; i < 20'000; ++i) {
    Bytes first(12);
    rng.fill(first);
    if (rng.below(2) == 0) first[0] = static_cast<std::uint8_t>(rng.below(24));
    if (rng.below(4) == 0) std::copy(kStreamMagic.begin(), kStreamMagic.end(), first.begin());
    auto before = StreamOpening::undecided;
    for (std::size_t n = 0; n <= first.size(); ++n) {
      const auto now = stream_opening(ByteView(first).first(n));
      ASSERT_TRUE(before == StreamOpening::undecided || now == before);
      before = now;
    }
    ASSERT_NE(before, StreamOpening::undecided) << "twelve bytes are enough";
  }
}

constexpr Time at_ms(int n) { return Time{} + std::chrono::milliseconds(n); }
Bytes voice(std::uint8_t n) { return {128, n}; }

TEST(StreamQueue, DropsVoiceThatWaitedTooLongAndNothingElse) {
  StreamQueue queue;
  ASSERT_TRUE(queue.push(at_ms(0), voice(1)));
  ASSERT_TRUE(queue.push(at_ms(0), write_tagged(ForwardKind::circuit, 7, voice(2))));
  ASSERT_TRUE(queue.push(at_ms(0), Bytes{8, 3}));
  ASSERT_TRUE(queue.push(at_ms(0), write_tagged(ForwardKind::circuit, 7, Bytes{8, 4})));
  ASSERT_TRUE(queue.push(at_ms(150), voice(5)));
  EXPECT_EQ(queue.pop(at_ms(250)), (Bytes{8, 3}));
  EXPECT_EQ(queue.pop(at_ms(250)), write_tagged(ForwardKind::circuit, 7, Bytes{8, 4}));
  EXPECT_EQ(queue.pop(at_ms(250)), voice(5));
  EXPECT_EQ(queue.pop(at_ms(250)), std::nullopt);
  EXPECT_EQ(queue.outdated(), 2U);
  EXPECT_EQ(queue.bytes(), 0U);
}

TEST(StreamQueue, OfAStreamThatStandsHoldsNoMoreThanItsBoundAndTheNewestVoice) {
  StreamQueue queue;
  for (int i = 0; i < 5000; ++i) {
    (void)queue.push(at_ms(20 * i), Bytes(100, 128));
    EXPECT_LE(queue.bytes(), StreamQueue::kMostBytes);
  }
  std::size_t left = 0;
  while (queue.pop(at_ms(20 * 4999))) ++left;
  EXPECT_LE(left, 10U);  // 200 ms of it
  EXPECT_GE(left, 1U);
}

}  // namespace
}  // namespace linnet::overlay
