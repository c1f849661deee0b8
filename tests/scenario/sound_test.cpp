// A conversation between real daemons on sound cards that keep time: speech goes into a microphone here and comes out
// of a loudspeaker there, with echo cancellation on.
#include <cmath>
#include <cstring>

#include "checkout.h"
#include "media/compare.h"
#include "node/io/clock.h"
#include "tests/scenario/daemon.h"
#include "tests/scenario/sound_server.h"

namespace linnet::scenario {
namespace {

media::Audio speech() {
  const auto bytes = io::read_file(LINNET_SOURCE_DIR "/assets/speech.wav", media::kMaxWavBytes);
  return *media::parse_wav(**bytes);
}

double rms(std::span<const std::int16_t> samples) {
  double sum = 0;
  for (const auto s : samples) sum += s * static_cast<double>(s);
  return samples.empty() ? 0 : std::sqrt(sum / static_cast<double>(samples.size()));
}

// The middle one of all half seconds after `from_s`: a block that a busy machine loses does not count.
double level(const media::Audio& audio, double from_s) {
  const auto half = static_cast<std::size_t>(audio.rate / 2);
  std::vector<double> levels;
  for (auto at = static_cast<std::size_t>(from_s * audio.rate); at + half <= audio.samples.size(); at += half)
    levels.push_back(rms(std::span(audio.samples).subspan(at, half)));
  if (levels.empty()) return 0;
  const auto middle = levels.begin() + static_cast<std::ptrdiff_t>(levels.size() / 2);
  std::nth_element(levels.begin(), middle, levels.end());
  return *middle;
}

// Sound cards of a busy machine lose blocks, and each one moves everything after it: two seconds at a time are
// compared, and the better half of them counts.
double understood(const media::Audio& said, const media::Audio& heard) {
  std::vector<double> scores;
  const auto cut = [](const media::Audio& audio, double from, double length) {
    const auto at = std::min(audio.samples.size(), static_cast<std::size_t>(from * audio.rate));
    const auto n = std::min(audio.samples.size() - at, static_cast<std::size_t>(length * audio.rate));
    const auto begin = audio.samples.begin() + static_cast<std::ptrdiff_t>(at);
    return media::Audio{audio.rate, {begin, begin + static_cast<std::ptrdiff_t>(n)}};
  };
  for (double at = 0; at < 8; at += 1)
    scores.push_back(media::compare(cut(said, at, 2), cut(heard, at, 3)).stoi.value_or(0));
  std::nth_element(scores.begin(), scores.begin() + 4, scores.end());
  return scores[4];
}

class SoundCards : public testing::Test {
 protected:
  void SetUp() override {
    if (!SoundServer::installed()) GTEST_SKIP() << "needs pulseaudio, pulseaudio-utils and libasound2-plugins";
    server_.emplace(std::vector<std::string>{"alice_mouth", "alice_ear", "bob_room"});
    ASSERT_TRUE(server_->ready());
    server_->give("bob_room", "bob_room.monitor");  // his microphone hears his loudspeaker, and whoever speaks there
    ASSERT_TRUE(bob_.up({"--relay", "on", "--auto-answer"}));
    server_->give("alice_ear", "alice_mouth.monitor");
    ASSERT_TRUE(alice_.up({"--bootstrap", bob_.endpoint()}));
    ASSERT_TRUE(alice_.online());
  }
  void TearDown() override {
    for (const char* name : {"PULSE_SERVER", "PULSE_SINK", "PULSE_SOURCE", "ALSA_CONFIG_PATH", "LINNET_AUDIO"})
      ::unsetenv(name);
  }
  // Until both ends have their devices open.
  testing::AssertionResult open(const Daemon& daemon) {
    const Time limit = io::now() + std::chrono::seconds(20);
    std::string last;
    while (io::now() < limit) {
      last = daemon.run({"audio", "status", "--json"}).out;
      if (const auto status = Json::parse(last, nullptr, false); status.is_object() && !status["calls"].empty())
        return testing::AssertionSuccess();
    }
    return testing::AssertionFailure() << last;
  }

