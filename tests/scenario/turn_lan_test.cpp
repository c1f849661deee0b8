// A TURN server of a supernode that is known on its own network alone, and the same with a global address beside
// (tests/lab/net/turn-lan; needs root).
#include "tests/scenario/lab.h"

namespace linnet::scenario {
namespace {

class TurnLan : public Lab {};

TEST_F(TurnLan, RelaysWithinItsOwnNetworkAndNotWhereOthersCouldKnowIt) {
  const auto said = run("net/turn-lan", LINNET_BINARY_DIR "/linnet");
  if (!said) GTEST_SKIP() << log_;
  const auto found = Json::parse(*said, nullptr, false);
  ASSERT_TRUE(found.is_object()) << log_ << *said;
  EXPECT_EQ(found["alone"], 0) << log_;
  EXPECT_EQ(found["beside"], nullptr) << log_;
  EXPECT_GE(found["refused"], 1) << log_;
}

}  // namespace
}  // namespace linnet::scenario
