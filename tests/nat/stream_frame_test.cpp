// Packets on a stream (RFC 4571), however it is cut.
#include "nat/stream_frame.h"

#include <gtest/gtest.h>

#include "base/rng.h"

namespace linnet::nat {
namespace {

TEST(StreamFrame, PacketsComeOutAsTheyWereHoweverTheStreamIsCut) {
  SeededRng rng(1);
  for (int round = 0; round < 200; ++round) {
    std::vector<Bytes> sent;
    Bytes stream;
    for (int i = 0; i < 10; ++i) {
      Bytes packet(rng.below(round % 10 == 0 ? kMaxFrame : 40));
      rng.fill(packet);
      append(stream, write_frame(packet));
      if (!packet.empty()) sent.push_back(packet);  // one of no bytes says nothing
    }
    FrameReader reader;
    std::vector<Bytes> heard;
    for (std::size_t at = 0; at < stream.size();) {
      const auto n = std::min<std::size_t>(1 + rng.below(round % 2 == 0 ? 3 : 5000), stream.size() - at);
      auto piece = ByteView(stream).subspan(at, n);
      at += n;
      while (true) {
        const auto next = reader.next(piece);
        ASSERT_TRUE(next);
        if (!*next) break;
        heard.push_back(copy(**next));
      }
      EXPECT_TRUE(piece.empty());
      EXPECT_LE(reader.held(), kMaxFrame + 2);
    }
    EXPECT_EQ(heard, sent);
  }
}

TEST(StreamFrame, ALengthOverTheLimitIsTheEndOfIt) {
  FrameReader reader;
  const Bytes bytes{0x20, 0x01, 1, 2, 3};
  ByteView in = bytes;
  EXPECT_EQ(reader.next(in).error(), Fault::too_big);
  const Bytes more = write_frame(view("sound"));
  in = more;
  EXPECT_EQ(reader.next(in).error(), Fault::too_big) << "for good";
  EXPECT_LE(reader.held(), 2U);
}

TEST(StreamFrame, WhatHasNoLengthIsNotWritten) {
  EXPECT_EQ(write_frame(Bytes(0xffff)).size(), 0x10001U);
  EXPECT_TRUE(write_frame(Bytes(0x10000)).empty());
}

}  // namespace
}  // namespace linnet::nat
