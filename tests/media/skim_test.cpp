// Session::skim: a playout that goes on in time while nobody listens.
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "media/resampler.h"
#include "media/session.h"
#include "tests/media/voice.h"

namespace linnet::media {
namespace {

SessionConfig in_the_clear(CodecKind codec) {
  SessionConfig c;
  c.security = PlainRtp{};
  c.send = {usual_payload_type(codec), codec};
  c.receive = {c.send};
  c.adapt = false;
  return c;
}

// A millisecond of the stream is one step of the sample's value: what is heard says where in the stream it is. With
// pauses, in which a listener's playout changes its delay.
std::vector<std::int16_t> staircase(std::size_t samples) {
  std::vector<std::int16_t> out(samples);
  for (std::size_t i = 0; i < samples; ++i)
    out[i] = static_cast<std::int16_t>(i / 48 % 500 < 60 ? 0 : 1000 + i / 48 % 30000);
  return out;
}

struct Way {
  double delay_ms = 30, jitter_ms = 0, loss = 0;
};

// What arrives, and when, of a stream that begins at 0 ms.
std::multimap<double, Bytes> sent_over(const Way& way, CodecKind codec, std::span<const std::int16_t> said,
                                       std::uint64_t seed) {
  SeededRng rng(seed);
  Session from(in_the_clear(codec), rng);
  std::multimap<double, Bytes> out;
  for (std::size_t at = 0; at + 480 <= said.size(); at += 480) {
    const double ms = static_cast<double>(at) / 48 + 10;
    from.capture(at_ms(ms), said.subspan(at, 480));
    while (auto packet = from.poll_packet()) {
      const double arrives = ms + way.delay_ms + rng.unit() * way.jitter_ms;
      if (rng.unit() >= way.loss) out.emplace(arrives, std::move(*packet));
    }
  }
  return out;
}

// One end that listens; `now_ms` is its loudspeaker's time.
struct Listener {
  Listener(CodecKind codec, const std::multimap<double, Bytes>& packets)
      : rng(7), session(in_the_clear(codec), rng), arriving(packets) {}

  void take() {
    while (!arriving.empty() && arriving.begin()->first <= now_ms) {
      (void)session.handle_packet(at_ms(now_ms), arriving.begin()->second);
      arriving.erase(arriving.begin());
    }
  }
  std::vector<std::int16_t> play(std::size_t samples) {
    take();
    std::vector<std::int16_t> out(samples);
    session.play(at_ms(now_ms), out);
    now_ms += static_cast<double>(samples) / 48;
    return out;
  }
  void skim(std::size_t samples) {
    take();
    session.skim(at_ms(now_ms), samples);
    now_ms += static_cast<double>(samples) / 48;
  }
  Stats stats() const { return session.stats(at_ms(now_ms)); }

  SeededRng rng;
  Session session;
  std::multimap<double, Bytes> arriving;
  double now_ms = 0;
};

constexpr std::size_t kFade = 120;  // samples a voice takes to come back

TEST(Skim, DropsEachFrameAtItsTimeAndDecodesNone) {
  Listener bob(CodecKind::opus, sent_over({}, CodecKind::opus, staircase(48000), 1));
  for (int i = 0; i < 120; ++i) bob.skim(480);
  const auto stats = bob.stats();
  EXPECT_EQ(stats.packets_received, 50U);
  EXPECT_EQ(stats.frames_skimmed, 50U);
  EXPECT_EQ(stats.frames_decoded, 0U);
  EXPECT_EQ(stats.frames_concealed, 0U);
  EXPECT_EQ(stats.packets_late, 0U);
  EXPECT_FALSE(stats.play_start) << "nothing was heard";
  EXPECT_FALSE(stats.heard_dbfs) << "nobody knows how loud it was";
}

TEST(Skim, WaitingSoundStaysBoundedAndFreshWhileNobodyListens) {
  Listener bob(CodecKind::opus, sent_over({30, 40, 0.02}, CodecKind::opus, staircase(48000 * 20), 2));
  double longest = 0;
  for (int i = 0; i < 1990; ++i) {
    bob.skim(480);
    longest = std::max(longest, bob.stats().playout_delay_ms.value_or(0));
  }
  EXPECT_LT(longest, 80);
  EXPECT_GT(bob.stats().frames_skimmed, 950U);
}

// Two listeners to one stream, of which one hears only pieces of it.
struct Two {
  Two(CodecKind codec, const std::multimap<double, Bytes>& packets) : always(codec, packets), pieces(codec, packets) {}

