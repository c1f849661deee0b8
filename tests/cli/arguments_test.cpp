#include "cli/arguments.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/print.h"

namespace linnet::cli {
namespace {

template <class T>
T as(std::vector<std::string> arguments) {
  const auto parsed = parse_arguments(std::move(arguments));
  if (!parsed || !std::holds_alternative<T>(parsed->verb)) {
    ADD_FAILURE() << (parsed ? "another command" : parsed.error().text);
    return {};
  }
  return std::get<T>(parsed->verb);
}

TEST(Arguments, TakeNoHomeWithoutAName) {
  const auto refused = parse_arguments({"--home", "", "down"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().exit, io::Exit::usage);
}

TEST(Arguments, ReadUpWithEveryFlag) {
  const auto up = as<verb::Up>({"--home",
                                "/h",
                                "up",
                                "--listen",
                                "127.0.0.1:0",
                                "--listen",
                                "[::1]:4400",
                                "--bootstrap",
                                "node.example:4400",
                                "--relay",
                                "auto",
                                "--lan",
                                "off",
                                "--auto-answer",
                                "--low-delay",
                                "--play",
                                "F.wav",
                                "--record",
                                "G.wav",
                                "--foreground"});
  EXPECT_EQ(up.listen.size(), 2u);
  EXPECT_EQ(up.bootstrap, (std::vector<std::string>{"node.example:4400"}));
  EXPECT_EQ(up.relay, io::RelayMode::automatic);
  EXPECT_EQ(up.lan, false);
  EXPECT_TRUE(up.auto_answer);
  EXPECT_TRUE(up.low_delay);
  EXPECT_TRUE(up.foreground);
  EXPECT_EQ(up.play, "F.wav");
  EXPECT_EQ(up.record, "G.wav");
}

TEST(Arguments, ReadWhatIsAskedAboutPeople) {
  EXPECT_EQ(as<verb::Invite>({"invite", "--days", "3", "--qr"}).days, 3u);
  EXPECT_FALSE(parse_arguments({"invite", "--days", "91"}));
  EXPECT_EQ(as<verb::Accept>({"accept", "LINNET-ABC", "--name", "boss"}).name, "boss");
  EXPECT_EQ(as<verb::ContactAdd>({"contact", "add", "a@b.example", "--key", "a@k"}).key, "a@k");
  EXPECT_TRUE(as<verb::ContactList>({"contact", "ls", "--requests"}).requests);
  EXPECT_TRUE(as<verb::ContactVerify>({"contact", "verify", "alice", "--new"}).anew);
  EXPECT_TRUE(as<verb::ContactBlock>({"contact", "block", "alice", "--off"}).off);
  EXPECT_EQ(as<verb::ContactForget>({"contact", "forget", "alice"}).who, "alice");
  EXPECT_EQ(as<verb::ConfKeepers>({"conf", "keepers", "room@office"}).room, "room@office");
  EXPECT_EQ(as<verb::ConfDismiss>({"conf", "dismiss", "room@office", "bob"}).room, "room@office");
  EXPECT_EQ(as<verb::ConfDismiss>({"conf", "dismiss", "room@office", "bob"}).who, "bob");
  EXPECT_TRUE(as<verb::ContactRequest>({"contact", "accept", "alice"}).accept);
  EXPECT_FALSE(as<verb::ContactRequest>({"contact", "decline", "alice"}).accept);
  EXPECT_TRUE(as<verb::IdRestore>({"id", "restore", "F", "--revoke"}).revoke);
  EXPECT_TRUE(as<verb::IdNew>({"id", "new", "a@b.example", "--passphrase"}).passphrase);
}

TEST(Arguments, LeaveUnsaidWhatWasNotSaid) {
  const auto up = as<verb::Up>({"up"});
  EXPECT_FALSE(up.relay);
  EXPECT_FALSE(up.lan);
  EXPECT_TRUE(up.listen.empty());
}

TEST(Arguments, ReadACall) {
  const auto call =
      as<verb::Call>({"call", "bob@demo.example", "--play", "F.wav", "--duration", "2.5", "--cold", "--json"});
  EXPECT_EQ(call.who, "bob@demo.example");
  EXPECT_EQ(call.duration, 2.5);
  EXPECT_TRUE(call.cold);
}

TEST(Arguments, ReadAConferencesWords) {
  const auto begun = as<verb::ConfNew>(
      {"conf", "new", "office", "bob@demo.example", "carol", "--record", "F.wav", "--duration", "2.5", "--json"});
  EXPECT_EQ(begun.words, (std::vector<std::string>{"office", "bob@demo.example", "carol"}));
  EXPECT_EQ(begun.record, "F.wav");
  EXPECT_EQ(begun.duration, 2.5);
  EXPECT_TRUE(begun.name.empty()) << "which word is a name only the daemon knows";
  EXPECT_EQ(as<verb::ConfNew>({"conf", "new", "bob", "--name", "office"}).name, "office");
  EXPECT_FALSE(parse_arguments({"conf", "new"}));
  EXPECT_FALSE(parse_arguments({"conf", "new", ""}));
  EXPECT_FALSE(parse_arguments({"conf"}));
  EXPECT_EQ(as<verb::ConfJoin>({"conf", "join", "bob@demo.example", "--play", "F.wav"}).play, "F.wav");
  EXPECT_EQ(as<verb::ConfInvite>({"conf", "invite", "dave", "--conf", "office"}).conference, "office");
  as<verb::ConfList>({"conf", "ls"});
  EXPECT_EQ(as<verb::ConfLeave>({"conf", "leave", "office"}).conference, "office");
  EXPECT_EQ(as<verb::ConfKick>({"conf", "kick", "dave"}).who, "dave");
  EXPECT_TRUE(as<verb::ConfLock>({"conf", "lock", "off"}).off);
  EXPECT_FALSE(as<verb::ConfLock>({"conf", "lock"}).off);
  EXPECT_FALSE(parse_arguments({"conf", "lock", "perhaps"}));
}

TEST(Arguments, MuteOneselfOrSomebodyInAConference) {
  struct Row {
    std::vector<std::string> words;
    std::string who;
    bool off;
  };
  for (const auto& row : std::vector<Row>{{{}, "", false},
                                          {{"on"}, "", false},
                                          {{"off"}, "", true},
                                          {{"bob"}, "bob", false},
                                          {{"bob", "on"}, "bob", false},
                                          {{"bob", "off"}, "bob", true}}) {
    std::vector<std::string> line{"conf", "mute"};
    line.insert(line.end(), row.words.begin(), row.words.end());
    const auto mute = as<verb::ConfMute>(line);
    EXPECT_EQ(mute.who, row.who);
    EXPECT_EQ(mute.off, row.off);
  }
  EXPECT_FALSE(parse_arguments({"conf", "mute", "bob", "carol"}));
  EXPECT_FALSE(parse_arguments({"conf", "mute", "off", "bob"}));
  EXPECT_FALSE(parse_arguments({"conf", "mute", "bob", "off", "carol"}));
}

TEST(Arguments, TakeJsonAndHomeOnEitherSideOfTheCommand) {
  for (const auto& line : std::vector<std::vector<std::string>>{{"--home", "/h", "status", "--json"},
                                                                {"--json", "status", "--home", "/h"},
                                                                {"status", "--json", "--home=/h"}}) {
    const auto parsed = parse_arguments(line);
    ASSERT_TRUE(parsed) << parsed.error().text;
    EXPECT_TRUE(parsed->json);
    EXPECT_EQ(parsed->home, "/h");
  }
}

TEST(Arguments, ReadTheSmallCommands) {
  EXPECT_TRUE(as<verb::Status>({"status", "--watch"}).watch);
  EXPECT_EQ(as<verb::IdNew>({"id", "new", "alice@demo.example"}).address, "alice@demo.example");
  EXPECT_EQ(as<verb::Hangup>({"hangup", "--call", "7"}).call, 7u);
  EXPECT_TRUE(as<verb::Hold>({"hold", "off"}).off);
  EXPECT_FALSE(as<verb::Mute>({"mute"}).off);
  EXPECT_EQ(as<verb::Who>({"who", "bob@demo.example"}).who, "bob@demo.example");
  EXPECT_EQ(as<verb::ConfigCheck>({"config", "check", "a.toml"}).file, "a.toml");
  EXPECT_NE(as<verb::Print>({"--version"}).text.find("linnet "), std::string::npos);
  EXPECT_NE(as<verb::Print>({}).text.find("Usage"), std::string::npos);
  EXPECT_NE(as<verb::Print>({"call", "--help"}).text.find("--duration"), std::string::npos);
}

TEST(Arguments, ReadHowLongCredentialsAreGood) {
  const auto life = [](const char* text) {
    return as<verb::RelayCredentials>({"relay", "credentials", "--for", text}).life;
  };
  EXPECT_EQ(life("90s"), std::chrono::seconds(90));
  EXPECT_EQ(life("90"), std::chrono::seconds(90));
  EXPECT_EQ(life("10m"), std::chrono::minutes(10));
  EXPECT_EQ(life("12h"), std::chrono::hours(12));
  EXPECT_EQ(life("90d"), std::chrono::hours(24 * 90));
  const auto plain = as<verb::RelayCredentials>({"relay", "credentials", "alice"});
  EXPECT_EQ(plain.life, std::chrono::hours(1));
  EXPECT_EQ(plain.name, "alice");
  for (const auto* bad : {"", "0", "-1h", "1.5h", "91d", "9999999999999999999d", "h", "1hh"})
    EXPECT_FALSE(parse_arguments({"relay", "credentials", "--for", bad})) << bad;
}

TEST(Arguments, AreRefusedWithWhatWasMeant) {
  const auto error = [](std::vector<std::string> line) {
    const auto parsed = parse_arguments(std::move(line));
    EXPECT_FALSE(parsed);
    EXPECT_EQ(parsed.error().exit, io::Exit::usage);
    return parsed.error().text;
  };
  EXPECT_EQ(error({"cal", "bob"}), "Unknown command \"cal\". Did you mean \"call\"?");
  EXPECT_EQ(error({"--home", "/h", "staus"}), "Unknown command \"staus\". Did you mean \"status\"?");
  EXPECT_EQ(error({"teapot"}), "Unknown command \"teapot\". See: linnet --help");
  EXPECT_EQ(error({"up", "--relay", "perhaps"}), "--relay: \"perhaps\" is not on, off or auto");
  EXPECT_EQ(error({"up", "--listen", "4400"}), "--listen: \"4400\" is not ADDR:PORT, as in 0.0.0.0:4400 or [::]:4400");
  EXPECT_EQ(error({"up", "--turn-secret", "short"}),
            "--turn-secret: a secret of TURN has 16 to 256 bytes, as of: openssl rand -hex 24");
  EXPECT_EQ(error({"relay", "credentials", "--for", "2w"}),
            "--for: \"2w\" is not a time of 1s to 90d, as in 90s, 10m, 12h or 7d");
  EXPECT_NE(error({"relay", "credentials", "a b"}).find("without spaces"), std::string::npos);
  EXPECT_NE(error({"call"}).find("See: linnet call --help"), std::string::npos);
  EXPECT_NE(error({"call", "bob@x.example", "--teapot"}).find("--teapot"), std::string::npos);
  EXPECT_NE(error({"call", "bob@x.example", "--duration", "-1"}).find("duration"), std::string::npos);
  EXPECT_NE(error({"id"}).find("See: linnet id --help"), std::string::npos);
}

TEST(LiveLine, SaysThePathInWordsAndAnUnknownValueAsAQuestionMark) {
  const auto call = nlohmann::json::parse(
      R"({"peer":"alice@demo.example","state":"talking","path":"relayed","via":"192.0.2.1:4400","reason":"no direct path",
    "verified":true,"muted":true,"on_hold":false,"held_by_peer":false,"seconds":134.2,"rtt_ms":3.1,"loss_pct":0.0,"jitter_ms":null,"mos":null,
    "last_heard_ms":20,"mic_dbfs":-36.0,"heard_dbfs":null})");
  EXPECT_EQ(live_line(call),
            "alice  02:14  muted  RELAYED via 192.0.2.1:4400 (no direct path)  RTT 3 ms  loss 0.0 %  jitter ? ms  MOS "
            "?  heard ?  mic ##  known key");
}

TEST(LiveLine, NeverCallsAStalePathConnected) {
  const auto call = nlohmann::json::parse(
      R"({"peer":"alice@demo.example","state":"talking","path":"direct","via":"192.0.2.1:4400","seconds":5,"last_heard_ms":4100})");
  EXPECT_NE(live_line(call).find("last heard 4 s ago"), std::string::npos);
  EXPECT_EQ(live_line(call).find("DIRECT"), std::string::npos);
}

}  // namespace
}  // namespace linnet::cli
