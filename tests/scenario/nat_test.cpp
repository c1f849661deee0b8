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

TEST_F(NatPairs, ThatStayRelayedAreExplainedByTheDoctor) {
  const auto said = run("nat/doctor", "--linnet " LINNET_BINARY_DIR "/linnet --pair symmetric,port-restricted");
  if (!said) GTEST_SKIP() << log_;
  const auto found = Json::parse(*said, nullptr, false);
  ASSERT_TRUE(found.is_object()) << log_ << *said;
  const auto& check = found["netcheck"];
  EXPECT_EQ(check["a1"]["nat"], "symmetric") << check;
  EXPECT_EQ(check["a1"]["v4"]["mapping"], "address-and-port-dependent") << check;
  EXPECT_EQ(check["b1"]["nat"], "port-restricted") << check;
  EXPECT_EQ(check["b1"]["v4"]["filtering"], "address-and-port-dependent") << check;
  EXPECT_EQ(check["b1"]["v4"]["hairpin"], false) << check;
  EXPECT_EQ(found["ping"]["devices"][0]["candidates"].size(), 0U) << "a stranger learnt an address";
  const auto& device = found["doctor"]["peer"]["devices"][0];
  EXPECT_EQ(device["nat"], "port-restricted") << device;
  ASSERT_FALSE(device["candidates"].empty()) << device;
  if (device["path"] != "relayed") GTEST_SKIP() << "a direct path was found all the same: " << device;
  EXPECT_NE(found["words"].get<std::string>().find("yours symmetric, theirs port-restricted"), std::string::npos)
      << found["words"];
  EXPECT_EQ(found["doctor"]["culprit"].get<std::string>().rfind("path: ", 0), 0U) << found["doctor"]["culprit"];
}

}  // namespace
}  // namespace linnet::scenario
