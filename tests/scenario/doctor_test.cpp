// ping, netcheck, doctor and call --explain between real daemons, and RFC 5780 as another program asks for it.
#include <gmock/gmock.h>

#include "base/endpoint.h"
#include "tests/scenario/daemon.h"
#include "tests/scenario/lab.h"

namespace linnet::scenario {
namespace {

using testing::HasSubstr;
using Line = std::vector<std::string>;

class Doctor : public testing::Test {
 protected:
  // Supernodes with two addresses each: they tell what a NAT filters.
  void SetUp() override {
    ASSERT_TRUE(relays_[0].up({"--relay", "on", "--listen", "127.0.0.2:0"}));
    ASSERT_TRUE(relays_[1].up({"--relay", "on", "--listen", "127.0.0.3:0", "--bootstrap", relays_[0].endpoint()}));
    ASSERT_TRUE(alice_.up({"--bootstrap", relays_[0].endpoint()}));
    ASSERT_TRUE(bob_.up({"--auto-answer", "--bootstrap", relays_[1].endpoint()}));
    for (const auto* daemon : {&relays_[0], &relays_[1], &alice_, &bob_}) ASSERT_TRUE(daemon->online());
  }

  Daemon relays_[2] = {Daemon("relay1@demo.example"), Daemon("relay2@demo.example")};
  Daemon alice_{"alice@demo.example"};
  Daemon bob_{"bob@demo.example"};
};

TEST_F(Doctor, PingsSomebodyWithoutRinging) {
  const auto ran = alice_.run({"ping", "bob@demo.example", "--count", "2", "--json"});
  ASSERT_EQ(ran.exit, 0) << ran.err << ran.out;
  const auto lines = ran.lines();
  ASSERT_GE(lines.size(), 3U);
  const auto first = Json::parse(lines[0]);
  EXPECT_EQ(keys_of(first), (Line{"schema", "device", "seq", "path", "via", "rtt_ms", "by"}));
  EXPECT_GT(first["rtt_ms"], 0.0);
  for (const auto& line : lines) {
    const auto said = Json::parse(line);
    if (!said.contains("by")) continue;
    const auto by = said["by"].get<std::string>(), via = said["via"].get<std::string>();
    EXPECT_EQ(by, said["path"] != "relayed"        ? "udp"
                  : by.starts_with("circuit via ") ? "circuit via " + via
                                                   : "forward via " + via);
  }
  const auto last = ran.last_line();
  EXPECT_EQ(last["result"], "answered");
  EXPECT_EQ(last["devices"][0]["answered"], 2);
  EXPECT_TRUE(bob_.run({"log", "--json"}).lines().empty()) << "somebody was called";
  const auto text = alice_.run({"ping", "bob@demo.example", "--count", "1"});
  EXPECT_THAT(text.out, HasSubstr("PING bob@demo.example: found in "));
  EXPECT_THAT(text.out, HasSubstr("1 sent, 1 answered, 0 % lost"));
  EXPECT_THAT(text.out, HasSubstr(" by "));
  EXPECT_EQ(alice_.run({"ping", "nobody@demo.example"}).exit, 4);
  bob_.kill_nine();
  const auto gone = alice_.run({"ping", "bob@demo.example", "--count", "1", "--json"});
  EXPECT_EQ(gone.exit, 5) << gone.out;
  EXPECT_EQ(gone.last_line()["result"], "no-answer");
}

TEST_F(Doctor, ChecksTheNetworkAndKeepsWhatItFound) {
  const auto ran = alice_.run({"netcheck", "--json"});
  ASSERT_EQ(ran.exit, 0) << ran.err;
  const auto found = ran.last_line();
  EXPECT_EQ(keys_of(found), (Line{"schema", "nat", "udp", "v4", "v6", "mapped", "binding", "keepalive_s", "relays",
                                  "clock_ahead_s", "clock_supernodes", "captive_portal", "took_ms"}));
  EXPECT_EQ(found["nat"], "none") << found;
  EXPECT_EQ(found["v4"]["nat"], false);
  EXPECT_EQ(found["v4"]["filtering"], "endpoint-independent") << "a supernode with two addresses tells it";
  EXPECT_EQ(found["v6"], nullptr);
  ASSERT_EQ(found["relays"].size(), 2U);
  for (const auto& relay : found["relays"]) {
    EXPECT_GT(relay["udp_ms"], 0.0);
    EXPECT_GT(relay["tcp_ms"], 0.0);
  }
  const auto status = alice_.status();
  EXPECT_EQ(status["nat"], "none");
  ASSERT_FALSE(status["relays"].empty());
  EXPECT_EQ(status["relays"][0]["reach"], "udp");
  EXPECT_THAT(alice_.run({"netcheck"}).out, HasSubstr("NAT     none"));
}

TEST_F(Doctor, SaysWhatIsWellAndHowSomebodyIsReached) {
  const auto own = alice_.run({"doctor", "--json"});
  EXPECT_EQ(own.exit, 0) << own.out << own.err;
  EXPECT_EQ(keys_of(own.last_line()), (Line{"schema", "checks", "culprit", "exit", "netcheck"}));
  ASSERT_EQ(alice_.run({"contact", "add", "bob@demo.example"}).exit, 0);
  ASSERT_EQ(bob_.run({"contact", "add", "alice@demo.example"}).exit, 0);
  const auto about = alice_.run({"doctor", "bob", "--json"});
  ASSERT_EQ(about.exit, 0) << about.out << about.err;
  const auto device = about.last_line()["peer"]["devices"][0];
  EXPECT_EQ(device["path"], "lan") << device;
  EXPECT_EQ(device["shares_addresses"], true);
  ASSERT_FALSE(device["their_candidates"].empty()) << device;
  EXPECT_EQ(device["their_candidates"][0]["result"], "answered");
  EXPECT_EQ(device["nat"], "none");
  EXPECT_THAT(alice_.run({"doctor", "bob"}).out, HasSubstr("LAN 127.0.0.1:"));
  EXPECT_EQ(alice_.run({"doctor", "nobody@demo.example"}).exit, 4);
  EXPECT_EQ(alice_.run({"doctor", "bob", "--as-supernode"}).exit, 2);
  EXPECT_THAT(alice_.run({"doctor", "--as-supernode"}).out, HasSubstr("reachable"));
}

TEST_F(Doctor, ExplainsACall) {
  ASSERT_TRUE(alice_.until([](const Json& s) { return s["nat"] == "none"; })) << alice_.status();
  const auto ran = alice_.run({"call", "bob@demo.example", "--duration", "1", "--explain", "--json"});
  ASSERT_EQ(ran.exit, 0) << ran.err;
  const auto steps = ran.last_line()["explain"]["steps"];
  EXPECT_LE(steps["look_up_ms"], steps["connect_ms"]);
  EXPECT_LE(steps["connect_ms"], steps["ring_ms"]);
  EXPECT_LE(steps["ring_ms"], steps["answer_ms"]);
  EXPECT_TRUE(steps["direct_ms"].is_number()) << steps;
  EXPECT_TRUE(steps["join_ms"].is_number()) << steps;
  EXPECT_EQ(steps["join_ms"], alice_.status()["joined_ms"]) << "of the start of the daemon";
  EXPECT_GE(steps["detect_ms"], 0.0) << steps;
  const Json explain = ran.last_line()["explain"];
  EXPECT_GE(explain["node_age_ms"], steps["detect_ms"]) << "it was known before the call";
  EXPECT_FALSE(explain["candidates"].empty());
  ASSERT_FALSE(explain["their_candidates"].empty()) << explain;
  EXPECT_EQ(explain["their_candidates"][0]["result"], "answered");
  const auto text = alice_.run({"call", "bob@demo.example", "--duration", "1", "--explain"});
  for (const auto* part : {"link stood", "NAT known", "from the start", "they tried    127.0.0.1:",
                           "NAT           yours none, theirs none", "path          LAN 127.0.0.1:"})
    EXPECT_THAT(text.out, HasSubstr(part));
  EXPECT_FALSE(alice_.run({"call", "bob@demo.example", "--duration", "1", "--json"}).last_line().contains("explain"));
}

TEST(DoctorAlone, WithoutADaemonSaysSo) {
  Daemon nobody("nobody@demo.example");
  for (const Line& line : {Line{"ping", "bob@demo.example"}, Line{"netcheck"}, Line{"doctor"}}) {
    const auto ran = nobody.run(line);
    EXPECT_EQ(ran.exit, 3) << line[0];
    EXPECT_THAT(ran.err + ran.out, HasSubstr("linnet up")) << line[0];
  }
}

TEST(DoctorAlone, SaysThatItDoesNotKnowWhatNobodyTold) {
  Daemon alice("alice@demo.example");
  ASSERT_TRUE(alice.up());
  const auto text = alice.run({"doctor"}).out;
  EXPECT_THAT(text, HasSubstr("clock            ?    no supernode has told the time yet"));
  EXPECT_THAT(text, HasSubstr("firewall         ?    "));
  const auto last = alice.run({"doctor", "--json"}).last_line();
  EXPECT_EQ(last["culprit"].get<std::string>().rfind("overlay: ", 0), 0U) << last["culprit"];
  for (const auto& check : last["checks"]) {
    if (check["name"] == "clock") {
      EXPECT_EQ(check["level"], "unknown");
    }
  }
}

// turnutils_natdiscovery of Debian's coturn.
TEST(Discovery, OfADaemonWithTwoAddressesIsUnderstoodByAnotherProgram) {
  const std::string program = "/usr/bin/turnutils_natdiscovery";
  if (!io::file_exists(program)) GTEST_SKIP() << "needs " << program << " (coturn)";
  Daemon relay("relay@demo.example");
  ASSERT_TRUE(relay.up({"--relay", "on", "--listen", "127.0.0.2:0"}));
  const auto at = Endpoint::parse(relay.endpoint());
  ASSERT_TRUE(at);
  Process ran(program, {"-m", "-f", "-p", std::to_string(at->port), "127.0.0.1"}, {});
  const auto said = ran.wait(60'000);
  EXPECT_EQ(said.exit, 0) << said.out << said.err;
  EXPECT_THAT(said.out, HasSubstr("NAT with Endpoint Independent Filtering!")) << said.out;
  EXPECT_EQ(said.out.find("Old STUN server"), std::string::npos) << said.out;
}

}  // namespace
}  // namespace linnet::scenario
