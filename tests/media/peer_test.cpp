// What a peer may do with its stream in a long call: wrap its numbers, change its source, fall silent, drift. Crafted
// packets of G.711 in the clear, so that an hour costs seconds.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <numbers>

#include "media/codec.h"
#include "media/rtp.h"
#include "tests/media/voice.h"

namespace linnet::media {
namespace {

constexpr PayloadType kPcmu{0, CodecKind::pcmu};
constexpr int kFrameMs = 20;

std::vector<std::int16_t> tone(int ms, int amplitude, double hz, int rate) {
  std::vector<std::int16_t> out(static_cast<std::size_t>(ms * rate / 1000));
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = static_cast<std::int16_t>(amplitude * std::sin(2 * std::numbers::pi * hz * static_cast<double>(i) / rate));
  return out;
}

int peak(const std::vector<std::int16_t>& samples) {
  int out = 0;
  for (const int x : samples) out = std::max(out, std::abs(x));
  return out;
}

// Its stream, and who listens to it on a device of 10 ms.
struct Peer {
  Peer() : codec(make_codec(CodecKind::pcmu, {})), listener(config(), rng) {}

  static SessionConfig config() {
    SessionConfig out;
    out.security = PlainRtp{};
    out.send = kPcmu;
    out.receive = {kPcmu};
    return out;
  }

  Bytes packet() {
    payload.clear();
    EXPECT_TRUE(codec->encode(voice, payload));
    Bytes out;
    write_rtp(out, header, payload);
    ++header.sequence;
    header.timestamp += kFrameMs * 8;
    header.marker = false;
    return out;
  }
  void send(double ms, Bytes bytes) { EXPECT_TRUE(listener.handle_packet(at_ms(ms), bytes)); }
  void skip() { header.timestamp += kFrameMs * 8; }

  // What is heard in the 20 ms from `ms` on.
  void listen(double ms) {
    for (int half = 0; half < 2; ++half) {
      std::vector<std::int16_t> block(480);
      listener.play(at_ms(ms + 10 * half), block);
      heard.insert(heard.end(), block.begin(), block.end());
    }
  }
  // Silent 10 ms blocks after the first loud one.
  int silent_blocks() const {
    int out = 0;
    bool begun = false;
    for (std::size_t at = 0; at + 480 <= heard.size(); at += 480) {
      const bool loud = peak({heard.begin() + static_cast<std::ptrdiff_t>(at),
                              heard.begin() + static_cast<std::ptrdiff_t>(at) + 480}) > 500;
      begun = begun || loud;
      out += begun && !loud ? 1 : 0;
    }
    return out;
  }
  Stats stats(double ms) const { return listener.stats(at_ms(ms)); }

