// Calls between networks behind NATs of the kernel (tests/lab/nat/matrix; needs root). scripts/nat-matrix does all
// pairs.
#include <sstream>

#include "tests/scenario/lab.h"

namespace linnet::scenario {
namespace {

class NatPairs : public Lab {
 protected:
  // One object a pair; none when they cannot be made here.
  std::vector<Json> found(const std::string& pairs) {
    std::vector<Json> rows;
    const auto said = run("nat/matrix", "--linnet " LINNET_BINARY_DIR "/linnet --seconds 2 --json " + pairs);
    if (!said) return rows;
    std::istringstream lines(*said);
    for (std::string line; std::getline(lines, line);) rows.push_back(Json::parse(line, nullptr, false));
    return rows;
  }
};

TEST_F(NatPairs, ThatAPunchOpensTalkDirectly) {
  const auto rows = found("--pair port-restricted,port-restricted --pair symmetric,restricted");
  if (rows.empty()) GTEST_SKIP() << log_;
  ASSERT_EQ(rows.size(), 2U) << log_;
  for (const auto& row : rows) {
    EXPECT_EQ(row["connected"], true) << row;
    EXPECT_EQ(row["direct"], true) << row;
  }
}

TEST_F(NatPairs, ThatNothingOpensTalkThroughASupernodeAndSaySo) {
  const auto rows = found("--pair symmetric,symmetric --pair tcp443-only,port-restricted");
  if (rows.empty()) GTEST_SKIP() << log_;
  ASSERT_EQ(rows.size(), 2U) << log_;
  for (const auto& row : rows) {
    EXPECT_EQ(row["connected"], true) << row;
    EXPECT_EQ(row["direct"], false) << row;
    for (const auto& call : row["calls"]) EXPECT_EQ(call["path"], "relayed") << call;
  }
}

}  // namespace
}  // namespace linnet::scenario
