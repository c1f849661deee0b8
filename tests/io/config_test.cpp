#include "node/io/settings/config.h"

#include <map>

#include "tests/io/home_folder.h"

namespace linnet::io {
namespace {

std::string error_of(const std::string& text) {
  Settings settings;
  const auto read = parse_config(text, "config.toml", settings);
  return read ? "" : read.error().text;
}

TEST(Config, ReadsEveryKey) {
  Settings s;
  const auto read = parse_config(R"(
listen = ["127.0.0.1:0", "[::1]:4401"]
bootstrap = ["node.example:4400", "192.0.2.1:4400"]
lan = false
network = "office"
log = "debug"
[relay]
mode = "on"
bandwidth = 256
month = 100
private = ["10.0.0.0/8"]
[call]
auto_answer = true
play = "/a.wav"
record = "/b.wav"
codec = "pcmu"
bitrate = 32
frame = 10
ring = 30
[audio]
device = "none"
microphone = "USB Headset"
echo = "speex"
noise = false
gain = false
)",
                                 "config.toml", s);
  ASSERT_TRUE(read) << read.error().text;
  EXPECT_EQ(s.listen.size(), 2u);
  EXPECT_EQ(s.bootstrap, (std::vector<std::string>{"node.example:4400", "192.0.2.1:4400"}));
  EXPECT_FALSE(s.lan);
  EXPECT_FALSE(s.sound);
  EXPECT_EQ(s.sound_choice, (SoundChoice{"USB Headset", ""}));
  EXPECT_EQ(s.sound_processing.echo, media::EchoChoice::speex);
  EXPECT_FALSE(s.sound_processing.noise);
  EXPECT_FALSE(s.sound_processing.gain);
  EXPECT_EQ(s.record, "/b.wav");
  const auto node = s.node_config();
  EXPECT_EQ(node.peer.role, overlay::Role::supernode);
  EXPECT_EQ(node.peer.circuit_bits_per_second, 256'000u);
  EXPECT_EQ(node.peer.network, crypto::network_id("office"));
  EXPECT_EQ(node.codec, node::CodecChoice::pcmu);
  EXPECT_EQ(node.bitrate, 32'000u);
  EXPECT_EQ(node.frame, std::chrono::milliseconds(10));
  EXPECT_EQ(node.ring_timeout, std::chrono::seconds(30));
  EXPECT_TRUE(node.auto_answer);
}

TEST(Config, NamesTheLineAndTheKeyThatWasMeant) {
  EXPECT_EQ(error_of("\n[relay]\n  bandwith = 3\n"),
            "config.toml:3:3 unknown key \"relay.bandwith\"; did you mean \"bandwidth\"?");
  EXPECT_EQ(error_of("lisen = []"), "config.toml:1:1 unknown key \"lisen\"; did you mean \"listen\"?");
  EXPECT_EQ(error_of("[rely]\nmode = \"on\""), "config.toml:1:2 unknown key \"rely\"; did you mean \"relay\"?");
  EXPECT_EQ(error_of("zzz = 1"), "config.toml:1:1 unknown key \"zzz\"");
}

TEST(Config, SaysWhatAValueMustBe) {
  EXPECT_EQ(error_of("[relay]\nmode = \"maybe\""),
            "config.toml:2:8 \"relay.mode\" must be \"on\", \"off\" or \"auto\"");
  EXPECT_EQ(error_of("lan = 1"), "config.toml:1:7 \"lan\" must be true or false");
  EXPECT_EQ(error_of("[call]\nframe = 15"), "config.toml:2:9 \"call.frame\" must be 10, 20, 40 or 60 (ms)");
  EXPECT_EQ(error_of("[relay]\nbandwidth = -1"),
            "config.toml:2:13 \"relay.bandwidth\" must be kbit/s a circuit, 8 to 1000000");
  EXPECT_EQ(error_of("listen = [\"1.2.3.4\"]"),
            "config.toml:1:10 \"listen\" must be a list of ADDR:PORT, as in [\"0.0.0.0:4400\"]");
  EXPECT_EQ(error_of("[audio]\necho = \"on\""),
            "config.toml:2:8 \"audio.echo\" must be \"auto\", \"webrtc\", \"speex\" or \"off\"");
  EXPECT_EQ(error_of("relay = 3"), "config.toml:1:9 \"relay\" must be a table: [relay]");
}

TEST(Config, PlacesAMistakeOfForm) {
  EXPECT_EQ(error_of("lan = \n").substr(0, 14), "config.toml:1:");
  EXPECT_EQ(error_of("listen = [\"a\n").substr(0, 14), "config.toml:1:");
  EXPECT_EQ(error_of("[ = 3\n").substr(0, 14), "config.toml:1:");
}

TEST(Config, RefusesAKeyOfMoreSegmentsThanTheStackHolds) {
  std::string deep = "a";
  for (int i = 0; i < 16'000; ++i) deep += ".a";
  EXPECT_EQ(error_of(deep + " = 1"), "config.toml:1:66 more than 32 dots");
  EXPECT_EQ(error_of("lan = true # ...\n[" + deep + "]"), "config.toml:2:67 more than 32 dots");
  EXPECT_EQ(error_of("network = \"" + std::string(40, '.') + "\""), "");
  EXPECT_EQ(error_of(std::string(33 * 1024, '\n')), "config.toml: more than 32 KiB");
}

TEST(Config, TakesLettersBeyondAsciiInQuotesAndCommentsAlone) {
  EXPECT_EQ(error_of("network = \"b\u00fcro\" # \u0441\u0435\u0442\u044c\n"), "");
  EXPECT_EQ(error_of("network = '''b\u00fcro'''\n"), "");
  EXPECT_EQ(error_of("\ufefflan = true\n"), "");
  EXPECT_EQ(error_of("b\u045d = 1"), "config.toml:1:2 a letter that needs quotes");
  EXPECT_EQ(error_of("lan = true\n\u00e9 = 1"), "config.toml:2:1 a letter that needs quotes");
  EXPECT_EQ(error_of("lan = 6\"\u00fc\""), "config.toml:1:8 a quote in the middle of a word");
}

TEST(Config, IsNotMistakenAboutWhereALongerTextEnds) {
  std::string deep = "a";
  for (int i = 0; i < 10'000; ++i) deep += ".a";
  EXPECT_NE(error_of("v = {a = \"\"\"\n' \"\"\", " + deep + " = 1}").find("dots"), std::string::npos);
  EXPECT_NE(error_of("v = {a = '''\n\" ''''', " + deep + " = 1}").find("dots"), std::string::npos);
  EXPECT_EQ(error_of("network = \"\"\"\n" + std::string(40, '.') + "\"\"\"\"\"\n"), "");
}

TEST(Config, ChangesNothingWhenAnythingIsWrong) {
  Settings s;
  EXPECT_FALSE(parse_config("network = \"office\"\nzzz = 1\n", "config.toml", s));
  EXPECT_EQ(s.network, "linnet");
}

TEST(Config, LetsTheEnvironmentWinOverTheFile) {
  Settings s;
  ASSERT_TRUE(parse_config("lan = true\nnetwork = \"file\"\nlog = \"warn\"", "config.toml", s));
  const std::map<std::string, std::string> variables{{"LINNET_NETWORK", "environment"},
                                                     {"LINNET_LAN", "off"},
                                                     {"LINNET_BOOTSTRAP", "a.example:1, b.example:2"},
                                                     {"LINNET_AUDIO", "none"}};
  const auto get = [&](const char* name) { return variables.count(name) > 0 ? variables.at(name).c_str() : nullptr; };
  ASSERT_TRUE(apply_environment(get, s));
  EXPECT_EQ(s.network, "environment");
  EXPECT_FALSE(s.lan);
  EXPECT_FALSE(s.sound);
  EXPECT_EQ(s.log_level, "warn");
  EXPECT_EQ(s.bootstrap, (std::vector<std::string>{"a.example:1", "b.example:2"}));
}

TEST(Config, RefusesAWrongVariableWithItsName) {
  Settings s;
  const auto set = apply_environment(
      [](const char* name) { return std::string_view(name) == "LINNET_RELAY" ? "perhaps" : nullptr; }, s);
  ASSERT_FALSE(set);
  EXPECT_EQ(set.error().text, "LINNET_RELAY: \"perhaps\" is not on, off or auto");
  EXPECT_EQ(set.error().exit, Exit::usage);
}

TEST(Config, TakesNoSecretThatCouldBeGuessed) {
  EXPECT_EQ(error_of("[turn]\nsecret = \"what the office knows\"\n"), "");
  EXPECT_EQ(error_of("[turn]\nsecret = \"0123456789abcde\"\n"),
            "config.toml:2:10 \"turn.secret\" must be a text of 16 to 256 bytes, as of: openssl rand -hex 24");
  Settings settings;
  EXPECT_FALSE(settings.turn_config());
  settings.turn_secret = "what the office knows";
  ASSERT_TRUE(settings.turn_config());
  EXPECT_EQ(settings.turn_config()->secret, "what the office knows");
  EXPECT_TRUE(settings.turn_config()->users.empty());
}

std::string turn_client(const std::string& more) {
  return error_of("[turn-client]\nserver = \"turns:turn.example\"\nuser = \"u\"\npassword = \"p\"\n" + more);
}
const std::string kPin = "fingerprint = \"sha256:" + std::string(64, 'A') + "\"\n";

TEST(Config, OfATurnServerLooksAtTheCertificateOrDoesNot) {
  EXPECT_EQ(turn_client(""), "");
  EXPECT_EQ(turn_client("insecure = true\n"), "");
  EXPECT_EQ(turn_client("ca = \"/ca.pem\"\n"), "");
  EXPECT_EQ(turn_client(kPin), "");
  EXPECT_EQ(
      turn_client("insecure = true\n" + kPin),
      "config.toml:5:12 \"turn-client.insecure\" does not go with \"turn-client.fingerprint\": the certificate is "
      "looked at or it is not");
  EXPECT_EQ(
      turn_client("ca = \"/ca.pem\"\ninsecure = true\n"),
      "config.toml:6:12 \"turn-client.insecure\" does not go with \"turn-client.ca\": the certificate is looked at "
      "or it is not");
}

TEST(Config, OfATurnServerNeedsANameAndAPassword) {
  const std::string server = "[turn-client]\nserver = \"turn:turn.example\"\n";
  EXPECT_EQ(
      error_of(server + "password = \"p\"\n"),
      "config.toml:2:10 \"turn-client.server\" needs \"turn-client.user\", the name that the server knows you by");
  EXPECT_EQ(error_of(server + "user = \"u\"\n"),
            "config.toml:2:10 \"turn-client.server\" needs \"turn-client.password\"");
  EXPECT_EQ(error_of(server + "user = \"u\"\npassword = \"p\"\n"), "");
}

TEST(Config, OfATurnServerWithoutTlsHasNoCertificateToTrust) {
  for (const std::string uri : {"turn:turn.example", "turn:turn.example?transport=tcp"}) {
    const auto server = "[turn-client]\nserver = \"" + uri + "\"\nuser = \"u\"\npassword = \"p\"\n";
    const std::string why = "is of use with TLS only, and \"turn-client.server\" has none: write turns:HOST";
    EXPECT_EQ(error_of(server + "ca = \"/ca.pem\"\n"), "config.toml:5:6 \"turn-client.ca\" " + why);
    EXPECT_EQ(error_of(server + kPin), "config.toml:5:15 \"turn-client.fingerprint\" " + why);
  }
}

TEST(Config, OfATurnServerMayStandInTwoFiles) {
  const HomeFolder home;
  home.write("system.toml", "[turn-client]\nserver = \"turn:turn.example\"\n");
  home.write("config.toml", "[turn-client]\nuser = \"u\"\npassword = \"p\"\n");
  Settings s;
  EXPECT_TRUE(read_config_files({home / "system.toml", home / "config.toml"}, s));
  home.write("config.toml", "[turn-client]\nuser = \"u\"\n");
  Settings without;
  const auto read = read_config_files({home / "system.toml", home / "config.toml"}, without);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().text,
            (home / "system.toml").string() + ":2:10 \"turn-client.server\" needs \"turn-client.password\"");
}

TEST(Config, ReadsTheStrongerFileLast) {
  const HomeFolder home;
  home.write("system.toml", "network = \"system\"\nlan = false\n");
  home.write("config.toml", "network = \"user\"\n[call]\nplay = \"hello.wav\"\n");
  Settings s;
  ASSERT_TRUE(read_config_files({home / "system.toml", home / "missing.toml", home / "config.toml"}, s));
  EXPECT_EQ(s.network, "user");
  EXPECT_FALSE(s.lan);
  EXPECT_EQ(s.play, (home / "hello.wav").string());
}

TEST(Config, IsNotGoodWhenItIsALinkToNothing) {
  const HomeFolder home;
  std::filesystem::create_symlink(home / "gone.toml", home / "config.toml");
  Settings s;
  const auto read = read_config_files({home / "config.toml"}, s);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().text, (home / "config.toml").string() + " is a link to a file that does not exist.");
}

TEST(Config, NamesTheFileOfTheSystemByItsPlace) {
  const HomeFolder home;
  home.write("system.toml", "lam = false\n");
  home.write("config.toml", "\n");
  Settings s;
  const auto read = read_config_files({home / "system.toml", home / "config.toml"}, s);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().text, (home / "system.toml").string() + ":1:1 unknown key \"lam\"; did you mean \"lan\"?");
}

}  // namespace
}  // namespace linnet::io
