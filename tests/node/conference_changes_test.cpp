// What changes in a conference while one speaks: who mixes, by will and by death, and who talks. What the listeners
// missed of it is measured.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <deque>

#include "conference_spoken.h"

namespace linnet::node {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Words whose pitch says where in them one is: 400 Hz at the beginning, 2.5 more with each ms.
constexpr double kLowest = 400, kRise = 2.5;
constexpr int kWordMs = 800, kPauseMs = 200, kHopMs = 5;

std::vector<std::int16_t> rising_words() {
  std::vector<std::int16_t> out;
  double phase = 0;
  for (int ms = 0; ms < 60'000; ++ms) {
    const int in_word = ms % (kWordMs + kPauseMs);
    for (int i = 0; i < 48; ++i) {
      phase += 2 * 3.14159265358979 * (kLowest + kRise * (in_word + i / 48.0)) / 48000;
      out.push_back(in_word < kWordMs ? static_cast<std::int16_t>(8000 * std::sin(phase)) : std::int16_t{0});
    }
  }
  return out;
}

// Where in a word each hop of 5 ms is, in ms, by the times at which it rises through zero; nothing where it is not loud
// all the time.
std::vector<std::optional<double>> positions(const std::vector<std::int16_t>& heard) {
  constexpr std::size_t kHop = kHopMs * 48, kHops = 3;
  std::vector<std::optional<double>> out;
  for (std::size_t at = 0; at + kHops * kHop + 1 <= heard.size(); at += kHop) {
    double first = 0, last = 0;
    int crossings = 0;
    std::array<int, kHops> peaks{};
    for (std::size_t i = 0; i < kHops * kHop; ++i) {
      const double now = heard[at + i], next = heard[at + i + 1];
      peaks[i / kHop] = std::max(peaks[i / kHop], std::abs(static_cast<int>(heard[at + i])));
      if (now >= 0 || next < 0) continue;
      last = static_cast<double>(i) - now / (next - now);
      if (crossings++ == 0) first = last;
    }
    const bool loud = *std::min_element(peaks.begin(), peaks.end()) >= 3000;
    out.emplace_back();
    if (loud && crossings >= 4) out.back() = ((crossings - 1) / (last - first) * 48000 - kLowest) / kRise;
  }
  return out;
}

// What is missing of words, and what is heard twice, at one place and in ms: a word moves on with the clock.
struct Missed {
  double cut = 0, again = 0, quiet = 0;
};
Missed missed(const std::vector<std::int16_t>& heard) {
  constexpr std::size_t kApart = 12, kSteady = 4;  // hops
  const auto at = positions(heard);
  Missed out;
  double quiet = 0;
  std::optional<double> last;
  std::deque<double> skips;  // at the edge of a word one hop may be wrong; what is skipped shows in many
  for (std::size_t i = 0; i < at.size(); ++i) {
    if (at[i]) last = at[i];
    // Within a word: after its beginning was heard, and before its end could be.
    quiet = at[i] || !last || *last > kWordMs - 60 ? 0 : quiet + kHopMs;
    out.quiet = std::max(out.quiet, quiet);
    if (i < kApart || !at[i] || !at[i - kApart] || *at[i] < *at[i - kApart] - 100) {
      skips.clear();
      continue;
    }
    skips.push_back(*at[i] - *at[i - kApart] - kApart * kHopMs);
    if (skips.size() > kSteady) skips.pop_front();
    if (skips.size() < kSteady) continue;
    out.cut = std::max(out.cut, *std::min_element(skips.begin(), skips.end()));
    out.again = std::max(out.again, -*std::max_element(skips.begin(), skips.end()));
  }
  return out;
}

struct ConferenceChange : SpokenConference {
  void gather(std::size_t listeners) {
    mixer = &person("mixer", 0, 100);
    speaker = &person("speaker", 0, 90);
    speaker->says = speech();
    for (std::size_t i = 0; i < listeners; ++i)
      person("listener" + std::to_string(i), 0, 80 - static_cast<std::uint32_t>(i));
    begin(2 + listeners);
  }
  Resident& join(const std::string& name, std::uint32_t mixes) {
    auto& who = person(name);
    EXPECT_TRUE(town.all_online());
    ConferenceMeans means_of;
    means_of.mixes = mixes;
    who.node->set_conference_means(town.now(), means_of);
    town.tell(who, command::JoinConference{speaker->name, {}});
    return who;
  }
  std::set<const Resident*> listeners() const {
    std::set<const Resident*> out;
    for (const auto* who : all)
      if (who->name.find("listener") == 0 && who->alive) out.insert(who);
    return out;
  }
  bool mixed_by(const Resident& who) const {
    return std::all_of(all.begin(), all.end(),
                       [&](const Resident* r) { return !r->alive || (view(*r) && view(*r)->mixer == who.name); });
  }
  // By the positions of what was heard in what was said. What a jitter buffer takes in or gives back is some ms at a
  // time.
  void expect_no_gap() const {
    for (const auto* ear : listeners()) {
      const auto is = missed(ear->heard);
      std::printf("  %s: cut %.0f ms, again %.0f ms, quiet %.0f ms\n", ear->name.c_str(), is.cut, is.again, is.quiet);
      EXPECT_LE(is.quiet, 20) << ear->name << " seed " << GetParam();
      EXPECT_LE(is.cut, 20) << ear->name << " seed " << GetParam();
      EXPECT_LE(is.again, 80) << ear->name << " seed " << GetParam();
    }
  }
  void speak_in_rising_words() {
    speaker->says = rising_words();
    speaker->said = 0;
    town.run_for(milliseconds(2000));
    forget_sound();
  }
};

TEST_P(ConferenceChange, HandingOverIsNotHeard) {
  gather(2);
  speak_in_rising_words();
  town.run_for(milliseconds(rng.below(500)));
  auto& strong = join("strong", 400);
  ASSERT_TRUE(town.run_until([&] { return mixed_by(strong); }, seconds(10))) << told();
  town.run_for(seconds(2));
  expect_no_gap();
  EXPECT_TRUE(gathered(5)) << told();
}

TEST_P(ConferenceChange, HandingOverIsNotHeardWhenTheOldMixerLeavesAtOnce) {
  gather(2);
  speak_in_rising_words();
  town.run_for(milliseconds(rng.below(3000)));
  town.tell(*mixer, command::Hangup{});
  all.erase(all.begin());
  town.run_for(seconds(3));
  expect_no_gap();
  EXPECT_TRUE(gathered(3)) << told();
}

TEST_P(ConferenceChange, HandingOverIsNotHeardWhileAnotherComesIn) {
  gather(2);
  speak_in_rising_words();
  auto& strong = join("strong", 400);
  town.run_for(milliseconds(rng.below(2500)));
  join("late", 50);
  ASSERT_TRUE(town.run_until([&] { return mixed_by(strong) && gathered(6); }, seconds(15))) << told();
  town.run_for(seconds(2));
  expect_no_gap();
}

TEST_P(ConferenceChange, WhoComesInWhileTheMixerDiesIsIn) {
  gather(2);
  const bool first = rng.below(2) == 0;
  if (first) town.kill(*mixer);
  if (first) town.run_for(milliseconds(rng.below(300)));
  auto& late = join("late", 50);
  town.run_for(milliseconds(rng.below(500)));
  if (!first) town.kill(*mixer);
  ASSERT_TRUE(town.run_until([&] { return gathered(4) && view(late)->mixer != mixer->name; }, seconds(15))) << told();
  listen();
  town.run_for(seconds(3));
  auto ears = listeners();
  ears.insert(&late);
  expect_heard(ears);
}

TEST_P(ConferenceChange, DeputyAndMixerDieTogether) {
  gather(4);
  const auto* deputy = called(view(*mixer)->deputy);
  ASSERT_NE(deputy, nullptr);
  if (deputy == speaker) speaker = all[3];
  speaker->says = speech();
  speaker->said = 0;
  town.run_for(milliseconds(rng.below(1000)));
  town.kill(*mixer);
  town.run_for(milliseconds(rng.below(100)));
  for (auto* who : all)
    if (who == deputy) town.kill(*who);
  ASSERT_TRUE(town.run_until([&] { return gathered(4); }, seconds(15))) << told();
  town.run_for(seconds(1));
  listen();
  town.run_for(seconds(3));
  auto ears = listeners();
  ears.erase(speaker);
  expect_heard(ears);
  for (const auto* who : ears) EXPECT_EQ(who->count<event::CallEnded>(), 0U) << told();
}

TEST_P(ConferenceChange, TheMixersClockOnTheWallJumps) {
  gather(2);
  listen();
  for (const auto leap : {hours(24), hours(-24), hours(24 * 3650), hours(-24 * 3650)}) {
    mixer->clock_off_s = std::chrono::duration_cast<seconds>(leap).count();
    town.run_for(milliseconds(1500));
  }
  expect_heard(listeners());
  EXPECT_TRUE(gathered(4)) << told();
  EXPECT_EQ(view(*speaker)->term, 1U);
  EXPECT_EQ(mixer->count<event::ConferenceSaid>(), 0U) << told();
}

// It sleeps, and wakes up as if nothing had been: another mixes meanwhile.
TEST_P(ConferenceChange, TheMixerStandsStillAndWakesUp) {
  gather(2);
  town.kill(*mixer);
  town.run_for(seconds(3) + milliseconds(rng.below(4000)));
  mixer->alive = true;
  mixer->next_sound = std::min(mixer->next_sound, town.now());
  ASSERT_TRUE(town.run_until([&] { return gathered(4) && mixed_by(*called(view(*speaker)->mixer)); }, seconds(20)))
      << told();
  town.run_for(seconds(4));  // what a jitter buffer does at first is not this
  listen();
  town.run_for(seconds(3));
  expect_heard(listeners());
  expect_heard({mixer}, 0.8);  // 0.87 and 0.88 were measured
}

// The first word of somebody: when his sound begins, and what everybody else hears of its first second.
struct FirstWord : SpokenConference {
  static constexpr double kHz = 1500;

