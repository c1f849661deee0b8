// A TURN server in the settings: of a real daemon, and of calls that have no other relay (tests/lab/nat/turn; needs
// root).
#include <sstream>

#include "tests/scenario/daemon.h"
#include "tests/scenario/lab.h"

namespace linnet::scenario {
namespace {

constexpr auto kPassword = "long and secret";

class TurnInSettings : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(
        relay_.up({"--relay", "on", "--turn-user", std::string("phone:") + kPassword, "--relay-allow-loopback"}));
  }
  void use(const std::string& uri, const std::string& password = kPassword) {
    alice_.home().write("config.toml", "log = \"debug\"\n[turn-client]\nserver = \"" + uri +
                                           "\"\nuser = \"phone\"\npassword = \"" + password + "\"\n");
  }
  std::string place() const { return relay_.endpoint(); }

  Daemon relay_{"relay@turn.example"};
  Daemon alice_{"alice@turn.example"};
};

TEST_F(TurnInSettings, GivesARelayedAddressOverUdpAndTcp) {
  for (const std::string query : {"", "?transport=tcp"}) {
    use("turn:" + place() + query);
    ASSERT_TRUE(alice_.up());
    ASSERT_TRUE(alice_.until([](const Json& s) { return s["turn_client"]["state"] == "ready"; })) << query;
    const auto turn = alice_.status()["turn_client"];
    EXPECT_EQ(turn["server"], place());
    EXPECT_EQ(turn["transport"], query.empty() ? "udp" : "tcp");
    ASSERT_EQ(turn["relayed"].size(), 1U) << turn;
    EXPECT_TRUE(turn["trouble"].is_null());
    EXPECT_EQ(relay_.status()["turn"]["allocations"], 1);
    ASSERT_EQ(alice_.run({"down"}).exit, 0);
    EXPECT_TRUE(relay_.until([](const Json& s) { return s["turn"]["allocations"] == 0; })) << "given back";
  }
}

TEST_F(TurnInSettings, WithAWrongPasswordIsSaidInTheStatus) {
  use("turn:" + place(), "a guess");
  ASSERT_TRUE(alice_.up());
  ASSERT_TRUE(alice_.until([](const Json& s) { return s["turn_client"]["state"] == "waiting"; }));
  const auto turn = alice_.status()["turn_client"];
  EXPECT_NE(turn["trouble"].get<std::string>().find("user and password"), std::string::npos) << turn;
  EXPECT_EQ(turn["relayed"].size(), 0U);
}

TEST_F(TurnInSettings, NeverShowsThePassword) {
  use("turn:" + place());
  const auto checked = alice_.run({"config", "check"});
  EXPECT_EQ(checked.exit, 0) << checked.err;
  ASSERT_TRUE(alice_.up());
  ASSERT_TRUE(alice_.until([](const Json& s) { return s["turn_client"]["state"] == "ready"; }));
  const auto status = alice_.run({"status", "--json"});
  const auto doctor = alice_.run({"doctor", "--json"});
  for (const auto& text :
       {checked.out + checked.err, status.out, doctor.out + doctor.err, alice_.home().read("linnet.log")})
    EXPECT_EQ(text.find(kPassword), std::string::npos) << text;
}

TEST_F(TurnInSettings, IsNoneWhereNoneIsNamed) {
  ASSERT_TRUE(alice_.up());
  EXPECT_TRUE(alice_.status()["turn_client"].is_null());
}

TEST(TurnSettings, ThatAreWrongAreToldWithLineAndColumn) {
  Daemon alice("alice@turn.example");
  alice.home().write("config.toml", "[turn-client]\nserver = \"stun:turn.example\"\n");
  const auto ran = alice.run({"config", "check"});
  EXPECT_NE(ran.exit, 0);
  EXPECT_NE((ran.out + ran.err).find("config.toml:2:10"), std::string::npos) << ran.out << ran.err;
}

class TurnCalls : public Lab {
 protected:
  std::vector<Json> rows(const std::string& arguments) {
    std::vector<Json> out;
    const auto said = run("nat/turn", "--linnet " LINNET_BINARY_DIR "/linnet --seconds 3 " + arguments);
    if (!said) return out;
    std::istringstream lines(*said);
    for (std::string line; std::getline(lines, line);) out.push_back(Json::parse(line, nullptr, false));
    return out;
  }
};

TEST_F(TurnCalls, BetweenSymmetricNatsWithoutCircuitsGoThroughTheServerOfTheSettings) {
  const auto found = rows("--transports udp,tls");
  if (found.empty()) GTEST_SKIP() << log_;
  ASSERT_EQ(found.size(), 4U) << log_;
  for (const auto& row : found) {
    EXPECT_EQ(row["good"], true) << row;
    EXPECT_EQ(row["forged"], 0) << row;
  }
}

TEST_F(TurnCalls, PreferTheCircuitsOfSupernodes) {
  const auto found = rows("--transports udp --circuits");
  if (found.empty()) GTEST_SKIP() << log_;
  ASSERT_EQ(found.size(), 2U) << log_;
  for (const auto& row : found) EXPECT_EQ(row["good"], true) << row;
}

}  // namespace
}  // namespace linnet::scenario
