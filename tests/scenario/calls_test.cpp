// Calls between real daemons: an overlay of supernodes, and people who know only each other's address.
#include <sys/stat.h>

#include <csignal>

#include "base/endpoint.h"
#include "checkout.h"
#include "media/codec_kind.h"
#include "media/wav.h"
#include "tests/scenario/daemon.h"
#include "tests/scenario/wire_tap.h"

namespace linnet::scenario {
namespace {

const std::vector<std::string> kCallKeys{
    "schema",      "peer",      "result",     "ring_ms",       "setup_ms",         "first_voice_ms", "path",
    "via",         "codec",     "seconds",    "packets_sent",  "packets_received", "loss_pct",       "jitter_ms",
    "rtt_ms",      "mos",       "max_gap_ms", "play_start_us", "record_start_us",  "path_changes",   "protected",
    "lookup_hops", "conference"};

class Calls : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(relays_[0].up({"--relay", "on"}));
    for (int i = 1; i < 3; ++i) ASSERT_TRUE(relays_[i].up({"--relay", "on", "--bootstrap", relays_[0].endpoint()}));
    ASSERT_TRUE(alice_.up({"--bootstrap", relays_[1].endpoint()}));
  }
  testing::AssertionResult bob_up(std::vector<std::string> flags = {"--auto-answer"}) {
    flags.insert(flags.end(), {"--bootstrap", relays_[2].endpoint()});
    return bob_.up(flags);
  }
  testing::AssertionResult all_online() {
    for (const auto* daemon : {&relays_[0], &relays_[1], &relays_[2], &alice_, &bob_})
      if (auto online = daemon->online(); !online) return online;
    return testing::AssertionSuccess();
  }
  static media::Audio recording(const std::filesystem::path& path) {
    const auto bytes = io::read_file(path, media::kMaxWavBytes);
    if (!bytes || !*bytes) return {};
    return media::parse_wav(**bytes).value_or(media::Audio{});
  }

  Daemon relays_[3] = {Daemon("relay1@demo.example"), Daemon("relay2@demo.example"), Daemon("relay3@demo.example")};
  Daemon alice_{"alice@demo.example"};
  Daemon bob_{"bob@demo.example"};
  const std::string speech_ = LINNET_SOURCE_DIR "/assets/speech.wav";
};

TEST_F(Calls, ReachSomebodyWhoseAddressIsAllThatIsKnown) {
  const auto heard = (bob_.home() / "heard.wav").string();
  ASSERT_TRUE(bob_up({"--auto-answer", "--play", speech_, "--record", heard}));
  ASSERT_TRUE(all_online());
  const auto call = alice_.run({"call", "bob@demo.example", "--play", speech_, "--record",
                                (alice_.home() / "heard.wav").string(), "--duration", "3", "--json"});
  ASSERT_EQ(call.exit, 0) << call.err << call.out;
  const auto summary = call.last_line();
  EXPECT_EQ(keys_of(summary), kCallKeys);
  EXPECT_EQ(summary["schema"], 1);
  EXPECT_EQ(summary["peer"], "bob@demo.example");
  EXPECT_EQ(summary["result"], "ended");
  EXPECT_LE(summary["ring_ms"].get<double>(), summary["setup_ms"].get<double>());
  EXPECT_NEAR(summary["seconds"].get<double>(), 3.0, 0.5);
  EXPECT_GT(summary["packets_sent"].get<int>(), 100);
  EXPECT_GT(summary["packets_received"].get<int>(), 100);
  EXPECT_EQ(summary["codec"], "opus");
  EXPECT_TRUE(summary["lookup_hops"].is_number_unsigned()) << summary;
  ASSERT_TRUE(bob_.until([](const Json& s) { return s["calls"].empty(); }));
  const auto log = bob_.run({"log", "--json"});
  ASSERT_EQ(log.lines().size(), 1u);
  EXPECT_EQ(keys_of(log.last_line()), kCallKeys);
  EXPECT_EQ(log.last_line()["peer"], "alice@demo.example");
  EXPECT_TRUE(log.last_line()["lookup_hops"].is_null()) << "bob looked nobody up";
  // What bob heard begins with the first sample played to him and lasts as long as the call did.
  const auto audio = recording(heard);
  EXPECT_EQ(audio.rate, media::kRate);
  EXPECT_NEAR(static_cast<double>(audio.samples.size()) / audio.rate, 3.0, 0.5);
  EXPECT_TRUE(std::any_of(audio.samples.begin(), audio.samples.end(), [](std::int16_t s) { return s > 1000; }));

  const auto again = alice_.run({"call", "bob@demo.example", "--cold", "--duration", "1", "--json"});
  ASSERT_EQ(again.exit, 0) << again.err;
  ASSERT_TRUE(bob_.until([](const Json& s) { return s["calls"].empty(); }));
  EXPECT_TRUE(io::file_exists(bob_.home() / "heard-2.wav"));
  EXPECT_EQ(bob_.run({"log", "--json"}).lines().size(), 2u);
}