  // Of each of the others: how much of the tone's beginning it does not hear, in ms, counted from when it first hears
  // any of it by how long the tone is heard in all.
  void expect_whole(const std::vector<std::int16_t>& word, Duration cut) {
    for (const auto* ear : all) {
      if (ear == speaker) continue;
      std::size_t blocks = 0;
      constexpr std::size_t kBlock = 240;
      for (std::size_t at = 0; at + kBlock <= ear->heard.size(); at += kBlock)
        blocks += loud_at(kHz, ear->heard, at, kBlock) ? 1 : 0;
      const auto heard = milliseconds(5 * static_cast<int>(blocks));
      const auto said = milliseconds(static_cast<int>(word.size() / 48));
      std::printf("  %s: %d of %d ms\n", ear->name.c_str(), static_cast<int>(heard.count()),
                  static_cast<int>(said.count()));
      EXPECT_GE(heard, said - cut) << ear->name << " seed " << GetParam();
    }
  }
  // Its part in a short block, whatever else is in it.
  static bool loud_at(double hz, const std::vector<std::int16_t>& samples, std::size_t from, std::size_t n) {
    double re = 0, im = 0;
    for (std::size_t i = from; i < from + n; ++i) {
      const double phase = 2 * 3.14159265358979 * hz * static_cast<double>(i) / 48000;
      re += samples[i] * std::cos(phase);
      im += samples[i] * std::sin(phase);
    }
    return 2 * std::sqrt(re * re + im * im) / static_cast<double>(n) > 2000;
  }
  void say_word(Duration length) {
    auto word = tone(kHz, length);
    forget_sound();
    speaker->says = word;
    speaker->said = 0;
    town.run_for(length + seconds(1));
    expect_whole(word, milliseconds(45));
  }
};

TEST_P(FirstWord, OfAFourthWhoIsLouderThanThreeThatTalkIsWhole) {
  mixer = &person("mixer", 0, 200);
  for (const double hz : {300, 500, 800}) {
    auto& talks = person("talks" + std::to_string(static_cast<int>(hz)), hz, 80);
    for (auto& sample : talks.says) sample = static_cast<std::int16_t>(sample / 4);
  }
  speaker = &person("speaker", 0, 70);
  person("listener", 0, 60);
  begin(6);
  town.run_for(milliseconds(rng.below(1000)));
  say_word(milliseconds(600));
}

TEST_P(FirstWord, AfterALongSilenceOnALineThatLosesPacketsIsWhole) {
  mixer = &person("mixer", 0, 200);
  speaker = &person("speaker", 0, 70);
  person("listener", 0, 60);
  begin(3);
  town.meddle = [this](const Endpoint& from, const Endpoint&, Bytes& bytes) {
    return from == speaker->endpoint && bytes.size() > 20 && rng.below(100) < 5;
  };
  town.run_for(seconds(20) + milliseconds(rng.below(1000)));
  say_word(milliseconds(600));
}

INSTANTIATE_TEST_SUITE_P(Seed, ConferenceChange, ::testing::ValuesIn(conference_seeds()));
INSTANTIATE_TEST_SUITE_P(Seed, FirstWord, ::testing::ValuesIn(conference_seeds()));

}  // namespace
}  // namespace linnet::node
