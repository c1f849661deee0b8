#include "media/session.h"

#include <gtest/gtest.h>

#include "media/rtcp.h"
#include "media/rtp.h"
#include "media/srtp.h"
#include "tests/media/voice.h"

namespace linnet::media {
namespace {

const std::vector<std::int16_t> kFrame20(960, 1000);

class SessionTest : public testing::Test {
 protected:
  SessionTest()
      : rng(1), keys(key_pair(rng)), alice(config(keys.first, 0xa), rng), bob(config(keys.second, 0xb), rng) {}

  static SessionConfig config(const SrtpKeys& k, std::uint32_t ssrc) {
    SessionConfig c;
    c.security = k;
    c.ssrc = ssrc;
    return c;
  }
  Bytes next_packet(double ms = 0) {
    alice.capture(at_ms(ms), kFrame20);
    return *alice.poll_packet();
  }

  SeededRng rng;
  std::pair<SrtpKeys, SrtpKeys> keys;
  Session alice, bob;
};

TEST_F(SessionTest, AFrameLeavesWithTheSampleThatCompletesIt) {
  alice.capture(at_ms(0), std::span(kFrame20).first(959));
  EXPECT_FALSE(alice.poll_packet());
  alice.capture(at_ms(1), std::span(kFrame20).first(1));
  EXPECT_TRUE(alice.poll_packet());
  EXPECT_FALSE(alice.poll_packet());
}

TEST_F(SessionTest, PacketsFollowEachOtherInSequenceAndTime) {
  const auto first = parse_rtp(next_packet())->header, second = parse_rtp(next_packet())->header;
  EXPECT_TRUE(first.marker) << "the first of a talkspurt";
  EXPECT_FALSE(second.marker);
  EXPECT_EQ(first.ssrc, 0xaU);
  EXPECT_EQ(first.payload_type, 111);
  EXPECT_EQ(static_cast<std::uint16_t>(first.sequence + 1), second.sequence);
  EXPECT_EQ(first.timestamp + 960, second.timestamp);
}

TEST_F(SessionTest, WhatCannotBeAuthenticatedIsRefusedAndCounted) {
  Bytes forged = next_packet();
  forged.back() ^= 1;
  EXPECT_EQ(bob.handle_packet(at_ms(1), forged).error(), Fault::bad_mac);
  Bytes plain(forged.begin(), forged.end() - 16);
  EXPECT_FALSE(bob.handle_packet(at_ms(1), plain));
  Bytes nothing;
  EXPECT_EQ(bob.handle_packet(at_ms(1), nothing).error(), Fault::truncated);
  EXPECT_EQ(bob.stats(at_ms(1)).packets_refused, 3U);
  EXPECT_EQ(bob.stats(at_ms(1)).packets_received, 0U);
  EXPECT_FALSE(bob.stats(at_ms(1)).loss_pct) << "unknown, not zero";
}

TEST_F(SessionTest, AReplayedPacketIsRefused) {
  Bytes one = next_packet(), two = one;
  EXPECT_EQ(bob.handle_packet(at_ms(1), one), PacketKind::rtp);
  EXPECT_EQ(bob.handle_packet(at_ms(2), two).error(), Fault::replayed);
}

TEST_F(SessionTest, AnotherSourceThanTheSignalledOneIsRefused) {
  bob.set_remote_ssrc(0xc);
  Bytes packet = next_packet(), copy = packet;
  EXPECT_EQ(bob.handle_packet(at_ms(1), packet).error(), Fault::mismatch);
  bob.set_remote_ssrc(0xa);
  EXPECT_TRUE(bob.handle_packet(at_ms(1), copy)) << "the refusal did not spend it";
}

// Security check 28: not even with our keys. Who is sent to by another source than the signalled one says, to the byte,
// what he says to silence.
TEST_F(SessionTest, AnotherSourceThanTheSignalledOneIsNotAnswered) {
  const auto said = [&](std::uint32_t signalled, bool spoken_to) {
    SeededRng own(3);
    Session there(config(keys.first, 0xa), own), here(config(keys.second, 0xb), own);
    here.set_remote_ssrc(signalled);
    std::vector<Bytes> out;
    for (int ms = 0; ms < 20'000; ms += 20) {
      there.capture(at_ms(ms), kFrame20);
      if (there.next_timeout() <= at_ms(ms)) there.handle_timeout(at_ms(ms));
      while (auto packet = there.poll_packet()) {
        if (!spoken_to) continue;
        EXPECT_EQ(here.handle_packet(at_ms(ms), *packet).has_value(), signalled == 0xa);
      }
      if (here.next_timeout() <= at_ms(ms)) here.handle_timeout(at_ms(ms));
      while (auto packet = here.poll_packet()) out.push_back(std::move(*packet));
    }
    return out;
  };
  EXPECT_EQ(said(0xc, true), said(0xc, false));
  EXPECT_NE(said(0xa, true), said(0xa, false)) << "the signalled one is reported on";
}

TEST_F(SessionTest, OurOwnPacketsComingBackAreRefused) {
  Bytes packet = next_packet();
  EXPECT_EQ(alice.handle_packet(at_ms(1), packet).error(), Fault::mismatch);
}

TEST_F(SessionTest, AnUnknownPayloadTypeIsRefused) {
  auto c = config(keys.first, 0xa);
  c.send.number = 96;
  Session other(c, rng);
  other.capture(at_ms(0), kFrame20);
  Bytes packet = *other.poll_packet();
  EXPECT_EQ(bob.handle_packet(at_ms(1), packet).error(), Fault::unsupported);
}

TEST_F(SessionTest, WithoutAKeyNothingLeavesAndNothingEnters) {
  SessionConfig c;
  Session keyless(c, rng);
  keyless.capture(at_ms(0), kFrame20);
  EXPECT_FALSE(keyless.poll_packet());
  Bytes packet = next_packet();
  EXPECT_EQ(keyless.handle_packet(at_ms(1), packet).error(), Fault::bad_key);
}

TEST_F(SessionTest, PlainRtpMustBeAskedFor) {
  SessionConfig c;
  c.security = PlainRtp{};
  Session a(c, rng), b(c, rng);
  a.capture(at_ms(0), kFrame20);
  Bytes packet = *a.poll_packet();
  EXPECT_EQ(packet.size(), kRtpHeader + 60);
  Bytes copy = packet;
  EXPECT_TRUE(b.handle_packet(at_ms(1), packet));
  EXPECT_TRUE(b.handle_packet(at_ms(2), copy));
  EXPECT_EQ(b.stats(at_ms(2)).packets_received, 1U);
  EXPECT_EQ(b.stats(at_ms(2)).packets_duplicate, 1U);
}

TEST_F(SessionTest, NewKeysReplaceOnlyTheDirectionThatChanged) {
  Bytes before = next_packet();
  ASSERT_TRUE(bob.handle_packet(at_ms(0), before));
  auto [a, b] = keys;
  a.remote = b.local = SrtpKey::random(SrtpSuite::aes_cm_128_hmac_sha1_80, rng);
  alice.rekey(a);
  bob.rekey(b);
  Bytes there = next_packet();
  EXPECT_TRUE(bob.handle_packet(at_ms(1), there));
  bob.capture(at_ms(1), kFrame20);
  Bytes back = *bob.poll_packet();
  EXPECT_TRUE(alice.handle_packet(at_ms(2), back));
}

TEST_F(SessionTest, APeerThatChangesItsSourceIsStillHeard) {
  Bytes first = next_packet();
  ASSERT_TRUE(bob.handle_packet(at_ms(0), first));
  Session again(config(keys.first, 0xaa), rng);
  std::vector<std::int16_t> out(960);
  for (int i = 0; i < 10; ++i) {
    again.capture(at_ms(20 * i), kFrame20);
    Bytes packet = *again.poll_packet();
    EXPECT_TRUE(bob.handle_packet(at_ms(20 * i), packet));
    bob.play(at_ms(20 * i), out);
  }
  EXPECT_EQ(bob.stats(at_ms(200)).packets_received, 10U) << "the count is of the new source";
  EXPECT_GT(bob.stats(at_ms(200)).frames_decoded, 5U);
}

TEST_F(SessionTest, ReportsComeAboutOncePerInterval) {
  EXPECT_EQ(alice.next_timeout(), kNever);
  alice.capture(at_ms(0), kFrame20);
  (void)alice.poll_packet();
  int reports = 0;
  for (Time now = at_ms(0); now < at_ms(60000); now = alice.next_timeout()) {
    alice.handle_timeout(now);
    while (auto packet = alice.poll_packet()) reports += is_rtcp(*packet) ? 1 : 0;
  }
  // Mean interval 1 s / 1.21828, RFC 3550 section 6.3.1.
  EXPECT_NEAR(reports, 60 * 1.21828, 12);
}

TEST_F(SessionTest, TheQueueOfPacketsIsBounded) {
  for (int i = 0; i < 200; ++i) alice.capture(at_ms(i * 20), kFrame20);
  int waiting = 0;
  while (alice.poll_packet()) ++waiting;
  EXPECT_EQ(waiting, 64);
  EXPECT_EQ(alice.stats(at_ms(4000)).packets_dropped, 136U);
}

TEST_F(SessionTest, NothingIsPlayedBeforeAnythingCameAndTheStartIsKnownToTheSample) {
  std::vector<std::int16_t> out(480, 7);
  EXPECT_EQ(bob.play(at_ms(0), out), 480U);
  EXPECT_EQ(out, std::vector<std::int16_t>(480));
  EXPECT_FALSE(bob.stats(at_ms(0)).play_start);
  Bytes packet = next_packet(5);
  ASSERT_TRUE(bob.handle_packet(at_ms(5), packet));
  std::size_t played = 0;
  for (double ms = 10; ms < 60; ms += 10) {
    const auto first = bob.play(at_ms(ms), out);
    if (first == out.size()) continue;
    if (played == 0) {
      EXPECT_EQ(*bob.stats(at_ms(ms)).play_start, at_ms(ms) + Duration{static_cast<std::int64_t>(first) * 1000 / 48});
    } else {
      EXPECT_EQ(first, 0U);
    }
    played += out.size() - first;
  }
  EXPECT_GE(played, 960U);
  EXPECT_EQ(bob.stats(at_ms(60)).first_voice, bob.stats(at_ms(60)).play_start);
  EXPECT_EQ(*alice.stats(at_ms(60)).record_start, at_ms(5) - std::chrono::milliseconds(20));
}

TEST_F(SessionTest, ClosingSaysGoodbyeOnceAndEndsEverything) {
  Bytes packet = next_packet();
  alice.close(at_ms(10));
  alice.close(at_ms(11));
  auto bye = alice.poll_packet();
  ASSERT_TRUE(bye);
  auto opener = *Srtp::inbound(keys.second.remote);
  const auto plain = opener.open_rtcp(*bye);
  ASSERT_TRUE(plain);
  const auto rtcp = parse_rtcp(*plain);
  ASSERT_TRUE(rtcp);
  EXPECT_EQ(rtcp->bye, std::vector<std::uint32_t>{0xa});
  EXPECT_EQ(rtcp->cname, "linnet");
  alice.capture(at_ms(20), kFrame20);
  EXPECT_FALSE(alice.poll_packet());
  EXPECT_EQ(alice.next_timeout(), kNever);
}

// Whatever a peer that holds the keys sends: no crash, memory bounded, the loudspeaker always filled.
TEST_F(SessionTest, AuthenticGarbageDoesNoHarm) {
  SeededRng chance(4);
  auto out = *Srtp::outbound(keys.first.local);
  std::vector<std::int16_t> block(480);
  for (int i = 0; i < 3000; ++i) {
    RtpHeader h;
    h.ssrc = 0xa;
    h.payload_type = 111;
    h.sequence = static_cast<std::uint16_t>(i + static_cast<int>(chance.below(40)));
    h.timestamp = chance.below(10) == 0 ? chance.u32() : static_cast<std::uint32_t>(i) * 960;
    Bytes payload(chance.below(90));
    chance.fill(payload);
    Bytes packet;
    write_rtp(packet, h, payload);
    if (!out.protect_rtp(packet)) continue;
    (void)bob.handle_packet(at_ms(i * 10), packet);
    bob.play(at_ms(i * 10), block);
  }
  EXPECT_GT(bob.stats(at_ms(30000)).packets_received, 500U);
}

}  // namespace
}  // namespace linnet::media
