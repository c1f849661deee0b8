// What one daemon promises to the scripts around it.
#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <csignal>
#include <cstdlib>

#include "checkout.h"
#include "node/io/net/address.h"
#include "tests/scenario/daemon.h"

namespace linnet::scenario {
namespace {

std::string program() { return LINNET_BINARY_DIR "/linnet"; }

// For what only a shell does: closed and odd descriptors.
int shell(const std::string& line) {
  const int status = std::system(line.c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(Program, SaysWhichCommandWasMeant) {
  const auto ran = linnet({"cal", "bob@demo.example"});
  EXPECT_EQ(ran.exit, 2);
  EXPECT_EQ(ran.err, "Unknown command \"cal\". Did you mean \"call\"?\n");
  EXPECT_EQ(ran.out, "");
}

TEST(Program, SaysThatTheDaemonDoesNotRun) {
  const io::HomeFolder home;
  for (const auto& command : std::vector<std::vector<std::string>>{{"status"},
                                                                   {"call", "bob@demo.example", "--json"},
                                                                   {"answer"},
                                                                   {"hangup"},
                                                                   {"hold"},
                                                                   {"mute"},
                                                                   {"who", "bob@demo.example"},
                                                                   {"log", "--json"},
                                                                   {"down"}}) {
    std::vector<std::string> line{"--home", home.path().string()};
    line.insert(line.end(), command.begin(), command.end());
    const auto ran = linnet(line);
    EXPECT_EQ(ran.exit, 3) << command.front();
    EXPECT_EQ(ran.err, "The daemon is not running. Start it: linnet up\n");
    EXPECT_EQ(ran.out.empty(), command.back() != "--json") << ran.out;
  }
}

// An idle leaf pays for none of them: TLS with its key, PortAudio that looks for devices, what cleans a microphone.
TEST(OneDaemon, StartsTlsAndSoundWhenTheyAreNeededFirst) {
  Daemon relay("relay@demo.example"), alice("alice@demo.example"), bob("bob@demo.example");
  ASSERT_TRUE(relay.up({"--relay", "on"}));
  ASSERT_TRUE(alice.up({"--bootstrap", relay.endpoint()}));
  ASSERT_TRUE(bob.up({"--auto-answer", "--bootstrap", relay.endpoint()}));
  for (const auto* daemon : {&relay, &alice, &bob}) ASSERT_TRUE(daemon->online());
  const auto started = [&] { return alice.ask(R"({"cmd":"counters"})")["started"]; };
  const Json nothing{{"tls", false}, {"sound", false}, {"cleaning", false}};
  EXPECT_EQ(started(), nothing) << "idle";
  ASSERT_EQ(alice.run({"call", "bob@demo.example", "--duration", "0.3", "--json"}).exit, 0);
  EXPECT_EQ(started(), nothing) << "a call that speaks from no card, over UDP";
  ASSERT_EQ(alice.run({"netcheck", "--json"}).exit, 0);
  EXPECT_EQ(started()["tls"], true) << "it tries port 443";
  EXPECT_EQ(started()["sound"], false);  // SoundCards tell when it does
}

TEST(OneDaemon, IsListeningWhenUpReturns) {
  Daemon alice("alice@demo.example");
  ASSERT_TRUE(alice.up());
  const auto status = alice.status();
  EXPECT_EQ(status["schema"], 1);
  EXPECT_EQ(status["role"], "leaf");
  EXPECT_EQ(status["uri"], "alice@demo.example");
  EXPECT_EQ(status["listen"].size(), 1u);
  EXPECT_NE(status["listen"][0].get<std::string>(), "127.0.0.1:0");
  EXPECT_TRUE(alice.until([](const Json& s) { return s["state"] == "alone"; }));
}

TEST(OneDaemon, MakesAnIdentityOfItsUserAndSaysSo) {
  Daemon someone("");
  const auto up = someone.run({"up", "--listen", "127.0.0.1:0"});
  ASSERT_EQ(up.exit, 0) << up.err;
  EXPECT_NE(up.err.find("There was no identity"), std::string::npos);
  const auto status = someone.status();
  EXPECT_EQ(status["uri"], status["key_name"]);
  EXPECT_EQ(someone.run({"down"}).exit, 0);
}

TEST(OneDaemon, MakesNoIdentityWhenItCannotStart) {
  Daemon someone("");
  for (const auto& flags : std::vector<std::vector<std::string>>{
           {"--listen", "203.0.113.77:0"}, {"--play", "/nonexistent/a.wav"}, {"--record", "/nonexistent/a.wav"}}) {
    std::vector<std::string> line{"up", "--listen", "127.0.0.1:0"};
    line.insert(line.end(), flags.begin(), flags.end());
    const auto ran = someone.run(line);
    EXPECT_EQ(ran.exit, 1) << flags.back();
    EXPECT_NE(ran.err, "") << flags.back();
    EXPECT_FALSE(io::file_exists(someone.home() / "identity.key")) << flags.back();
  }
}

TEST(OneDaemon, GivesACallersScriptItsLastLineEvenWhenItRefuses) {
  Daemon alice("alice@demo.example");
  ASSERT_TRUE(alice.up());
  for (const auto& flags :
       std::vector<std::vector<std::string>>{{"--play", "/nonexistent/a.wav"}, {"--record", "/nonexistent/a.wav"}}) {
    std::vector<std::string> line{"call", "bob@demo.example", "--json"};
    line.insert(line.end(), flags.begin(), flags.end());
    const auto ran = alice.run(line);
    EXPECT_EQ(ran.exit, 1) << ran.err;
    EXPECT_EQ(ran.last_line()["result"], "failed");
    EXPECT_NE(ran.err.find("/nonexistent/a.wav"), std::string::npos);
  }
}

TEST(OneDaemon, SaysWhichCallThereIsNot) {
  Daemon alice("alice@demo.example");
  ASSERT_TRUE(alice.up());
  for (const auto* command : {"hold", "mute", "hangup"}) {
    const auto ran = alice.run({command, "--call", "99"});
    EXPECT_EQ(ran.exit, 4);
    EXPECT_EQ(ran.err, "There is no call.\n");
  }
}

TEST(Program, FailsWhenItsDataDoesNotArrive) {
  EXPECT_EQ(shell(program() + " --help >/dev/full 2>/dev/null"), 1);
  EXPECT_EQ(shell(program() + " --help >&-"), 0) << "nobody asked for it";
}

TEST(Program, StartsADaemonWithoutStandardDescriptors) {
  Daemon alice("alice@demo.example");
  ASSERT_EQ(alice.run({"id", "new", "alice@demo.example"}).exit, 0);
  const std::string linnet = program() + " --home " + alice.home().path().string() + " ";
  EXPECT_EQ(shell(linnet + "up --listen 127.0.0.1:0 <&- >&- 2>&-"), 0);
  EXPECT_EQ(shell(linnet + "status --json <&- >&- 2>&-"), 0);
  EXPECT_EQ(alice.run({"status"}).exit, 0);
  EXPECT_EQ(alice.run({"down"}).exit, 0);
}

TEST(OneDaemon, IsGoneWhenDownReturns) {
  Daemon alice("alice@demo.example");
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(alice.up());
    ASSERT_EQ(alice.run({"down"}).exit, 0);
    EXPECT_EQ(alice.run({"status"}).exit, 3);
  }
}

TEST(OneDaemon, LeavesOnSigterm) {
  Daemon alice("alice@demo.example");
  ASSERT_EQ(alice.run({"id", "new", "alice@demo.example"}).exit, 0);
  Process daemon(alice.line({"up", "--foreground", "--json", "--listen", "127.0.0.1:0"}));
  ASSERT_TRUE(daemon.line(20'000));
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.wait().exit, 0);
}

TEST(OneDaemon, RefusesASecondOneOnItsHome) {
  Daemon alice("alice@demo.example");
  ASSERT_TRUE(alice.up());
  const auto second = alice.run({"up", "--listen", "127.0.0.1:0"});
  EXPECT_EQ(second.exit, 1);
  EXPECT_NE(second.err.find("A daemon runs on " + alice.home().path().string() + " already (process "),
            std::string::npos)
      << second.err;
  EXPECT_EQ(alice.run({"status"}).exit, 0);
}

TEST(OneDaemon, NamesThePortThatAnotherProgramHas) {
  Daemon alice("alice@demo.example");
  Daemon bob("bob@demo.example");
  ASSERT_TRUE(alice.up());
  const auto endpoint = alice.endpoint();
  const auto second = bob.run({"up", "--listen", endpoint});
  EXPECT_EQ(second.exit, 1);
  const auto port = endpoint.substr(endpoint.rfind(':') + 1);
  EXPECT_NE(second.err.find("Port " + port + " is used by another program (" + endpoint + ")"), std::string::npos)
      << second.err;
}

TEST(OneDaemon, NamesThePlaceOfAMistakeInItsConfiguration) {
  Daemon alice("alice@demo.example");
  alice.home().write("config.toml", "lan = false\n[relay]\nbandwith = 3\n");
  for (const auto& command : std::vector<std::vector<std::string>>{{"up"}, {"config", "check"}}) {
    const auto ran = alice.run(command);
    EXPECT_EQ(ran.exit, 1);
    EXPECT_EQ(ran.err, "config.toml:3:1 unknown key \"relay.bandwith\"; did you mean \"bandwidth\"?\n");
  }
}

TEST(OneDaemon, RefusesWrongFlagsBeforeAnythingStarts) {
  Daemon alice("alice@demo.example");
  for (const auto& flags : std::vector<std::vector<std::string>>{{"--listen", "nowhere"},
                                                                 {"--bootstrap", "1.2.3:4400"},
                                                                 {"--relay", "perhaps"},
                                                                 {"--lan", "maybe"},
                                                                 {"--bandwith", "3"}}) {
    std::vector<std::string> line{"up"};
    line.insert(line.end(), flags.begin(), flags.end());
    EXPECT_EQ(alice.run(line).exit, 2) << flags.front();
  }
  EXPECT_FALSE(io::file_exists(alice.home() / "identity.key"));
}

TEST(OneDaemon, NeverOverwritesADamagedKey) {
  Daemon alice("alice@demo.example");
  ASSERT_EQ(alice.run({"id", "new", "alice@demo.example"}).exit, 0);
  auto bytes = alice.home().read("identity.key");
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  alice.home().write("identity.key", bytes);
  for (const auto& command :
       std::vector<std::vector<std::string>>{{"up"}, {"id", "show"}, {"id", "new", "alice@demo.example"}}) {
    const auto ran = alice.run(command);
    EXPECT_EQ(ran.exit, 1);
    EXPECT_NE(ran.err.find("left as it "), std::string::npos) << ran.err;
    EXPECT_EQ(alice.home().read("identity.key"), bytes);
  }
}

TEST(OneDaemon, NeverOverwritesADamagedStore) {
  Daemon alice("alice@demo.example");
  const std::string bytes(5000, 'z');
  alice.home().write("store.db", bytes);
  ::chmod((alice.home() / "store.db").c_str(), 0600);
  const auto ran = alice.run({"up", "--listen", "127.0.0.1:0"});
  EXPECT_EQ(ran.exit, 1);
  EXPECT_NE(ran.err.find("is damaged"), std::string::npos) << ran.err;
  EXPECT_EQ(alice.home().read("store.db"), bytes);
}

TEST(OneDaemon, RefusesAHomeThatIsOpenToOthers) {
  Daemon alice("alice@demo.example");
  ::chmod(alice.home().path().c_str(), 0755);
  const auto ran = alice.run({"up"});
  EXPECT_EQ(ran.exit, 1);
  EXPECT_NE(ran.err.find("is open to other users (mode 0755)"), std::string::npos) << ran.err;
}

TEST(OneDaemon, CountsAndDropsMalformedDatagrams) {
  Daemon alice("alice@demo.example");
  ASSERT_TRUE(alice.up({"--relay", "on"}));
  const auto to = io::to_socket_address(Endpoint::parse(alice.endpoint()).value());
  const io::Fd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  constexpr int kEach = 8;
  int sent = 0;
  for (int first = 0; first < 256; ++first)
    for (int i = 0; i < kEach; ++i) {
      std::string bytes(static_cast<std::size_t>(1 + i * 180), static_cast<char>(first * 31 + i));
      bytes[0] = static_cast<char>(first);
      ASSERT_GT(::sendto(fd.get(), bytes.data(), bytes.size(), 0, to.get(), to.size), 0);
      ++sent;
      // Loopback keeps the order; the daemon's buffer must not overflow.
      if (sent % 64 == 0) alice.ask(R"({"cmd":"counters"})");
    }
  Json counters;
  for (int i = 0; i < 200; ++i) {
    counters = alice.ask(R"({"cmd":"counters"})");
    if (counters.value("datagrams_in", 0) >= sent) break;
  }
  EXPECT_EQ(counters.value("datagrams_in", 0), sent);
  EXPECT_GT(counters.value("malformed", 0) + counters.value("dropped", 0), sent / 2);
  EXPECT_EQ(alice.run({"status"}).exit, 0);
}

TEST(OneDaemon, WritesALineOnlyWhenSomethingChanged) {
  Daemon alice("alice@demo.example");
  ASSERT_TRUE(alice.up());
  ASSERT_TRUE(alice.until([](const Json& s) { return s["state"] == "alone"; }));
  Process watch(alice.line({"status", "--watch", "--json"}));
  ASSERT_TRUE(watch.line(10'000));
  EXPECT_FALSE(watch.line(2'500));  // nothing happens: nothing is said
  ASSERT_EQ(alice.run({"down"}).exit, 0);
  EXPECT_NE(watch.wait().exit, -1);
}

}  // namespace
}  // namespace linnet::scenario
