// What a node leaves lying about: modes of its files, and what its log tells.
#include <sys/stat.h>

#include <csignal>

#include "crypto/identity.h"
#include "node/io/store/key_file.h"
#include "tests/scenario/daemon.h"

namespace linnet::scenario {
namespace {

TEST(Files, AreClosedToOtherUsers) {
  Daemon alice("alice@demo.example");
  ASSERT_TRUE(alice.up());
  int seen = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(alice.home().path())) {
    struct stat s {};
    ASSERT_EQ(::lstat(entry.path().c_str(), &s), 0);
    EXPECT_EQ(s.st_mode & 0777u, entry.is_directory() ? 0700u : 0600u) << entry.path();
    EXPECT_EQ(s.st_uid, ::geteuid()) << entry.path();
    ++seen;
  }
  EXPECT_GE(seen, 4) << "key, store, socket, log";
  EXPECT_TRUE(std::filesystem::is_socket(alice.home() / "control.sock"));
}

// Without --home: a daemon and its program find each other in the XDG folders, or in those that stand for them.
TEST(Files, LieInTheXdgFolders) {
  const io::HomeFolder folder;
  const auto at = [&](const std::string& name) { return (folder / name).string(); };
  const Environment bare{"HOME=" + folder.path().string(),
                         "LINNET_HOME=",
                         "LINNET_AUDIO=none",
                         "XDG_CONFIG_HOME=",
                         "XDG_DATA_HOME=",
                         "XDG_STATE_HOME=",
                         "XDG_RUNTIME_DIR="};
  const Environment xdg{"HOME=/nonexistent",           "LINNET_HOME=",
                        "LINNET_AUDIO=none",           "XDG_CONFIG_HOME=" + at("config"),
                        "XDG_DATA_HOME=" + at("data"), "XDG_STATE_HOME=" + at("state"),
                        "XDG_RUNTIME_DIR=" + at("run")};
  const struct {
    Environment environment;
    std::string config, data, state, run;
  } cases[] = {{bare, ".config", ".local/share", ".local/state", ".linnet/run"},
               {xdg, "config", "data", "state", "run/linnet"}};
  for (const auto& c : cases) {
    std::filesystem::create_directories(folder / c.config / "linnet");
    folder.write(c.config + "/linnet/config.toml", "listen = [\"127.0.0.1:0\"]\nlan = false\n");
    ASSERT_EQ(linnet({"id", "new", "alice@demo.example"}, c.environment).exit, 0);
    const auto up = linnet({"up"}, c.environment);
    ASSERT_EQ(up.exit, 0) << up.err;
    EXPECT_NE(up.out.find("127.0.0.1:"), std::string::npos) << "the settings were read: " << up.out;
    EXPECT_EQ(linnet({"status"}, c.environment).exit, 0);
    for (const auto& file : {c.data + "/linnet/identity.key", c.data + "/linnet/store.db",
                             c.state + "/linnet/linnet.log", c.run + "/control.sock"}) {
      struct stat s {};
      ASSERT_EQ(::lstat(at(file).c_str(), &s), 0) << file;
      EXPECT_EQ(s.st_mode & 0777u, 0600u) << file;
      ASSERT_EQ(::lstat((folder / file).parent_path().c_str(), &s), 0);
      EXPECT_EQ(s.st_mode & 0777u, 0700u) << "the folder of " << file;
    }
    EXPECT_EQ(linnet({"down"}, c.environment).exit, 0);
  }
}

TEST(Files, ThatAreOpenRefuseToStartAndSayWhy) {
  Daemon alice("alice@demo.example");
  ASSERT_TRUE(alice.up());
  ASSERT_EQ(alice.run({"down"}).exit, 0);
  for (const auto* name : {"identity.key", "store.db"})
    for (const unsigned mode : {0640u, 0604u, 0666u}) {
      ::chmod((alice.home() / name).c_str(), mode);
      const auto ran = alice.run({"up", "--listen", "127.0.0.1:0"});
      EXPECT_EQ(ran.exit, 1);
      EXPECT_NE(ran.err.find("is open to other users"), std::string::npos) << ran.err;
      EXPECT_NE(ran.err.find("chmod 600"), std::string::npos) << ran.err;
      ::chmod((alice.home() / name).c_str(), 0600);
    }
}

class Logs : public testing::TestWithParam<std::string> {};

// A call that was answered, one that was not found, a reload, a damaged datagram: then the log is read.
TEST_P(Logs, HoldNoKeysAndNoNamesAboveDebug) {
  const std::string level = GetParam();
  Daemon relay("relay@demo.example"), alice("alice@demo.example"), bob("bob@demo.example");
  for (auto* daemon : {&relay, &alice, &bob}) daemon->environment({"LINNET_LOG=" + level});
  ASSERT_TRUE(relay.up({"--relay", "on"}));
  ASSERT_TRUE(alice.up({"--bootstrap", relay.endpoint()}));
  ASSERT_TRUE(bob.up({"--bootstrap", relay.endpoint()}));
  ASSERT_TRUE(alice.online());
  ASSERT_TRUE(bob.online());
  {
    Process call(alice.line({"call", "bob@demo.example", "--duration", "0.3", "--json"}));
    ASSERT_TRUE(bob.until([](const Json& s) { return !s["calls"].empty() && s["calls"][0]["state"] == "incoming"; }));
    ASSERT_EQ(bob.run({"answer"}).exit, 0);
    EXPECT_EQ(call.wait().exit, 0);
  }
  EXPECT_EQ(alice.run({"call", "nobody@demo.example", "--json"}).exit, 4);
  alice.home().write("config.toml", "bootstrap = [\"192.0.2.1:4400\"]\n[call]\nring = 30\n");
  ASSERT_EQ(::kill(alice.pid(), SIGHUP), 0);
  for (auto* daemon : {&relay, &alice, &bob}) ASSERT_EQ(daemon->run({"down"}).exit, 0);

  for (auto* daemon : {&relay, &alice, &bob}) {
    const auto log = daemon->home().read("linnet.log");
    EXPECT_NE(log, "") << daemon->address();
    const auto identity = io::load_identity_file(daemon->home() / "identity.key");
    ASSERT_TRUE(identity && *identity);
    for (const auto& seed : {(*identity)->account.seed.bytes(), (*identity)->device.seed.bytes()}) {
      std::string hex, raw(reinterpret_cast<const char*>(seed.data()), seed.size());
      for (const auto byte : seed) {
        char two[3];
        std::snprintf(two, sizeof two, "%02x", byte);
        hex += two;
      }
      EXPECT_EQ(log.find(raw.substr(0, 8)), std::string::npos);
      EXPECT_EQ(log.find(hex.substr(0, 16)), std::string::npos);
    }
    for (const auto* secret : {"inline:", "a=crypto"}) EXPECT_EQ(log.find(secret), std::string::npos) << secret;
    if (level == "debug") continue;
    for (const auto* word : {"demo.example", "@", "127.0.0.1", "192.0.2.1", "sip:", "v=0", "linnet.alt"})
      EXPECT_EQ(log.find(word), std::string::npos) << daemon->address() << " logged " << word << ":\n" << log;
  }
}

INSTANTIATE_TEST_SUITE_P(AtEachLevel, Logs, testing::Values("debug", "info"),
                         [](const auto& level) { return level.param; });

}  // namespace
}  // namespace linnet::scenario