  SeededRng rng{1};
  std::unique_ptr<Codec> codec;
  Session listener;
  RtpHeader header;
  std::vector<std::int16_t> voice = tone(kFrameMs, 8000, 200, kRate);
  Bytes payload;
  std::vector<std::int16_t> heard;
};

TEST(Peer, IsHeardOnWhenItsSequenceAndItsTimestampWrap) {
  Peer p;
  p.header.sequence = 65'500;
  p.header.timestamp = 0xffff'ffffU - 60 * kFrameMs * 8;  // 24 packets after the sequence
  Bytes held;
  for (int i = 0; i < 200; ++i) {
    const double ms = i * kFrameMs;
    Bytes packet = p.packet();
    // Around both wraps each second packet is overtaken, and each third comes twice.
    if (i % 2 == 0) {
      held = packet;
    } else {
      p.send(ms, packet);
      p.send(ms, held);
    }
    if (i % 3 == 0) p.send(ms, packet);
    p.listen(ms);
  }
  const auto s = p.stats(4000);
  EXPECT_EQ(s.packets_received, 200U);
  EXPECT_EQ(s.packets_lost, 0U);
  EXPECT_GE(s.frames_decoded, 195U);
  EXPECT_LE(s.concealed_ms, 40) << "until the order is known to be so";
  EXPECT_EQ(p.silent_blocks(), 0);
}

TEST(Peer, IsHeardOnWhenItChangesItsSource) {
  Peer p;
  for (int i = 0; i < 150; ++i) {
    if (i == 50 || i == 100) {  // another device, another mixer: nothing of its numbers follows
      p.header.ssrc += 1000;
      p.header.sequence = static_cast<std::uint16_t>(p.rng.u32());
      p.header.timestamp = p.rng.u32();
    }
    p.send(i * kFrameMs, p.packet());
    p.listen(i * kFrameMs);
  }
  EXPECT_LE(p.silent_blocks(), 4) << "two starts of 10 ms of margin and what was waiting";
  EXPECT_GE(p.stats(3000).frames_decoded, 145U);
  EXPECT_EQ(p.stats(3000).packets_refused, 0U);
}

TEST(Peer, ThatStopsWithoutAWordIsHeardAtOnceWhenItGoesOn) {
  for (const bool counts_on : {true, false}) {  // its timestamp, while it is away
    Peer p;
    double ms = 0;
    for (int i = 0; i < 100; ++i, ms += kFrameMs) {
      p.send(ms, p.packet());
      p.listen(ms);
    }
    const auto before = p.stats(ms);
    for (int i = 0; i < 500; ++i, ms += kFrameMs) {
      if (counts_on) p.skip();
      p.listen(ms);
    }
    p.heard.clear();
    for (int i = 0; i < 100; ++i, ms += kFrameMs) {
      p.send(ms, p.packet());
      p.listen(ms);
    }
    const auto after = p.stats(ms);
    EXPECT_GE(after.frames_decoded - before.frames_decoded, 98U);
    EXPECT_NEAR(*after.playout_delay_ms, *before.playout_delay_ms, 8);
    EXPECT_EQ(p.silent_blocks(), 0);
    EXPECT_EQ(after.packets_lost, 0U);
  }
}

// Discontinuous transmission: nothing but a packet now and then while nobody speaks; sequence numbers follow on.
TEST(Peer, ThatSendsNothingInPausesIsNeitherLostNorLate) {
  Peer p;
  double ms = 0;
  std::uint64_t sent = 0;
  for (int i = 0; i < 1530; ++i, ms += kFrameMs) {  // ends in a spurt
    const int in_spurt = i % 100;
    if (in_spurt < 50 || in_spurt % 20 == 0) {
      p.header.marker = in_spurt == 0;
      p.send(ms, p.packet());
      ++sent;
    } else {
      p.skip();
    }
    p.listen(ms);
  }
  const auto s = p.stats(ms);
  EXPECT_GE(s.frames_decoded + 2, sent);
  EXPECT_EQ(s.packets_lost, 0U);
  EXPECT_EQ(s.packets_late, 0U);
  EXPECT_EQ(s.max_gap_ms, 0) << "a pause is no gap";
  EXPECT_EQ(s.concealed_ms, 0);
  EXPECT_LE(*s.playout_delay_ms, 25);
}

class Drift : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(PartsPerMillion, Drift, testing::Values(200, -200), [](const auto& each) {
  return (each.param < 0 ? "slow" : "fast") + std::to_string(std::abs(each.param));
});

// An hour of it is 720 ms at 200 ppm. The speaker pauses each second sentence, as people do.
TEST_P(Drift, OfAnHourLeavesTheDelayWhereItWas) {
  Peer p;
  const double step = kFrameMs * (1 - GetParam() * 1e-6);
  const auto silence = std::vector<std::int16_t>(p.voice.size());
  const auto voice = p.voice;
  double theirs = 0, ours = 0, most = 0, least = 1000;
  while (ours < 3'600'000) {
    for (; theirs <= ours; theirs += step) {
      p.voice = static_cast<int>(theirs / 1000) % 4 == 3 ? silence : voice;
      p.send(theirs, p.packet());
    }
    p.listen(ours);
    p.heard.clear();
    ours += kFrameMs;
    if (ours < 60'000) continue;
    most = std::max(most, *p.stats(ours).playout_delay_ms);
    least = std::min(least, *p.stats(ours).playout_delay_ms);
  }
  const auto s = p.stats(ours);
  EXPECT_LE(most, 60);
  EXPECT_GE(least, 0);
  EXPECT_LE(most - least, 45);
  EXPECT_EQ(s.packets_late, 0U);
  EXPECT_LE(s.concealed_ms, 800);
  if (GetParam() >= 200) {
    EXPECT_GE(s.accelerated_ms, 500);
  }
}

}  // namespace
}  // namespace linnet::media