  std::optional<SoundServer> server_;
  Daemon alice_{"alice@demo.example"};
  Daemon bob_{"bob@demo.example"};
};

TEST_F(SoundCards, CarryAConversationWithoutItsEcho) {
  Process call(alice_.line({"call", "bob@demo.example", "--json"}));
  ASSERT_TRUE(open(alice_));
  ASSERT_TRUE(open(bob_));
  const auto said = speech();

  // A machine that is busy elsewhere loses blocks of sound: whoever was not understood says it again.
  const auto tries = [](auto&& heard_well) {
    for (int i = 0; i < 3; ++i) {
      if (heard_well()) return true;
    }
    return false;
  };
  EXPECT_TRUE(tries([&] {
    SoundServer::Recording bob_hears(*server_, "bob_room.monitor"), alice_hears(*server_, "alice_ear.monitor");
    server_->play("alice_mouth", said);
    const auto heard = bob_hears.stop(), echo = alice_hears.stop();
    // Alice hears herself 20 dB less, or not at all.
    return understood(said, heard) >= 0.8 && level(heard, 0) > 300 && level(echo, 2) < level(heard, 2) / 10;
  })) << "bob hears alice, and she does not hear herself";
  EXPECT_TRUE(tries([&] {
    SoundServer::Recording alice_listens(*server_, "alice_ear.monitor");
    server_->play("bob_room", said);
    return understood(said, alice_listens.stop()) >= 0.8;
  })) << "alice hears bob";

  const auto in_use = bob_.status()["sound"];
  ASSERT_EQ(in_use.size(), 1u) << in_use;
  EXPECT_FALSE(in_use[0]["microphone"].get<std::string>().empty()) << in_use;
  const auto started = bob_.ask(R"({"cmd":"counters"})")["started"];
  EXPECT_EQ(started["sound"], true) << started;
  EXPECT_EQ(started["cleaning"], true) << started;
  const auto status = bob_.run({"audio", "status", "--json"}).last_line();
  ASSERT_EQ(status["calls"].size(), 1u) << status;
  EXPECT_NE(status["calls"][0]["echo"], "off") << status;  // which one depends on how many blocks were lost
  EXPECT_TRUE(status["calls"][0]["echo_delay_ms"].is_number()) << status;
  ASSERT_EQ(alice_.run({"hangup"}).exit, 0);
  const auto summary = call.wait().last_line();
  EXPECT_EQ(summary["result"], "ended") << summary;
}

TEST_F(SoundCards, MayBePulledOutOfACall) {
  const auto set = alice_.run({"audio", "set", "headset", "--json"});
  ASSERT_EQ(set.exit, 0) << set.err;
  Process call(alice_.line({"call", "bob@demo.example", "--json"}));
  ASSERT_TRUE(open(alice_));
  const auto before = alice_.run({"audio", "status", "--json"}).last_line();
  EXPECT_EQ(before["calls"][0]["microphone"], "headset");
  server_->unplug();
  const Time limit = io::now() + std::chrono::seconds(30);
  Json after;
  while (io::now() < limit) {
    after = alice_.run({"audio", "status", "--json"}).last_line();
    if (!after["calls"].empty() && after["calls"][0]["microphone"] == "default") break;
  }
  ASSERT_FALSE(after["calls"].empty());
  EXPECT_EQ(after["calls"][0]["microphone"], "default") << "the call lives, with the other card";

  SoundServer::Recording bob_hears(*server_, "bob_room.monitor");
  server_->play("alice_mouth", speech());
  EXPECT_GE(understood(speech(), bob_hears.stop()), 0.8);
  ASSERT_EQ(alice_.run({"hangup"}).exit, 0);
  const auto ended = call.wait();
  EXPECT_EQ(ended.last_line()["result"], "ended");
  EXPECT_NE(ended.err.find("The sound device is gone (headset)."), std::string::npos) << ended.err;
  EXPECT_EQ(ended.exit, 0);
}

TEST_F(SoundCards, AreListedChosenAndTested) {
  const auto list = alice_.run({"audio", "ls", "--json"});
  ASSERT_EQ(list.exit, 0) << list.err;
  EXPECT_EQ(list.err, "") << "ALSA and JACK are quiet";
  const auto devices = list.last_line()["devices"];
  ASSERT_EQ(devices.size(), 2u) << devices;
  EXPECT_EQ(devices[1]["used_microphone"], true) << devices;

  const auto none = alice_.run({"audio", "set", "Megaphone"});
  EXPECT_EQ(none.exit, 4);
  EXPECT_EQ(none.err, "No device \"Megaphone\". Found: 0 headset, 1 default\n");
  ASSERT_EQ(alice_.run({"audio", "set", "HEAD", "--microphone"}).exit, 0);
  const auto mixed = alice_.run({"audio", "ls", "--json"}).last_line()["devices"];
  EXPECT_EQ(mixed[0]["used_microphone"], true) << "kept in the home";
  EXPECT_EQ(mixed[1]["used_loudspeaker"], true);

  alice_.home().write("audio.json", R"({"microphone":"USB Headset","loudspeaker":""})");
  const auto gone = alice_.run({"audio", "test", "--quick"});
  EXPECT_EQ(gone.exit, 1);
  EXPECT_EQ(gone.err,
            "No microphone (asked for \"USB Headset\"). Found: 0 headset, 1 default. Use: linnet audio set 0\n");
  ASSERT_EQ(alice_.run({"audio", "set", "default"}).exit, 0);
  EXPECT_FALSE(io::file_exists(alice_.home() / "audio.json"));

  server_->give("bob_room", "bob_room.monitor");
  const auto test = alice_.run({"audio", "test", "--quick", "--json"});
  ASSERT_EQ(test.exit, 0) << test.err;
  const auto found = test.last_line();
  EXPECT_EQ(keys_of(found),
            (std::vector<std::string>{"schema", "result", "microphone", "loudspeaker", "microphone_rate",
                                      "loudspeaker_rate", "microphone_latency_ms", "loudspeaker_latency_ms",
                                      "round_trip_ms", "echo_db", "noise_db", "voice_db", "clipped"}));
  EXPECT_EQ(found["result"], "ok");
  EXPECT_GT(found["round_trip_ms"].get<double>(), 5) << "the loudspeaker is heard by the microphone";
  EXPECT_NEAR(found["echo_db"].get<double>(), 0, 3);

  server_->give("alice_ear", "alice_mouth.monitor");
  const auto deaf = alice_.run({"audio", "test", "--quick", "--json"});
  EXPECT_EQ(deaf.exit, 1);
  EXPECT_EQ(deaf.last_line()["result"], "silent");
  EXPECT_TRUE(deaf.last_line()["round_trip_ms"].is_null());
}

}  // namespace
}  // namespace linnet::scenario
