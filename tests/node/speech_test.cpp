// Real speech through whole nodes: heard against said.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "checkout.h"
#include "media/compare.h"
#include "town.h"

namespace linnet::node {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::optional<media::Audio> speech() {
  const auto* from = std::getenv("LINNET_TEST_DATA");
  const std::string folder = from != nullptr ? from : std::string(LINNET_SOURCE_DIR) + "/../shared/data";
  std::ifstream file(folder + "/speech/lv0870_16k.wav", std::ios::binary);
  if (!file) return std::nullopt;
  const Bytes bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  auto audio = media::parse_wav(bytes);
  if (!audio) return std::nullopt;
  return *audio;
}

media::Audio at_48k(const media::Audio& audio) {
  media::WavSource source(audio.samples, audio.rate);
  media::Audio out;
  out.rate = 48000;
  out.samples.resize(source.size());
  source.read(out.samples);
  return out;
}

struct HeardSpeech {
  media::Comparison comparison;
  CallSummary caller, callee;
};

// A call in which the caller says the speech; the figures of both ends.
std::optional<HeardSpeech> call_with(Town& town, const media::Audio& said) {
  town.build();
  auto& alice = town.add("alice@a.example");
  auto& bob = town.add("bob@b.example");
  if (!town.all_online()) return std::nullopt;
  alice.says = said.samples;
  bob.answers = true;
  const auto length = milliseconds(static_cast<std::int64_t>(said.samples.size()) / 48 + 500);
  town.call(alice, "bob@b.example", length);
  if (!town.run_until([&] { return bob.summary() != nullptr; }, length + seconds(10))) return std::nullopt;
  HeardSpeech out{{}, *alice.summary(), *bob.summary()};
  const auto offset = millis(*out.callee.play_start - *out.caller.record_start);
  out.comparison = media::compare(said, {48000, bob.heard}, offset);
  return out;
}

TEST(Speech, IsHeardAsItWasSaid) {
  const auto audio = speech();
  if (!audio) GTEST_SKIP() << "no speech: set LINNET_TEST_DATA";
  Town town;
  const auto heard = call_with(town, at_48k(*audio));
  ASSERT_TRUE(heard);
  ASSERT_TRUE(heard->comparison.stoi);
  EXPECT_GE(*heard->comparison.stoi, 0.95);
  EXPECT_TRUE(heard->comparison.gaps.empty());
  ASSERT_TRUE(heard->comparison.delay_ms);
  EXPECT_LE(*heard->comparison.delay_ms, 80);
  ASSERT_TRUE(heard->callee.max_gap_ms);
  EXPECT_EQ(*heard->callee.max_gap_ms, 0);
  RecordProperty("stoi", std::to_string(*heard->comparison.stoi));
  RecordProperty("mouth_to_ear_ms", std::to_string(*heard->comparison.delay_ms));
}

TEST(Speech, IsUnderstoodThroughFivePercentLoss) {
  const auto audio = speech();
  if (!audio) GTEST_SKIP() << "no speech: set LINNET_TEST_DATA";
  Town town;
  town.loss = 0.05;
  const auto heard = call_with(town, at_48k(*audio));
  ASSERT_TRUE(heard);
  ASSERT_TRUE(heard->comparison.stoi);
  EXPECT_GE(*heard->comparison.stoi, 0.85);
  ASSERT_TRUE(heard->callee.loss_pct);
  EXPECT_NEAR(*heard->callee.loss_pct, 5, 4);
}

}  // namespace
}  // namespace linnet::node
