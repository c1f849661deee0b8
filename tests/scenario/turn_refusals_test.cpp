// A TURN server asked for peers that nobody may reach through it, watched on its wires (tests/lab/net/turn-refusals;
// needs root).
#include "tests/scenario/lab.h"

namespace linnet::scenario {
namespace {

class TurnRefusals : public Lab {};

TEST_F(TurnRefusals, LetNotOnePacketOut) {
  const auto said = run("net/turn-refusals", LINNET_BINARY_DIR "/linnet");
  if (!said) GTEST_SKIP() << log_;
  const auto rows = Json::parse(*said, nullptr, false);
  ASSERT_TRUE(rows.is_object()) << log_ << *said;
  ASSERT_GE(rows["refused"].size(), 36U);
  for (const auto& row : rows["refused"]) {
    EXPECT_EQ(row["permission"], 403) << row;
    EXPECT_EQ(row["channel"], 403) << row;
    EXPECT_EQ(row["packets"], 0) << row;
  }
  // Of its own addresses another port may be a peer, its own ports may not.
  ASSERT_EQ(rows["own"].size(), 2U);
  for (const auto& row : rows["own"]) {
    EXPECT_EQ(row["channel"], 403) << row;
    EXPECT_EQ(row["packets"], 0) << row;
  }
  // The eye sees what there is to see.
  ASSERT_EQ(rows["allowed"].size(), 2U);
  for (const auto& row : rows["allowed"]) {
    EXPECT_EQ(row["permission"], 0) << row;
    EXPECT_EQ(row["channel"], 0) << row;
    EXPECT_GE(row["packets"], 1) << row;  // the kernel may cut one later
  }
}

}  // namespace
}  // namespace linnet::scenario
