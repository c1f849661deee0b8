#include "overlay/frame.h"

#include <gtest/gtest.h>

#include "base/rng.h"
#include "overlay/recovery.h"
#include "tests/base/damage.h"

namespace linnet::overlay {
namespace {

TEST(DataHeader, CarriesEpochAndNumberAsTheNonce) {
  Bytes packet;
  write_data_header(packet, {0x01020304, 7, 0x0000'aabb'ccdd'eeff});
  ASSERT_EQ(packet.size(), kDataHeaderBytes);
  EXPECT_EQ(to_hex(packet), "08010203040700aabbccddeeff");
  packet.resize(kMinDataPacket);
  const auto header = read_data_header(packet);
  ASSERT_TRUE(header);
  EXPECT_EQ(header->receiver, 0x01020304U);
  EXPECT_EQ(header->epoch, 7);
  EXPECT_EQ(header->number, 0x0000'aabb'ccdd'eeffU);
  EXPECT_EQ(header->nonce(), 0x0700'aabb'ccdd'eeffU);
  packet.pop_back();
  EXPECT_FALSE(read_data_header(packet));
}

Bytes one_of_each() {
  Bytes out;
  frame::Ack ack;
  ack.delay = Duration(800);
  ack.ranges[0] = {90, 101};
  ack.ranges[1] = {50, 60};
  ack.ranges[2] = {0, 1};
  ack.count = 3;
  const Bytes payload{1, 2, 3};
  frame::write(out, frame::Ping{});
  frame::write(out, ack);
  frame::write(out, frame::Data{2, 77, payload});
  out.push_back(0);
  frame::write(out, frame::Challenge{5});
  frame::write(out, frame::Response{6});
  frame::write(out, frame::Alive{7});
  frame::write(out, frame::Both{Duration(300'000), true});
  frame::write(out, frame::Close{frame::CloseReason::expired});
  out.resize(out.size() + 9);
  return out;
}

// All that is read up to the first fault.
std::vector<frame::Any> frames_of(ByteView bytes, bool& whole) {
  std::vector<frame::Any> out;
  frame::FrameReader reader(bytes);
  for (;;) {
    const auto next = reader.next();
    whole = next.has_value();
    if (!next || !*next) return out;
    out.push_back(**next);
  }
}

// Where the frames end in `bytes`, when they are what its beginning says, with padding between them.
std::optional<std::size_t> end_of(const std::vector<frame::Any>& frames, ByteView bytes) {
  std::size_t at = 0;
  for (const auto& f : frames) {
    while (at < bytes.size() && bytes[at] == 0) ++at;
    Bytes written;
    std::visit([&](const auto& one) { frame::write(written, one); }, f);
    if (written.size() > bytes.size() - at || !equal(written, bytes.subspan(at, written.size()))) return std::nullopt;
    at += written.size();
  }
  return at;
}

TEST(Frames, AreReadAsTheyWereWritten) {
  const auto bytes = one_of_each();
  frame::FrameReader reader(bytes);
  std::vector<frame::Any> frames;
  for (;;) {
    const auto next = reader.next();
    ASSERT_TRUE(next);
    if (!*next) break;
    frames.push_back(**next);
  }
  ASSERT_EQ(frames.size(), 8U);
  EXPECT_TRUE(std::holds_alternative<frame::Ping>(frames[0]));
  const auto& ack = std::get<frame::Ack>(frames[1]);
  EXPECT_EQ(ack.delay, Duration(800));
  ASSERT_EQ(ack.count, 3U);
  EXPECT_EQ(ack.ranges[0], (RangeSet::Range{90, 101}));
  EXPECT_EQ(ack.ranges[1], (RangeSet::Range{50, 60}));
  EXPECT_EQ(ack.ranges[2], (RangeSet::Range{0, 1}));
  const auto& data = std::get<frame::Data>(frames[2]);
  EXPECT_EQ(data.channel, 2);
  EXPECT_EQ(data.offset, 77U);
  EXPECT_EQ(copy(data.bytes), (Bytes{1, 2, 3}));
  EXPECT_EQ(std::get<frame::Challenge>(frames[3]).token, 5U);
  EXPECT_EQ(std::get<frame::Response>(frames[4]).token, 6U);
  EXPECT_EQ(std::get<frame::Alive>(frames[5]).token, 7U);
  EXPECT_EQ(std::get<frame::Both>(frames[6]).lease, Duration(300'000));
  EXPECT_TRUE(std::get<frame::Both>(frames[6]).urgent);
  EXPECT_EQ(std::get<frame::Close>(frames[7]).reason, frame::CloseReason::expired);
}

// A cut packet gives the frames before the cut, then a fault or the end; never a frame that was not written.
TEST(Frames, EndCleanlyAtEveryTruncation) {
  damage::each_truncation(one_of_each(), [](ByteView cut) {
    bool whole = false;
    const auto frames = frames_of(cut, whole);
    const auto end = end_of(frames, cut);
    ASSERT_TRUE(end) << cut.size();
    const bool nothing_left =
        std::all_of(cut.begin() + static_cast<std::ptrdiff_t>(*end), cut.end(), [](std::uint8_t b) { return b == 0; });
    EXPECT_EQ(whole, nothing_left) << cut.size();
  });
}

// Whoever could flip a bit under the seal had the key; then too, nothing is read that does not stand there.
TEST(Frames, OfEveryFlippedBitReadWhatStandsThereOrAreRefused) {
  damage::each_flipped_bit(one_of_each(), [](ByteView flipped, std::size_t bit) {
    bool whole = false;
    const auto frames = frames_of(flipped, whole);
    const auto end = end_of(frames, flipped);
    ASSERT_TRUE(end) << bit;
    if (!whole) return;
    EXPECT_TRUE(std::all_of(flipped.begin() + static_cast<std::ptrdiff_t>(*end), flipped.end(), [](std::uint8_t b) {
      return b == 0;
    })) << bit;
  });
}

TEST(Frames, RefuseWhatNoSenderWrites) {
  const auto refused = [](std::string_view hex) {
    const auto bytes = *from_hex(hex);
    frame::FrameReader reader(bytes);
    return !reader.next();
  };
  EXPECT_TRUE(refused("09"));                            // an unknown type
  EXPECT_TRUE(refused("080302"));                        // neither urgent nor not
  EXPECT_TRUE(refused("0300000000000000000000000000"));  // data of no bytes
  EXPECT_TRUE(refused("0300ffffffffffffffff000101"));    // an offset beyond reason
  EXPECT_TRUE(refused("0605"));                          // an unknown reason
  EXPECT_TRUE(refused("02000000000000000000000000"));    // cut short
  EXPECT_TRUE(refused("0200000000000000000000000000"));  // an empty range
  EXPECT_TRUE(refused("0200000000000000000000000002"));  // below zero
  EXPECT_TRUE(refused("02ffffffffffffffff0000000001"));  // a number that cannot be
  EXPECT_TRUE(refused("0200000000000000640000100001"));  // too many ranges
}

TEST(Frames, AcknowledgeExactlyWhatArrived) {
  SeededRng rng(4);
  for (int round = 0; round < 300; ++round) {
    AckTracker acks;
    std::vector<bool> arrived(60);
    // Sixteen numbers make at most sixteen ranges; of more, the lowest may go unsaid, but nothing is said that did not
    // come.
    const bool exact = round % 2 == 0;
    for (std::size_t i = 0; i < (exact ? frame::Ack::kMaxRanges : 40); ++i) {
      const auto n = rng.below(arrived.size());
      arrived[n] = true;
      acks.arrived(Time{}, n, true);
    }
    Bytes bytes;
    const auto sent = acks.take(Time{});
    frame::write(bytes, sent);
    EXPECT_EQ(bytes.size(), frame::bytes_of(sent));
    frame::FrameReader reader(bytes);
    const auto next = reader.next();
    ASSERT_TRUE(next && *next);
    const auto& ack = std::get<frame::Ack>(**next);
    for (std::uint64_t n = 0; n < arrived.size(); ++n) {
      bool said = false;
      for (std::size_t r = 0; r < ack.count; ++r) said = said || (n >= ack.ranges[r].begin && n < ack.ranges[r].end);
      EXPECT_TRUE(said ? arrived[n] : !(exact && arrived[n])) << n;
    }
  }
}

}  // namespace
}  // namespace linnet::overlay
