// A TURN server behind a NAT that maps a public address to it one to one, and coturn's client outside
// (tests/lab/net/turn-behind-nat; needs root).
#include "tests/scenario/lab.h"

namespace linnet::scenario {
namespace {

class TurnBehindNat : public Lab {};

TEST_F(TurnBehindNat, TellsClientsWhereOthersCameIn) {
  const auto said = run("net/turn-behind-nat", LINNET_BINARY_DIR "/linnet");
  if (!said) GTEST_SKIP() << log_;
  const auto found = Json::parse(*said, nullptr, false);
  ASSERT_TRUE(found.is_object()) << log_ << *said;
  const Json relayed{{"at", "10.0.0.2"}, {"outside", "198.18.9.5"}, {"why", nullptr}};
  EXPECT_EQ(found["reached"]["relayed"], Json::array({relayed})) << found;
  EXPECT_EQ(found["reached"]["uris"][0], "turn:198.18.9.5:4400?transport=udp") << found;
  EXPECT_EQ(found["told"], "198.18.9.5") << log_;
  EXPECT_EQ(found["lost"], 0) << log_;
  EXPECT_EQ(found["place"], "198.18.9.5:4400") << log_;
  EXPECT_EQ(found["why"], "the outer address of a 1:1 NAT, and proven") << log_;
  EXPECT_EQ(found["homes"], Json::array({"198.18.77.12:4400", "198.18.9.11:4400", "198.18.9.5:4400"})) << log_;
}

}  // namespace
}  // namespace linnet::scenario