  // `blocks` pulls of `block` samples. Squares of the error and of what should have been heard are added up, but for
  // the samples a voice takes to come back.
  void run(std::size_t block, std::uint64_t blocks, bool heard) {
    for (std::size_t from = kFade; blocks > 0; --blocks, from = 0) {
      const auto want = always.play(block);
      if (!heard) {
        pieces.skim(block);
        continue;
      }
      const auto got = pieces.play(block);
      for (std::size_t i = from; i < block; ++i) {
        error += std::pow(got[i] - want[i], 2);
        energy += std::pow(want[i], 2);
      }
    }
  }

  Listener always, pieces;
  double error = 0, energy = 0;
};

// On a steady path, when the delay of both has settled: at any sample, whatever pieces are skimmed.
void expect_the_same_sound(CodecKind codec, std::span<const std::int16_t> said, double error) {
  const auto packets = sent_over({}, codec, said, 3);
  const double end = static_cast<double>(said.size()) / 48 - 1000;
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    SeededRng chance(seed);
    Two two(codec, packets);
    const std::size_t block = 1 + kFade + chance.below(900);
    two.run(block, 48 * 4000 / block, true);
    ASSERT_EQ(two.error, 0);
    const auto before = two.always.stats();
    for (bool heard = false; two.always.now_ms < end; heard = !heard) two.run(block, 1 + chance.below(40), heard);
    EXPECT_LE(two.error, two.energy * error) << seed << " " << 10 * std::log10(two.error / two.energy) << " dB";
    const auto all = two.always.stats(), some = two.pieces.stats();
    ASSERT_EQ(all.accelerated_ms + all.expanded_ms + all.concealed_ms,
              before.accelerated_ms + before.expanded_ms + before.concealed_ms)
        << "the path was not steady" << seed << " " << block;
    EXPECT_GT(some.frames_skimmed, 50U);
    EXPECT_GT(some.frames_decoded, 50U);
    EXPECT_EQ(some.frames_decoded + some.frames_skimmed, all.frames_decoded) << "each frame has one fate";
    EXPECT_EQ(some.concealed_ms, all.concealed_ms);
    EXPECT_EQ(some.max_gap_ms, all.max_gap_ms);
  }
}

TEST(Skim, LinearSoundIsHeardAsIfNothingHadBeenSkimmed) {
  expect_the_same_sound(CodecKind::l16, staircase(48000 * 9), 0);
}

TEST(Skim, G711IsHeardAsIfNothingHadBeenSkimmed) {
  expect_the_same_sound(CodecKind::pcmu, resample(speech().samples, speech().rate, kRate), 1e-6);
}

TEST(Skim, OpusIsHeardAsIfNothingHadBeenSkimmed) {
  expect_the_same_sound(CodecKind::opus, resample(speech().samples, speech().rate, kRate), 0.01);
}

// Jitter and loss: both adapt, one by stretching what is heard, the other at once. Neither drifts away from the other,
// and nothing is missed for having been skimmed.
TEST(Skim, TheDelayStaysWithThatOfAListenerOnARoughPath) {
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    SeededRng chance(seed);
    const Way way{30, 60 * chance.unit(), 0.05 * chance.unit()};
    Two two(CodecKind::l16, sent_over(way, CodecKind::l16, staircase(48000 * 29), 100 + seed));
    double apart = 0;
    int compared = 0;
    for (bool heard = false; two.always.now_ms < 28'000; heard = !heard) {
      two.run(480, 1 + chance.below(60), heard);
      const auto want = two.always.play(480), got = two.pieces.play(480);
      // What is concealed fades or runs backward: only what both hear for certain is compared.
      if (want[479] - want[0] < 9 || got[479] - got[0] < 9 || want[479] - want[0] > 11 || got[479] - got[0] > 11)
        continue;
      ++compared;
      apart = std::max(apart, std::abs(static_cast<double>(want[479] - got[479])));
    }
    EXPECT_GT(compared, 10) << seed;
    EXPECT_LT(apart, 25) << seed << ": ms";
    const auto all = two.always.stats(), some = two.pieces.stats();
    EXPECT_LE(some.concealed_ms, all.concealed_ms) << seed;
    EXPECT_LE(*some.max_gap_ms, *all.max_gap_ms + 10) << seed;
    EXPECT_LE(some.packets_late, all.packets_late + 3) << seed;
  }
}

