// Networks that are not kind, as real processes in network namespaces (tests/lab/net; needs root).
#include "tests/scenario/lab.h"

namespace linnet::scenario {
namespace {

class Network : public Lab {
 protected:
  // Null when it cannot be made here.
  Json found(const std::string& script) {
    const auto said = run("net/" + script, LINNET_BINARY_DIR "/linnet");
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

}  // namespace
}  // namespace linnet::scenario
