#include "media/compare.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "media/resampler.h"
#include "media/signal.h"
#include "media/stoi.h"
#include "tests/media/voice.h"

namespace linnet::media {
namespace {

Audio delayed(int ms) {
  Audio out = speech();
  out.samples.insert(out.samples.begin(), static_cast<std::size_t>(ms * out.rate / 1000), std::int16_t{0});
  return out;
}

TEST(Compare, TheSameSignalIsPerfect) {
  const auto c = compare(speech(), speech());
  EXPECT_EQ(c.delay_ms, 0);
  EXPECT_NEAR(*c.stoi, 1, 1e-6);
  EXPECT_NEAR(c.correlation, 1, 1e-6);
  EXPECT_TRUE(c.gaps.empty());
  EXPECT_EQ(c.lost_ms, 0);
}

TEST(Compare, FindsTheDelayAndAddsTheOffsetOfTheRecording) {
  EXPECT_NEAR(*compare(speech(), delayed(137)).delay_ms, 137, 0.1);
  EXPECT_NEAR(*compare(speech(), delayed(137), -100).delay_ms, 37, 0.1);
  EXPECT_NEAR(*compare(delayed(50), speech()).delay_ms, -50, 0.1) << "the recording began after the speaking";
}

TEST(Compare, ToleratesAnotherRate) {
  const Audio at48{48000, resample(speech().samples, 16000, 48000)};
  const auto c = compare(speech(), at48);
  EXPECT_NEAR(*c.delay_ms, 0, 0.1);
  EXPECT_GT(*c.stoi, 0.999);
}

TEST(Compare, SeesAGapInSpeechAndMeasuresIt) {
  Audio heard = speech();
  // One second in, someone is speaking; 100 ms are cut out.
  std::fill_n(heard.samples.begin() + 16000, 1600, std::int16_t{0});
  const auto c = compare(speech(), heard);
  ASSERT_EQ(c.gaps.size(), 1U);
  EXPECT_NEAR(c.gaps[0].start_s, 1.0, 0.03);
  // A pause of the speaker next to the cut belongs to the gap.
  EXPECT_GE(c.gaps[0].length_ms, 90);
  EXPECT_LE(c.gaps[0].length_ms, 150);
  EXPECT_LT(*c.stoi, 0.999);
}

TEST(Compare, SaysWhenNothingOrSomethingElseWasHeard) {
  Audio silence{16000, std::vector<std::int16_t>(speech().samples.size())};
  EXPECT_TRUE(compare(speech(), silence).silent);
  SeededRng rng(1);
  for (auto& s : silence.samples) s = static_cast<std::int16_t>(rng.u32() % 8000);
  const auto noise = compare(speech(), silence);
  EXPECT_LT(noise.correlation, 0.2);
  EXPECT_LT(*noise.stoi, 0.4);
}

TEST(Compare, CountsSpeechAfterTheEndOfTheRecordingAsLost) {
  Audio cut = speech();
  cut.samples.resize(cut.samples.size() / 2);
  EXPECT_GT(compare(speech(), cut).lost_ms, 2000);
}

TEST(Compare, LeavesOutWhatTooShortASignalCannotTell) {
  Audio blip = speech();
  blip.samples.resize(3000);
  EXPECT_FALSE(compare(blip, blip).stoi);
  EXPECT_TRUE(compare({16000, {}}, {16000, {}}).silent);
}

TEST(Stoi, NoiseLowersIt) {
  const auto degraded = [](double level) {
    SeededRng rng(9);
    std::vector<double> clean, noisy;
    for (const auto s : speech().samples) {
      clean.push_back(s / 32768.0);
      noisy.push_back(s / 32768.0 + level * (rng.unit() - 0.5));
    }
    return *stoi(clean, noisy, 16000);
  };
  EXPECT_GT(degraded(0.01), degraded(0.1));
  EXPECT_GT(degraded(0.1), degraded(0.5));
  EXPECT_LT(degraded(2), 0.5);
}

TEST(Fft, AgreesWithTheDefinition) {
  SeededRng rng(2);
  std::vector<Complex> x(64);
  for (auto& v : x) v = {rng.unit(), rng.unit()};
  auto y = x;
  fft(y);
  for (std::size_t k = 0; k < x.size(); ++k) {
    Complex sum;
    for (std::size_t n = 0; n < x.size(); ++n)
      sum += x[n] * std::polar(1.0, -2 * 3.14159265358979323846 * static_cast<double>(k * n) / 64);
    EXPECT_NEAR(std::abs(sum - y[k]), 0, 1e-9);
  }
  fft(y, true);
  for (std::size_t n = 0; n < x.size(); ++n) EXPECT_NEAR(std::abs(x[n] - y[n]), 0, 1e-12);
}

TEST(Wav, BytesAndSamplesRoundTrip) {
  const Bytes bytes = serialise_wav(speech().samples, 16000);
  EXPECT_EQ(bytes.size(), 44 + 2 * speech().samples.size());
  const auto again = parse_wav(bytes);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->rate, 16000);
  EXPECT_EQ(again->samples, speech().samples);
}

Bytes stereo_wav(std::uint32_t rate, std::initializer_list<std::int16_t> interleaved) {
  const auto le = [](Bytes& out, std::uint32_t v, int n) {
    for (int i = 0; i < n; ++i) out.push_back(static_cast<std::uint8_t>(v >> (8 * i)));
  };
  Bytes out = copy(view("RIFF"));
  const auto data = static_cast<std::uint32_t>(interleaved.size() * 2);
  le(out, 36 + data, 4);
  append(out, view("WAVEfmt "));
  le(out, 16, 4);
  le(out, 1, 2);
  le(out, 2, 2);
  le(out, rate, 4);
  le(out, rate * 4, 4);
  le(out, 4, 2);
  le(out, 16, 2);
  append(out, view("data"));
  le(out, data, 4);
  for (const auto s : interleaved) le(out, static_cast<std::uint16_t>(s), 2);
  return out;
}

TEST(Wav, StereoBecomesTheMeanOfItsChannels) {
  const auto wav = parse_wav(stereo_wav(44100, {100, 300, -32768, -32768, 32767, 32767}));
  ASSERT_TRUE(wav);
  EXPECT_EQ(wav->rate, 44100);
  EXPECT_EQ(wav->samples, (std::vector<std::int16_t>{200, -32768, 32767}));
}

TEST(Wav, RefusesWhatIsNoWavAndRatesOutOfRange) {
  EXPECT_EQ(parse_wav(view("hello")).error(), Fault::malformed);
  EXPECT_EQ(parse_wav({}).error(), Fault::malformed);
  EXPECT_EQ(parse_wav(stereo_wav(4000, {0, 0})).error(), Fault::unsupported);
}

TEST(Wav, SurvivesEveryTruncationAndFlippedHeaderByte) {
  const Bytes good = stereo_wav(48000, {1, 2, 3, 4, 5, 6, 7, 8});
  for (std::size_t n = 0; n < good.size(); ++n) (void)parse_wav(ByteView(good).first(n));
  for (std::size_t i = 0; i < 44; ++i) {
    for (const int v : {0x00, 0x7f, 0x80, 0xff}) {
      Bytes bad = good;
      bad[i] = static_cast<std::uint8_t>(v);
      const auto wav = parse_wav(bad);
      if (wav) {
        EXPECT_LE(wav->samples.size(), 64U);
      }
    }
  }
}

TEST(WavSource, PlaysOnceThenSilence) {
  WavSource source({1, 2, 3});
  std::vector<std::int16_t> out(5, 9);
  source.read(out);
  EXPECT_EQ(out, (std::vector<std::int16_t>{1, 2, 3, 0, 0}));
  EXPECT_TRUE(source.ended());
}

TEST(WavSink, KeepsNoMoreThanItsBound) {
  WavSink sink(3);
  sink.write(std::vector<std::int16_t>{1, 2});
  sink.write(std::vector<std::int16_t>{3, 4});
  EXPECT_EQ(sink.samples(), (std::vector<std::int16_t>{1, 2, 3}));
  EXPECT_EQ(sink.dropped(), 1U);
}

TEST(ToneSource, HasTheFrequencyAndLevelAskedFor) {
  ToneSource tone(1000, -6);
  std::vector<std::int16_t> out(48000);
  tone.read(out);
  int crossings = 0;
  for (std::size_t i = 1; i < out.size(); ++i) crossings += out[i - 1] < 0 && out[i] >= 0 ? 1 : 0;
  EXPECT_NEAR(crossings, 1000, 1);
  EXPECT_NEAR(*std::max_element(out.begin(), out.end()), 32767 * 0.5012, 20);
}

}  // namespace
}  // namespace linnet::media
