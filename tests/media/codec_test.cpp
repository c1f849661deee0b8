#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "media/complexity.h"
#include "media/g711.h"
#include "media/opus_codec.h"
#include "media/quality.h"
#include "media/resampler.h"
#include "tests/media/echo_scene.h"
#include "tests/media/voice.h"

namespace linnet::media {
namespace {

// Encodes and decodes the speech, frame by frame; `lost(i)` says which packets do not arrive.
template <class Lost>
Audio through(Codec& codec, std::size_t frame, Lost lost, const Audio& said = speech()) {
  auto in = resample(said.samples, said.rate, kRate);
  in.resize((in.size() / frame + 2) * frame);
  Audio out{kRate, std::vector<std::int16_t>(in.size())};
  std::vector<Bytes> packets;
  for (std::size_t at = 0; at < in.size(); at += frame) {
    packets.emplace_back();
    EXPECT_TRUE(codec.encode(std::span(in).subspan(at, frame), packets.back()));
  }
  for (std::size_t i = 0; i < packets.size(); ++i) {
    const auto place = std::span(out.samples).subspan(i * frame, frame);
    if (!lost(i)) {
      EXPECT_EQ(codec.duration(packets[i]), frame);
      EXPECT_EQ(codec.decode(packets[i], place), frame);
    } else if (i + 1 >= packets.size() || lost(i + 1) || !codec.recover(packets[i + 1], place)) {
      codec.conceal(place);
    }
  }
  return out;
}

constexpr auto kNone = [](std::size_t) { return false; };
constexpr auto kEveryTenth = [](std::size_t i) { return i % 10 == 9; };

TEST(Opus, SpeechAt24KbitsStaysIntelligible) {
  OpusCodec codec({});
  EXPECT_GT(*compare(speech(), through(codec, 960, kNone)).stoi, 0.985);
}

TEST(Opus, SpeechStaysIntelligibleAtEachComplexityThatACallMayTake) {
  for (int level = Complexity::kLeast; level <= Complexity::kMost; ++level) {
    OpusCodec codec({.complexity = level});
    const auto stoi = *compare(speech(), through(codec, 960, kNone)).stoi;
    EXPECT_GT(stoi, 0.98) << level;
    RecordProperty("stoi_" + std::to_string(level), std::to_string(stoi));
  }
}

TEST(Opus, DelayIsTheLookaheadItStates) {
  OpusCodec codec({});
  EXPECT_NEAR(*compare(speech(), through(codec, 960, kNone)).delay_ms, codec.lookahead() / 48.0, 0.5);
}

TEST(Opus, EveryPacketHasTheSameLength) {
  OpusCodec codec({});
  const auto in = resample(speech().samples, speech().rate, kRate);
  std::set<std::size_t> sizes;
  Bytes packet;
  const std::vector<std::int16_t> silence(960);
  for (std::size_t i = 0; i < 100; ++i) {
    packet.clear();
    codec.encode(i % 3 == 0 ? std::span<const std::int16_t>(silence) : std::span(in).subspan(i * 960, 960), packet);
    sizes.insert(packet.size());
  }
  EXPECT_EQ(sizes, std::set<std::size_t>{60}) << "24 kbit/s for 20 ms";
}

constexpr std::size_t k60 = 2880, k120 = 5760;

// The project's own speech, made by a machine, does not tell the difference.
TEST(Opus, PacketsOf60And120MillisecondsCarryRecordedSpeechAsWellAsShortOnesOfTheSameRate) {
  const Bytes file = read_file(speech_folder() / "lv0890_16k.wav");
  if (file.empty()) GTEST_SKIP() << "no speech in " << speech_folder() << ": set LINNET_TEST_DATA";
  const auto said = *parse_wav(file);
  const auto stoi = [&said](int bitrate, std::size_t frame) {
    OpusCodec codec({.bitrate = bitrate});
    return *compare(said, through(codec, frame, kNone, said)).stoi;
  };
  EXPECT_GT(stoi(14000, k60), stoi(14000, 960) - 0.01);
  EXPECT_GT(stoi(10000, k120), stoi(10000, 1920) - 0.01);
}

TEST(Opus, LongPacketsAreOfOneLengthAndNeverOverTheRate) {
  const auto in = resample(speech().samples, speech().rate, kRate);
  for (const int bitrate : {6000, 6301, 9999, 14321, 24000}) {
    for (const std::size_t frame : {k60, k120}) {
      OpusCodec codec({.bitrate = bitrate});
      std::set<std::size_t> sizes;
      for (std::size_t at = 0; at + frame <= in.size(); at += frame) {
        Bytes packet;
        ASSERT_TRUE(codec.encode(std::span(in).subspan(at, frame), packet));
        EXPECT_EQ(codec.duration(packet), frame);
        sizes.insert(packet.size());
      }
      const std::size_t paid = static_cast<std::size_t>(bitrate) * frame / 8 / kRate;
      ASSERT_EQ(sizes.size(), 1U);
      EXPECT_EQ(*sizes.begin(), paid);
    }
  }
}

TEST(Opus, LongPacketsSurviveEveryChangeOfRateAndBand) {
  OpusCodec codec({});
  const auto in = resample(speech().samples, speech().rate, kRate);
  std::vector<std::int16_t> out(k120);
  SeededRng rng(1);
  for (std::size_t at = 0; at + k120 <= in.size(); at += k120) {
    codec.set_bitrate(6000 + static_cast<int>(rng.below(30000)));
    codec.set_expected_loss(static_cast<int>(rng.below(12)));
    for (const std::size_t frame : {k60, k120}) {
      Bytes packet;
      ASSERT_TRUE(codec.encode(std::span(in).subspan(at, frame), packet));
      ASSERT_EQ(codec.duration(packet), frame);
      EXPECT_EQ(codec.decode(packet, std::span(out).first(frame)), frame);
    }
  }
}

TEST(Opus, CarriesTheLostFrameInTheNextOneWhenThePeerReportsLoss) {
  OpusCodec quiet({}), warned({});
  warned.set_expected_loss(10);
  const auto in = resample(speech().samples, speech().rate, kRate);
  int copies_quiet = 0, copies_warned = 0;
  Bytes packet;
  for (std::size_t at = 0; at + 960 <= in.size(); at += 960) {
    packet.clear();
    quiet.encode(std::span(in).subspan(at, 960), packet);
    copies_quiet += quiet.has_recovery(packet) ? 1 : 0;
    packet.clear();
    warned.encode(std::span(in).subspan(at, 960), packet);
    copies_warned += warned.has_recovery(packet) ? 1 : 0;
  }
  EXPECT_EQ(copies_quiet, 0) << "no bits are spent where nothing is lost";
  EXPECT_GT(copies_warned, 200);
}

TEST(Opus, RecoveryBeatsConcealmentAloneAtTenPercentLoss) {
  OpusCodec with({}), without({.fec = false});
  with.set_expected_loss(10);
  const double recovered = *compare(speech(), through(with, 960, kEveryTenth)).stoi;
  const double concealed = *compare(speech(), through(without, 960, kEveryTenth)).stoi;
  EXPECT_GT(recovered, concealed);
  EXPECT_GT(recovered, 0.93);
}

TEST(Opus, RefusesGarbageWithoutHarm) {
  OpusCodec codec({});
  SeededRng rng(1);
  std::vector<std::int16_t> out(kMaxFrame);
  for (int i = 0; i < 2000; ++i) {
    Bytes garbage(rng.below(80));
    rng.fill(garbage);
    const auto n = codec.duration(garbage);
    ASSERT_LE(n, kMaxFrame);
    if (n > 0) (void)codec.decode(garbage, std::span(out).first(n));
    (void)codec.has_recovery(garbage);
    (void)codec.recover(garbage, std::span(out).first(960));
  }
}

// ITU-T G.711 tables 1 and 2: decision values at the ends of segments, both signs.
TEST(G711, CodesOfKnownLevels) {
  EXPECT_EQ(ulaw_encode(0), 0xff);
  EXPECT_EQ(ulaw_encode(32767), 0x80);
  EXPECT_EQ(ulaw_encode(-32768), 0x00);
  EXPECT_EQ(ulaw_decode(0xff), 0);
  EXPECT_EQ(ulaw_decode(0x80), 32124);
  EXPECT_EQ(ulaw_decode(0x00), -32124);
  EXPECT_EQ(alaw_encode(0), 0xd5);
  EXPECT_EQ(alaw_encode(32767), 0xaa);
  EXPECT_EQ(alaw_encode(-32768), 0x2a);
  EXPECT_EQ(alaw_decode(0xd5), 8);
  EXPECT_EQ(alaw_decode(0xaa), 32256);
  EXPECT_EQ(alaw_decode(0x2a), -32256);
}

TEST(G711, DecodingThenEncodingGivesEveryCodeBack) {
  for (int code = 0; code < 256; ++code) {
    const auto c = static_cast<std::uint8_t>(code);
    EXPECT_EQ(alaw_encode(alaw_decode(c)), c);
    // mu-law has two zeros; the negative one comes back as the positive.
    EXPECT_EQ(ulaw_encode(ulaw_decode(c)), c == 0x7f ? 0xff : c);
  }
}

class G711Laws : public testing::TestWithParam<CodecKind> {};
INSTANTIATE_TEST_SUITE_P(Both, G711Laws, testing::Values(CodecKind::pcmu, CodecKind::pcma),
                         [](const auto& each) { return std::string(encoding_name(each.param)); });

TEST_P(G711Laws, SpeechStaysIntelligible) {
  G711Codec codec(GetParam());
  const auto c = compare(speech(), through(codec, 960, kNone));
  EXPECT_GT(*c.stoi, 0.97);
  EXPECT_NEAR(*c.delay_ms, codec.lookahead() / 48.0, 1.0);
}

TEST_P(G711Laws, ConcealmentKeepsSpeechIntelligibleAtTenPercentLoss) {
  G711Codec codec(GetParam());
  EXPECT_GT(*compare(speech(), through(codec, 960, kEveryTenth)).stoi, 0.9);
}

TEST(Quality, FollowsTheEModel) {
  // G.107: R 93.2 is MOS 4.41; G.711 with concealment at 5 % random loss has Ie-eff 95 * 5 / 30.1.
  EXPECT_NEAR(rating({}), 93.2, 1e-9);
  EXPECT_NEAR(mos(93.2), 4.41, 0.005);
  EXPECT_NEAR(rating({.codec = CodecKind::pcmu, .loss_pct = 5}), 93.2 - 95.0 * 5 / 30.1, 1e-9);
  EXPECT_NEAR(mos(50), 2.58, 0.005);
  EXPECT_EQ(mos(0), 1.0);
  // Delay: nothing up to 100 ms; G.107's curve gives about 3.2 for 200 ms by Idd alone.
  EXPECT_EQ(rating({.one_way_ms = 100}), rating({}));
  EXPECT_NEAR(93.2 - rating({.one_way_ms = 200}),
              25 * (std::pow(2, 1.0 / 6) - 3 * std::pow(1 + std::pow(1.0 / 3, 6), 1.0 / 6) + 2), 1e-9);
  EXPECT_LT(rating({.one_way_ms = 400}), rating({.one_way_ms = 200}));
}

TEST(Resampler, ThereAndBackKeepsASignalInPlace) {
  const auto up = resample(speech().samples, 16000, 48000);
  const auto back = resample(up, 48000, 16000);
  ASSERT_EQ(back.size(), speech().samples.size());
  double error = 0, energy = 0;
  for (std::size_t i = 0; i < back.size(); ++i) {
    error += std::pow(back[i] - speech().samples[i], 2);
    energy += std::pow(speech().samples[i], 2);
  }
  EXPECT_GT(10 * std::log10(energy / error), 20) << "dB; a shift by one sample would give less";
}

}  // namespace
}  // namespace linnet::media
