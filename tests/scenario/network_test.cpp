// Networks that are not kind, as real processes in network namespaces (tests/lab/net; needs root).
#include "tests/scenario/lab.h"

namespace linnet::scenario {
namespace {

class Network : public Lab {
 protected:
  // Null when it cannot be made here.
  Json found(const std::string& script) {
    const auto name = script.substr(0, script.find(' '));
    const auto said = run("net/" + name, LINNET_BINARY_DIR "/linnet" + script.substr(name.size()));
    return said ? Json::parse(*said, nullptr, false) : Json(nullptr);
  }
};

TEST_F(Network, ThatLetsNoUdpOutIsJoinedCalledFromAndCalledOverTcp) {
  const auto verdict = found("udp-blocked");
  if (verdict.is_null()) GTEST_SKIP() << log_;
  ASSERT_EQ(verdict["calls"].size(), 2U) << log_;
  for (const auto& call : verdict["calls"]) {
    EXPECT_EQ(call["result"], "ended") << call;
    EXPECT_EQ(call["path"], "relayed") << call;
  }
  EXPECT_GT(verdict["dropped"], 0) << "nothing was blocked";
  EXPECT_TRUE(verdict["office_heard"]);
  EXPECT_TRUE(verdict["outside_heard"]);
}

struct NarrowDoor {
  const char* way;
  const char* over;  // where status says that the supernode is reached
  const char* gate;  // what the proxy, if any, was asked for
};

class NarrowNetwork : public Network, public testing::WithParamInterface<NarrowDoor> {};

TEST_P(NarrowNetwork, IsJoinedCalledFromAndCalled) {
  const auto& door = GetParam();
  const auto verdict = found("narrow " + std::string(door.way));
  if (verdict.is_null()) GTEST_SKIP() << log_;
  ASSERT_EQ(verdict["calls"].size(), 2U) << log_;
  for (const auto& call : verdict["calls"]) {
    EXPECT_EQ(call["result"], "ended") << call;
    EXPECT_EQ(call["path"], "relayed") << call;
  }
  EXPECT_TRUE(verdict["office_heard"]);
  EXPECT_TRUE(verdict["outside_heard"]);
  EXPECT_GT(verdict["dropped"], 0) << "nothing was blocked";
  EXPECT_EQ(verdict["status"]["supernodes_tcp"], Json::array({door.over}));
  EXPECT_EQ(verdict["status"]["udp_answers"], 0);
  const auto said = verdict["said"].get<std::string>();
  EXPECT_NE(said.find("UDP is blocked here (0 of "), std::string::npos) << said;
  EXPECT_EQ(verdict["secrets_in_logs"], 0);
  const auto& gate = verdict["gate"];
  if (door.gate[0] == 0) return;
  EXPECT_NE(std::find(gate.begin(), gate.end(), Json(door.gate)), gate.end()) << gate;
}

INSTANTIATE_TEST_SUITE_P(Doors, NarrowNetwork,
                         testing::Values(NarrowDoor{"tls", "10.9.0.1:443", ""}, NarrowDoor{"web", "10.9.0.1:80", ""},
                                         NarrowDoor{"http", "10.9.0.1:443", "to 10.9.0.1:443"},
                                         NarrowDoor{"socks5", "10.9.0.1:443", "to super.lab.example:443"}),
                         [](const auto& door) { return std::string(door.param.way); });

TEST_F(Network, OfTwoCablesIsToldApartByItsInterfaceWhereAddressesAreTheSame) {
  const auto verdict = found("two-cables");
  if (verdict.is_null()) GTEST_SKIP() << log_;
  ASSERT_EQ(verdict["calls"].size(), 4U) << log_;
  for (const auto& call : verdict["calls"]) {
    EXPECT_EQ(call["result"], "ended") << call;
    EXPECT_EQ(call["path"], "lan") << call;
  }
  const auto west = verdict["calls"][0]["via"].get<std::string>(), east = verdict["calls"][1]["via"].get<std::string>();
  EXPECT_EQ(west.rfind("[fe80::77%", 0), 0U) << west;
  EXPECT_EQ(east.rfind("[fe80::77%", 0), 0U) << east;
  EXPECT_NE(west, east);
  EXPECT_TRUE(verdict["left_heard"]);
  EXPECT_TRUE(verdict["right_heard"]);
}

// Every packet that real nodes said to a supernode, again from somebody else's address. Of STUN and TURN, whose
// requests are short by their standards, five times as much is allowed (docs/security-checks.md, 10).
TEST_F(Network, OfAVictimIsSentNoMoreThanWasForgedInItsName) {
  const auto verdict = found("amplify");
  if (verdict.is_null()) GTEST_SKIP() << log_;
  for (const auto* when : {"running", "fresh"}) {
    ASSERT_TRUE(verdict[when].is_object()) << verdict << log_;
    for (const auto* kind : {"handshake 1", "data", "request", "stun"})
      EXPECT_GT(verdict[when][kind]["packets"], 0) << kind << ' ' << verdict;
    for (const auto& [kind, row] : verdict[when].items())
      EXPECT_LE(row["worst"].get<double>(), kind == "stun" ? 5.0 : 1.0) << when << ' ' << kind << ' ' << row;
  }
  EXPECT_GT(verdict["running"]["handshake 1"]["answered"], 0) << "nothing forged arrived: " << verdict;
}

}  // namespace
}  // namespace linnet::scenario