TEST_F(Calls, SayThatNobodyHasTheName) {
  ASSERT_TRUE(bob_up());
  ASSERT_TRUE(all_online());
  const auto call = alice_.run({"call", "nobody@demo.example", "--json"});
  EXPECT_EQ(call.exit, 4) << call.err;
  EXPECT_EQ(call.last_line()["result"], "not-found");
  EXPECT_EQ(keys_of(call.last_line()), kCallKeys);
  EXPECT_TRUE(call.last_line()["setup_ms"].is_null());
  const auto typo = alice_.run({"call", "bob", "--json"});
  EXPECT_EQ(typo.exit, 4);
  EXPECT_EQ(keys_of(typo.last_line()), kCallKeys);
  EXPECT_EQ(alice_.run({"who", "nobody@demo.example"}).exit, 4);
  const auto who = alice_.run({"who", "bob@demo.example", "--json"});
  EXPECT_EQ(who.exit, 0) << who.err;
  EXPECT_EQ(who.last_line()["devices"].size(), 1u);
}

TEST_F(Calls, AreAnsweredDeclinedAndHungUpByHand) {
  ASSERT_TRUE(bob_up({}));
  ASSERT_TRUE(all_online());
  const auto rings = [](const Json& s) { return !s["calls"].empty() && s["calls"][0]["state"] == "incoming"; };
  {
    Process call(alice_.line({"call", "bob@demo.example", "--json"}));
    ASSERT_TRUE(bob_.until(rings));
    EXPECT_EQ(keys_of(bob_.status()["calls"][0]),
              (std::vector<std::string>{"id", "peer", "state", "path", "via", "reason", "protected", "digits",
                                        "complexity", "conference"}));
    ASSERT_EQ(bob_.run({"hangup"}).exit, 0);
    const auto ran = call.wait();
    EXPECT_EQ(ran.exit, 6) << ran.err << ran.out;
    EXPECT_EQ(ran.last_line()["result"], "declined");
  }
  {
    Process call(alice_.line({"call", "bob@demo.example", "--json"}));
    ASSERT_TRUE(bob_.until(rings));
    ASSERT_EQ(bob_.run({"answer"}).exit, 0);
    ASSERT_TRUE(alice_.until([](const Json& s) { return !s["calls"].empty() && s["calls"][0]["state"] == "talking"; }));
    ASSERT_EQ(alice_.run({"dtmf", "12#"}).exit, 0);
    EXPECT_TRUE(bob_.until([](const Json& s) { return !s["calls"].empty() && s["calls"][0]["digits"] == "12#"; }));
    EXPECT_TRUE(bob_.status()["sound"].is_array());
    ASSERT_EQ(alice_.run({"mute"}).exit, 0);
    ASSERT_EQ(alice_.run({"hold"}).exit, 0);
    ASSERT_TRUE(alice_.until([](const Json& s) { return !s["calls"].empty() && s["calls"][0]["state"] == "held"; }));
    ASSERT_EQ(alice_.run({"hold", "off"}).exit, 0);
    ASSERT_TRUE(alice_.until([](const Json& s) { return !s["calls"].empty() && s["calls"][0]["state"] == "talking"; }));
    ASSERT_EQ(bob_.run({"hangup"}).exit, 0);
    const auto ran = call.wait();
    EXPECT_EQ(ran.exit, 0) << ran.err;
    EXPECT_EQ(ran.last_line()["result"], "ended");
  }
  {
    Process call(alice_.line({"call", "bob@demo.example", "--json"}));
    ASSERT_TRUE(bob_.until(rings));
    call.signal(SIGINT);
    const auto ran = call.wait();
    EXPECT_EQ(ran.exit, 130) << ran.err;
    EXPECT_EQ(ran.last_line()["result"], "cancelled");
    EXPECT_TRUE(bob_.until([](const Json& s) { return s["calls"].empty(); }));
  }
  EXPECT_EQ(bob_.run({"answer"}).exit, 4);
}

