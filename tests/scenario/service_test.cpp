// A daemon under a supervisor: sd_notify, SIGHUP, SIGTERM with a call standing.
#include <sys/socket.h>
#include <sys/un.h>

#include <csignal>

#include "tests/scenario/daemon.h"

namespace linnet::scenario {
namespace {

// systemd's end of $NOTIFY_SOCKET.
class Supervisor {
 public:
  Supervisor() : fd_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    const auto path = (folder_ / "notify").string();
    path.copy(at.sun_path, sizeof at.sun_path - 1);
    if (::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0) std::abort();
    const timeval patience{20, 0};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }
  Environment environment() const { return {"NOTIFY_SOCKET=" + (folder_ / "notify").string(), "WATCHDOG_USEC=200000"}; }
  // The next message that holds the text.
  std::string until(const std::string& text) const {
    for (int i = 0; i < 1000; ++i) {
      char bytes[2048];
      const auto n = ::recv(fd_.get(), bytes, sizeof bytes, 0);
      if (n <= 0) break;
      const std::string message(bytes, static_cast<std::size_t>(n));
      if (message.find(text) != std::string::npos) return message;
    }
    return "never: " + text;
  }

 private:
  io::HomeFolder folder_;
  io::Fd fd_;
};

const std::vector<std::string> kUp{"up", "--foreground", "--json", "--listen", "127.0.0.1:0"};

TEST(UnderSystemd, SaysWhenItIsReadyHowItIsThatItLivesAndStops) {
  Daemon alice("alice@demo.example");
  ASSERT_EQ(alice.run({"id", "new", "alice@demo.example"}).exit, 0);
  const Supervisor systemd;
  Process daemon(alice.line(kUp), systemd.environment());
  EXPECT_EQ(systemd.until("READY=1"), "READY=1");
  EXPECT_EQ(systemd.until("WATCHDOG=1"), "WATCHDOG=1");
  EXPECT_EQ(systemd.until("alone"), "STATUS=alone, 0 supernodes, 0 calls");
  daemon.signal(SIGTERM);
  EXPECT_EQ(systemd.until("STOPPING=1").substr(0, 11), "STOPPING=1\n");
  EXPECT_EQ(daemon.wait().exit, 0);
}

TEST(Reloading, SaysWhatChangedAndKeepsTheSettingsWhenTheFileIsWrong) {
  Daemon alice("alice@demo.example");
  ASSERT_EQ(alice.run({"id", "new", "alice@demo.example"}).exit, 0);
  alice.home().write("config.toml", "[call]\nring = 60\n");
  const Supervisor systemd;
  Process daemon(alice.line(kUp), systemd.environment());
  ASSERT_TRUE(daemon.line(20'000));
  systemd.until("READY=1");

  alice.home().write("config.toml", "network = \"office\"\n[call]\nring = 30\n");
  daemon.signal(SIGHUP);
  EXPECT_EQ(systemd.until("RELOADING=1").substr(0, 27), "RELOADING=1\nMONOTONIC_USEC=");
  const std::string changed = "Reloaded: call.ring 60 -> 30. Needs a restart: network \"linnet\" -> \"office\".";
  EXPECT_EQ(systemd.until("READY=1"), "READY=1\nSTATUS=" + changed);

  alice.home().write("config.toml", "[relay]\nbandwith = 3\n");
  daemon.signal(SIGHUP);
  const std::string kept =
      "config.toml:2:1 unknown key \"relay.bandwith\"; did you mean \"bandwidth\"? Kept the running settings.";
  EXPECT_EQ(systemd.until("READY=1"), "READY=1\nSTATUS=" + kept);

  // The settings that were kept are those of the first reload.
  alice.home().write("config.toml", "network = \"office\"\n[call]\nring = 40\n");
  daemon.signal(SIGHUP);
  EXPECT_EQ(systemd.until("READY=1").substr(0, 45), "READY=1\nSTATUS=Reloaded: call.ring 30 -> 40. ");

  daemon.signal(SIGTERM);
  const auto ran = daemon.wait();
  EXPECT_EQ(ran.exit, 0);
  EXPECT_NE(ran.err.find(changed), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find(kept), std::string::npos) << ran.err;
}

TEST(Reloading, AnswersCallsByItselfFromThenOn) {
  Daemon relay("relay@demo.example"), alice("alice@demo.example"), bob("bob@demo.example");
  ASSERT_TRUE(relay.up({"--relay", "on"}));
  ASSERT_TRUE(alice.up({"--bootstrap", relay.endpoint()}));
  ASSERT_TRUE(bob.up({"--bootstrap", relay.endpoint()}));
  ASSERT_TRUE(alice.online());
  ASSERT_TRUE(bob.online());
  Process call(alice.line({"call", "bob@demo.example", "--duration", "0.5", "--json"}));
  // The ringing shows on both sides.
  ASSERT_TRUE(bob.until([](const Json& s) { return !s["calls"].empty() && s["calls"][0]["state"] == "incoming"; }));
  ASSERT_TRUE(alice.until([](const Json& s) { return !s["calls"].empty() && s["calls"][0]["state"] == "ringing"; }));
  ASSERT_EQ(bob.run({"hangup"}).exit, 0);
  EXPECT_EQ(call.wait().exit, 6);
  bob.home().write("config.toml", "[call]\nauto_answer = true\n");
  ASSERT_EQ(::kill(bob.pid(), SIGHUP), 0);
  int exit = 6;
  for (int i = 0; i < 20 && exit == 6; ++i) {
    Process again(alice.line({"call", "bob@demo.example", "--duration", "0.5", "--json"}));
    bob.until([](const Json& s) { return !s["calls"].empty(); });
    if (bob.status()["calls"].empty() || bob.status()["calls"][0]["state"] == "incoming") bob.run({"hangup"});
    exit = again.wait().exit;
  }
  EXPECT_EQ(exit, 0);
}

TEST(UnderSystemd, DrainsACallOnSigterm) {
  Daemon relay("relay@demo.example"), alice("alice@demo.example"), bob("bob@demo.example");
  ASSERT_TRUE(relay.up({"--relay", "on"}));
  ASSERT_TRUE(alice.up({"--bootstrap", relay.endpoint()}));
  ASSERT_TRUE(bob.up({"--auto-answer", "--bootstrap", relay.endpoint()}));
  ASSERT_TRUE(alice.online());
  ASSERT_TRUE(bob.online());
  Process call(alice.line({"call", "bob@demo.example", "--json"}));
  ASSERT_TRUE(alice.until([](const Json& s) { return !s["calls"].empty() && s["calls"][0]["state"] == "talking"; }));
  ASSERT_EQ(::kill(alice.pid(), SIGTERM), 0);
  const auto ran = call.wait(12'000);
  EXPECT_EQ(ran.last_line()["result"], "ended") << ran.err;
  EXPECT_TRUE(bob.until([](const Json& s) { return s["calls"].empty(); })) << "bob was told";
  EXPECT_EQ(bob.run({"log", "--json"}).last_line()["result"], "ended");
}

}  // namespace
}  // namespace linnet::scenario
