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
  void use(const std::string& uri, const std::string& password = kPassword, const std::string& more = "") {
    alice_.home().write("config.toml", "log = \"debug\"\n[turn-client]\nserver = \"" + uri +
                                           "\"\nuser = \"phone\"\npassword = \"" + password + "\"\n" + more);
  }
  bool state(const std::string& wanted) const {
    return bool(alice_.until([&](const Json& s) { return s["turn_client"]["state"] == wanted; }));
  }
  // Of the certificate that the relay made for itself.
  std::string fingerprint() const {
    Process shown("/bin/sh",
                  {"-c", "openssl s_client -connect " + place() +
                             " </dev/null 2>/dev/null | openssl x509 -noout -fingerprint -sha256 | cut -d= -f2"},
                  {});
    return shown.line(20'000).value_or("");
  }
  std::string place() const { return relay_.endpoint(); }
  std::string port() const { return place().substr(place().rfind(':') + 1); }

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

TEST_F(TurnInSettings, IsNotToldThePasswordWhenItsCertificateIsSignedByNobodyThatWeTrust) {
  use("turns:" + place());
  ASSERT_TRUE(alice_.up());
  ASSERT_TRUE(state("waiting"));
  const auto turn = alice_.status()["turn_client"];
  EXPECT_NE(turn["trouble"].get<std::string>().find("the certificate of 127.0.0.1 is not trusted: self-signed"),
            std::string::npos)
      << turn;
  EXPECT_NE(alice_.home().read("linnet.log").find("is not trusted"), std::string::npos);
  EXPECT_EQ(relay_.status()["turn"]["unauthenticated"], 0) << "not one request came";
}

TEST_F(TurnInSettings, IsBelievedByTheFingerprintOfItsCertificateAndNoOther) {
  auto pinned = fingerprint();
  ASSERT_EQ(pinned.size(), 95U) << pinned;
  use("turns:" + place(), kPassword, "fingerprint = \"sha256:" + pinned + "\"\n");
  ASSERT_TRUE(alice_.up());
  ASSERT_TRUE(state("ready")) << alice_.status()["turn_client"];
  ASSERT_EQ(alice_.run({"down"}).exit, 0);
  pinned[0] = pinned[0] == '0' ? '1' : '0';
  use("turns:" + place(), kPassword, "fingerprint = \"" + pinned + "\"\n");
  ASSERT_TRUE(alice_.up());
  ASSERT_TRUE(state("waiting"));
  EXPECT_NE(alice_.status()["turn_client"]["trouble"].get<std::string>().find("another than the one that was pinned"),
            std::string::npos);
}

TEST_F(TurnInSettings, IsBelievedBlindlyOnlyWhereThatIsSaid) {
  use("turns:" + place(), kPassword, "insecure = true\n");
  ASSERT_TRUE(alice_.up());
  ASSERT_TRUE(state("ready")) << alice_.status()["turn_client"];
  EXPECT_NE(alice_.home().read("linnet.log").find("turn-client.insecure"), std::string::npos);
}

TEST_F(TurnInSettings, AndAFileOfAuthoritiesThatIsNotThereAreTold) {
  use("turns:" + place(), kPassword, "ca = \"nowhere.pem\"\n");
  ASSERT_TRUE(alice_.up());
  ASSERT_TRUE(state("waiting"));
  const auto turn = alice_.status()["turn_client"];
  EXPECT_NE(turn["trouble"].get<std::string>().find("no certificates of authorities in "), std::string::npos) << turn;
  EXPECT_NE(turn["trouble"].get<std::string>().find("nowhere.pem"), std::string::npos) << turn;
}

// Its name is one that the proxy alone knows. What it gives is an address of the loopback, which is taken from no
// server elsewhere: so far the login has come by then. Calls by a proxy: TurnCalls, below.
TEST_F(TurnInSettings, IsReachedThroughTheProxyByTcpAndTls) {
  Process proxy(
      "/usr/bin/env",
      {"python3", LINNET_SOURCE_DIR "/tests/lab/net/proxy.py", "127.0.0.1", "0", "--name", "turn.invalid=127.0.0.1"},
      {});
  const auto ready = proxy.line(20'000).value_or("");
  ASSERT_EQ(ready.rfind("ready ", 0), 0U) << ready;
  const auto pinned = fingerprint();
  for (const std::string kind : {"http", "socks5"}) {
    for (const auto& uri : {"turn:turn.invalid:" + port() + "?transport=tcp", "turns:turn.invalid:" + port()}) {
      const auto pin = uri.starts_with("turns:") ? "fingerprint = \"" + pinned + "\"\n" : "";
      use(uri, kPassword, pin + "[net]\nproxy = \"" + kind + "://127.0.0.1:" + ready.substr(6) + "\"\n");
      ASSERT_TRUE(alice_.up());
      ASSERT_TRUE(state("waiting")) << kind << uri;
      const auto turn = alice_.status()["turn_client"];
      EXPECT_EQ(turn["proxy"], true);
      EXPECT_EQ(turn["trouble"], "the TURN server gave no address") << kind << uri;
      ASSERT_EQ(alice_.run({"down"}).exit, 0);
    }
  }
}

// Nobody listens at that proxy.
TEST_F(TurnInSettings, IsReachedStraightWhenTheProxyIsNotThere) {
  alice_.environment({"NO_PROXY=", "no_proxy="});
  use("turn:localhost:" + port() + "?transport=tcp", kPassword, "[net]\nproxy = \"http://127.0.0.1:1\"\n");
  ASSERT_TRUE(alice_.up());
  ASSERT_TRUE(state("ready")) << alice_.status()["turn_client"];
  EXPECT_EQ(alice_.status()["turn_client"]["proxy"], false);
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
  alice.home().write("config.toml", "[turn-client]\nfingerprint = \"sha256:A1:B2\"\n");
  EXPECT_NE(alice.run({"config", "check"}).exit, 0);
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

TEST_F(TurnCalls, GoThroughTheServerOfTheSettingsByAProxy) {
  const auto found = rows("--transports tls --proxy http");
  if (found.empty()) GTEST_SKIP() << log_;
  ASSERT_EQ(found.size(), 2U) << log_;
  for (const auto& row : found) EXPECT_EQ(row["good"], true) << row;
}

TEST_F(TurnCalls, PreferTheCircuitsOfSupernodes) {
  const auto found = rows("--transports udp --circuits");
  if (found.empty()) GTEST_SKIP() << log_;
  ASSERT_EQ(found.size(), 2U) << log_;
  for (const auto& row : found) EXPECT_EQ(row["good"], true) << row;
}

}  // namespace
}  // namespace linnet::scenario
