// What is played in place of lost voice.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <numbers>

#include "media/opus_codec.h"
#include "media/playout.h"

namespace linnet::media {
namespace {

int peak_of(std::span<const std::int16_t> samples) {
  int out = 0;
  for (const int s : samples) out = std::max(out, std::abs(s));
  return out;
}

constexpr int kLongFrameMs = 60;
constexpr auto kLongSamples = static_cast<std::size_t>(kLongFrameMs) * kSamplesPerMs;

// A tone of 1 kHz at 6 kbit/s, at which Opus conceals it far louder than it was; each twelfth packet is lost.
struct Tone {
  void packet(std::uint32_t number) {
    std::vector<std::int16_t> in(kLongSamples);
    for (auto& s : in)
      s = static_cast<std::int16_t>(8000 * std::sin(2 * std::numbers::pi * 1000 * static_cast<double>(at++) / kRate));
    Bytes payload;
    EXPECT_TRUE(encoder.encode(in, payload));
    if (number % 12 == 11) return;
    playout.insert(now, number, number * static_cast<std::uint32_t>(kLongSamples), payload,
                   codecs.get(CodecKind::opus));
  }

  void play() {
    constexpr std::size_t kBefore = 20;  // blocks
    std::vector<std::int16_t> block(10 * kSamplesPerMs);
    for (int ms = 0; ms < kLongFrameMs; ms += 10, now += std::chrono::milliseconds(10)) {
      const auto concealed = playout.stats().concealed;
      playout.pull(now, block, codecs);
      const int loudest = peak_of(block);
      if (playout.stats().concealed > concealed) {
        conceal_peaks.push_back({loudest, *std::max_element(before.begin(), before.end())});
        continue;
      }
      before.push_back(loudest);
      if (before.size() > kBefore) before.pop_front();
    }
  }

  struct Peaks {
    int concealed = 0, before = 0;
  };
  OpusCodec encoder{{.bitrate = 6000}};
  CodecBank codecs{{}};
  Playout playout;
  Time now = Time{} + std::chrono::seconds(1);
  std::size_t at = 0;
  std::deque<int> before;
  std::vector<Peaks> conceal_peaks;
};

TEST(Concealment, IsNeverLouderThanWhatWasHeardBefore) {
  Tone tone;
  for (std::uint32_t i = 0; i < 96; ++i) {
    tone.packet(i);
    tone.play();
  }
  ASSERT_GT(tone.conceal_peaks.size(), 20U);
  int audible = 0;
  for (const auto& p : tone.conceal_peaks) {
    EXPECT_LE(p.concealed, p.before);
    audible += p.concealed > 2000 ? 1 : 0;
  }
  EXPECT_GT(audible, 20) << "nor is it silence";
}

}  // namespace
}  // namespace linnet::media