TEST(Skim, AVoiceComesBackFromSilenceWithoutAClickAndWithoutItsFirstWordCut) {
  const auto packets = sent_over({}, CodecKind::l16, std::vector<std::int16_t>(48000 * 4, 20000), 5);
  Listener bob(CodecKind::l16, packets);
  for (int i = 0; i < 200; ++i) bob.skim(480);
  const auto out = bob.play(480);
  EXPECT_EQ(out[0], 0);
  for (std::size_t i = 1; i < out.size(); ++i) EXPECT_LE(std::abs(out[i] - out[i - 1]), 400) << i;
  EXPECT_GT(std::count(out.begin(), out.end(), 20000), 300) << "after 2.5 ms it is all there";
  EXPECT_EQ(*bob.stats().play_start, at_ms(2000)) << "to the sample";
}

TEST(Skim, AGapIsWhatSomebodyMissed) {
  auto packets = sent_over({}, CodecKind::opus, resample(speech().samples, speech().rate, kRate), 6);
  // 300 ms are lost.
  packets.erase(packets.lower_bound(3000), packets.lower_bound(3300));
  Listener unheard(CodecKind::opus, packets), heard(CodecKind::opus, packets);
  for (auto* bob : {&unheard, &heard}) {
    while (bob->now_ms < 2500) (void)bob->play(480);
    while (bob->now_ms < 4000) bob == &heard ? (void)bob->play(480) : bob->skim(480);
    while (bob->now_ms < 6000) (void)bob->play(480);
  }
  EXPECT_GT(*heard.stats().max_gap_ms, 200);
  EXPECT_EQ(unheard.stats().max_gap_ms, 0);
  EXPECT_EQ(unheard.stats().concealed_ms, 0);
}

TEST(Skim, SoundThatIsMissingWhenSomebodyListensIsAGapAgain) {
  auto packets = sent_over({}, CodecKind::opus, resample(speech().samples, speech().rate, kRate), 6);
  packets.erase(packets.lower_bound(3000), packets.lower_bound(3300));
  Listener bob(CodecKind::opus, packets);
  while (bob.now_ms < 2000) bob.skim(480);
  while (bob.now_ms < 6000) (void)bob.play(480);
  EXPECT_GT(*bob.stats().max_gap_ms, 200);
  EXPECT_GT(bob.stats().frames_concealed, 10U);
}

TEST(Skim, AnotherSourceAndSilenceOfTheFirstAreTakenAsByAListener) {
  auto packets = sent_over({}, CodecKind::l16, staircase(48000 * 2), 8);
  auto later = sent_over({}, CodecKind::l16, staircase(48000 * 4), 9);
  for (auto& [ms, packet] : later) packets.emplace(ms + 5000, packet);
  Two two(CodecKind::l16, packets);
  two.run(480, 300, false);  // the first source ends, and three seconds of nothing
  two.run(480, 430, false);
  two.run(480, 60, true);
  EXPECT_EQ(two.error, 0);
  EXPECT_GT(two.energy, 0);
}

// Whatever order of packets, pulls and skims: the loudspeaker is filled, memory bounded, each packet has one fate.
TEST(Skim, AnyOrderOfEventsDoesNoHarm) {
  const auto said = resample(speech().samples, speech().rate, kRate);
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    SeededRng chance(seed);
    const auto codec = static_cast<CodecKind>(chance.below(kCodecKinds));
    Listener bob(codec, sent_over({10, 300 * chance.unit(), 0.3 * chance.unit()}, codec, said, 100 + seed));
    while (bob.now_ms < 9000) {
      const std::size_t block = 1 + chance.below(3000);
      switch (chance.below(8)) {
        case 0: bob.now_ms += 300 * chance.unit(); break;  // nobody pulls
        case 1: bob.session.set_receiving(chance.below(3) != 0); break;
        case 2:
        case 3:
        case 4: bob.skim(block); break;
        default: EXPECT_EQ(bob.play(block).size(), block);
      }
    }
    const auto stats = bob.stats();
    EXPECT_LE(stats.frames_decoded + stats.frames_skimmed + stats.packets_late, stats.packets_received) << seed;
  }
}

}  // namespace
}  // namespace linnet::media