TEST_F(Calls, ComeBackWithIdentityPinsAndHistoryAfterKillNine) {
  ASSERT_TRUE(bob_up());
  ASSERT_TRUE(all_online());
  ASSERT_EQ(alice_.run({"call", "bob@demo.example", "--duration", "0.5", "--json"}).exit, 0);
  const auto before = alice_.status();
  alice_.kill_nine();
  ASSERT_TRUE(alice_.up({"--bootstrap", relays_[1].endpoint()}));
  EXPECT_EQ(alice_.status()["key_name"], before["key_name"]);
  EXPECT_EQ(alice_.run({"log", "--json"}).lines().size(), 1u);
  ASSERT_TRUE(alice_.online());
  const auto who = alice_.run({"who", "bob@demo.example", "--json"});
  EXPECT_EQ(who.last_line()["pinned"], true) << who.out << who.err;
  EXPECT_EQ(alice_.run({"call", "bob@demo.example", "--duration", "0.5", "--json"}).exit, 0);
}

TEST_F(Calls, AreRefusedWhenTheKeyOfAKnownNameChanged) {
  ASSERT_TRUE(bob_up());
  ASSERT_TRUE(all_online());
  ASSERT_EQ(alice_.run({"call", "bob@demo.example", "--duration", "0.5", "--json"}).exit, 0);
  ASSERT_EQ(bob_.run({"down"}).exit, 0);
  std::filesystem::remove(bob_.home() / "identity.key");
  ASSERT_TRUE(bob_up());
  ASSERT_TRUE(bob_.online());
  const auto call = alice_.run({"call", "bob@demo.example", "--cold", "--json"});
  EXPECT_EQ(call.exit, 7) << call.err << call.out;
  EXPECT_EQ(call.last_line()["result"], "identity");
  EXPECT_EQ(keys_of(call.last_line()), kCallKeys);
}

TEST_F(Calls, ShowNothingOfThemselvesOnTheWire) {
  WireTap tap;
  if (!tap.open()) GTEST_SKIP() << "recording loopback needs CAP_NET_RAW";
  ASSERT_TRUE(bob_up({"--auto-answer", "--play", speech_}));
  ASSERT_TRUE(all_online());
  ASSERT_EQ(alice_.run({"call", "bob@demo.example", "--play", speech_, "--duration", "2", "--json"}).exit, 0);
  std::vector<std::uint16_t> ports;
  for (const auto* daemon : {&relays_[0], &relays_[1], &relays_[2], &alice_, &bob_})
    ports.push_back(Endpoint::parse(daemon->endpoint())->port);
  const auto packets = tap.stop(ports);
  EXPECT_GT(packets.size(), 200u);
  std::size_t voice = 0;
  for (const auto& packet : packets) {
    voice += !packet.empty() && (static_cast<unsigned char>(packet[0]) & 0xC0u) == 0x80u ? 1 : 0;
    // Long enough that random bytes do not spell them.
    for (const std::string word :
         {"SIP/2.0", "sip:alice", "sip:bob", "INVITE ", "CSeq:", "v=0\r\n", "m=audio", "a=crypto", "inline:", "alice@",
          "bob@demo", "demo.example", "linnet.alt", "opus/48000"}) {
      const auto lower = [](char a, char b) {
        return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
      };
      EXPECT_EQ(std::search(packet.begin(), packet.end(), word.begin(), word.end(), lower), packet.end()) << word;
    }
  }
  EXPECT_GT(voice, 100u) << "the voice was on the wire, and passed by";
}

}  // namespace
}  // namespace linnet::scenario
