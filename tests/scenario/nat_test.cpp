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
  for (const auto& relay : check["b1"]["relays"]) EXPECT_TRUE(relay["tls_ms"].is_number()) << relay;
  EXPECT_EQ(found["ping"]["devices"][0]["candidates"].size(), 0U) << "a stranger learnt an address";
  const auto& device = found["doctor"]["peer"]["devices"][0];
  EXPECT_EQ(device["nat"], "port-restricted") << device;
  ASSERT_FALSE(device["candidates"].empty()) << device;
  const auto words = found["words"].get<std::string>();
  if (device["path"] == "direct") {  // a port was found before the doctor looked: nothing to explain
    EXPECT_NE(words.find("DIRECT"), std::string::npos) << words;
    return;
  }
  ASSERT_EQ(device["path"], "relayed") << device;
  EXPECT_NE(words.find("yours symmetric, theirs port-restricted"), std::string::npos) << words;
  EXPECT_NE(words.find("a call becomes direct by port search, expected within 10 s"), std::string::npos) << words;
  EXPECT_TRUE(found["doctor"]["culprit"].is_null()) << found["doctor"]["culprit"];
}

// One gets out to one supernode alone, by port 443; the other to another one, by TCP.
TEST_F(NatPairs, ThatReachNoSupernodeInCommonTalkAcrossTwo) {
  const auto said = run("nat/chain", "--linnet " LINNET_BINARY_DIR "/linnet --seconds 2");
  if (!said) GTEST_SKIP() << log_;
  const auto found = Json::parse(*said, nullptr, false);
  ASSERT_TRUE(found.is_object()) << log_ << *said;
  for (const auto* way : {"a->b", "b->a"}) {
    const auto& row = found[way];
    EXPECT_EQ(row["call"]["result"], "ended") << row;
    EXPECT_EQ(row["call"]["path"], "relayed") << row;
    EXPECT_GT(row["call"]["packets_received"], 0) << row;
    EXPECT_NE(row["call"]["explain"]["reason"].dump().find("across two supernodes"), std::string::npos) << row;
    for (const auto* host : {"pub1", "pub2"}) EXPECT_GE(row["circuits"][host], 1) << host << ' ' << row;
  }
}

// Two supernodes by their settings, two machines that anybody reaches, and one behind each of four NATs and firewalls.
TEST_F(NatPairs, MakeSupernodesOfThoseThatAnybodyReachesAndOfNobodyElse) {
  const auto said = run("nat/promote", "--linnet " LINNET_BINARY_DIR
                                       "/linnet --public 4 --behind 1 --calls 2 --talk 8 --seconds 150 --json");
  if (!said) GTEST_SKIP() << log_;
  const auto found = Json::parse(*said, nullptr, false);
  ASSERT_TRUE(found.is_object()) << log_ << *said;
  EXPECT_EQ(found["supernodes"], Json::array({"pub1", "pub2", "pub3", "pub4"})) << found["why_not"];
  EXPECT_EQ(found["wrong"], Json::array());
  EXPECT_EQ(found["lost"], Json::array()) << "half of the supernodes were killed";
  for (const auto& call : found["calls"]) EXPECT_EQ(call["result"], "ended") << call;
}

}  // namespace
}  // namespace linnet::scenario
