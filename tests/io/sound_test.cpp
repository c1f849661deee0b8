#include <nlohmann/json.hpp>
#include <thread>

#include "media/wav.h"
#include "node/io/control/view_json.h"
#include "node/io/near.h"
#include "node/io/sound/ring.h"
#include "node/io/sound/sound.h"
#include "node/io/sound/wav_recorder.h"
#include "tests/io/home_folder.h"

namespace linnet::io {
namespace {

media::Audio parsed(const HomeFolder& home, const std::string& name) {
  const auto bytes = read_file(home / name, media::kMaxWavBytes);
  return media::parse_wav(**bytes).value();
}

TEST(WavRecorder, WritesWhatItWasGiven) {
  const HomeFolder home;
  std::vector<std::int16_t> samples(100'000);
  for (std::size_t i = 0; i < samples.size(); ++i) samples[i] = static_cast<std::int16_t>(i * 7);
  {
    auto recorder = WavRecorder::create(home / "a.wav");
    ASSERT_TRUE(recorder);
    for (std::size_t i = 0; i < samples.size(); i += 480)
      recorder->write(std::span(samples).subspan(i, std::min<std::size_t>(480, samples.size() - i)));
  }
  const auto audio = parsed(home, "a.wav");
  EXPECT_EQ(audio.rate, 48000);
  EXPECT_EQ(audio.samples, samples);
}

TEST(WavRecorder, LeavesAFileThatCanBePlayedWhenItNeverEnds) {
  const HomeFolder home;
  auto recorder = WavRecorder::create(home / "a.wav");
  ASSERT_TRUE(recorder);
  const std::vector<std::int16_t> second(48000, 5);
  recorder->write(second);
  recorder->write(std::vector<std::int16_t>(100, 6));
  EXPECT_EQ(parsed(home, "a.wav").samples, second);  // as kill -9 would leave it now
}

TEST(WavRecorder, SaysBeforeTheCallThatItCannotWrite) {
  const HomeFolder home;
  EXPECT_TRUE(check_can_record({}));
  EXPECT_TRUE(check_can_record(home / "new.wav"));
  EXPECT_FALSE(file_exists(home / "new.wav")) << "asking makes no file";
  home.write("old.wav", "x");
  EXPECT_TRUE(check_can_record(home / "old.wav"));
  EXPECT_EQ(check_can_record("/nonexistent/a.wav").error().text,
            "Cannot write /nonexistent/a.wav: No such file or directory.");
  EXPECT_FALSE(check_can_record(home.path()));
  EXPECT_FALSE(check_can_record(home / "old.wav" / "a.wav"));
}

TEST(RecordingNames, CountUp) {
  RecordingNames names;
  EXPECT_EQ(names.next("/x/F.wav"), "/x/F.wav");
  EXPECT_EQ(names.next("/x/F.wav"), "/x/F-2.wav");
  EXPECT_EQ(names.next("/x/G.wav"), "/x/G.wav");
  EXPECT_EQ(names.next("/x/F.wav"), "/x/F-3.wav");
}

TEST(Speech, IsResampledToTheRateOfTheNode) {
  const HomeFolder home;
  const std::vector<std::int16_t> samples(16000, 1000);
  home.write("a.wav", std::string(text(media::serialise_wav(samples, 16000))));
  const auto speech = load_speech((home / "a.wav").string());
  ASSERT_TRUE(speech) << speech.error().text;
  EXPECT_EQ((*speech)->size(), 48000u);
}

TEST(Speech, SaysWhatIsWrongWithAFile) {
  const HomeFolder home;
  home.write("a.wav", "not sound");
  EXPECT_EQ(load_speech("/nonexistent/a.wav").error().text, "There is no file /nonexistent/a.wav.");
  EXPECT_NE(load_speech((home / "a.wav").string()).error().text.find("is no WAV file"), std::string::npos);
}

TEST(Ring, GivesEverythingOnceAndInOrder) {
  Ring<int, 64> ring;
  constexpr int kCount = 200'000;
  std::thread writer([&] {
    for (int next = 0; next < kCount;) {
      const int chunk[3] = {next, next + 1, next + 2};
      next +=
          static_cast<int>(ring.write(std::span(chunk).first(static_cast<std::size_t>(std::min(3, kCount - next)))));
      if (ring.size() == 64) std::this_thread::yield();
    }
  });
  int expected = 0;
  while (expected < kCount) {
    int out[5];
    const auto n = ring.read(out);
    for (std::size_t i = 0; i < n; ++i) ASSERT_EQ(out[i], expected++);
    if (n == 0) std::this_thread::yield();
  }
  writer.join();
  EXPECT_EQ(ring.size(), 0u);
}

TEST(Nearest, KnowsWhatWasMeant) {
  const std::string_view words[] = {"call", "status", "hangup"};
  EXPECT_EQ(nearest("cal", words), "call");
  EXPECT_EQ(nearest("clal", words), "call");
  EXPECT_EQ(nearest("statsu", words), "status");
  EXPECT_EQ(nearest("teapot", words), "");
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
  EXPECT_EQ(edit_distance("", "abc"), 3u);
}

TEST(ViewJson, NeverLeavesOutAKey) {
  EXPECT_EQ(
      refused_line("bob", node::CallResult::not_found),
      R"({"schema":1,"peer":"bob","result":"not-found","ring_ms":null,"setup_ms":null,"first_voice_ms":null,"path":"unknown","via":null,"codec":null,)"
      R"("seconds":0.0,"packets_sent":0,"packets_received":0,"loss_pct":null,"jitter_ms":null,"rtt_ms":null,"mos":null,"max_gap_ms":null,)"
      R"("play_start_us":null,"record_start_us":null,"path_changes":[],"protected":false,"lookup_hops":null,"conference":null})");
}

TEST(ViewJson, SaysOfACallWhatIsKnownAndNullOfTheRest) {
  node::CallView call;
  call.complexity = 7;
  EXPECT_EQ(call_json(call).at("complexity"), 7);
  EXPECT_TRUE(call_json({}).at("complexity").is_null());
}

TEST(ViewJson, MapsEveryResultToItsExitCode) {
  using R = node::CallResult;
  EXPECT_EQ(exit_of(R::ended), Exit::ok);
  EXPECT_EQ(exit_of(R::declined), Exit::declined);
  EXPECT_EQ(exit_of(R::busy), Exit::declined);
  EXPECT_EQ(exit_of(R::no_answer), Exit::unreachable);
  EXPECT_EQ(exit_of(R::unreachable), Exit::unreachable);
  EXPECT_EQ(exit_of(R::not_found), Exit::not_found);
  EXPECT_EQ(exit_of(R::cancelled), Exit::interrupted);
  EXPECT_EQ(exit_of(R::identity), Exit::identity);
  EXPECT_EQ(exit_of(R::failed), Exit::failed);
}

}  // namespace
}  // namespace linnet::io
