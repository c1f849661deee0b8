// Ports that Debian's miniupnpd opens for a daemon behind a kernel NAT (tests/lab/portmap; needs root and miniupnpd).
#include "base/endpoint.h"
#include "tests/scenario/lab.h"

namespace linnet::scenario {
namespace {

class RouterPorts : public Lab {
 protected:
  Json asked(const std::string& protocol) {
    const auto said = run("portmap/router", "--linnet " LINNET_BINARY_DIR "/linnet --ask " + protocol);
    return said ? Json::parse(*said, nullptr, false) : Json();
  }
  static void is_used(const Json& row, const std::string& protocol) {
    ASSERT_EQ(row["mapped"].size(), 1U) << row;
    const auto& port = row["mapped"][0];
    EXPECT_EQ(port["protocol"], protocol);
    EXPECT_EQ(port["internal"], "192.168.1.11:4400");
    EXPECT_EQ(port["reached"], true);
    const auto at = Endpoint::parse(port["external"].get<std::string>());
    ASSERT_TRUE(at);
    EXPECT_EQ(at->ip.to_string(), "198.18.201.2") << "where supernodes see it, whatever the router says";
    const auto number = "dport " + std::to_string(at->port) + " ";
    const auto has = [&](const Json& rules) { return rules.dump().find(number) != std::string::npos; };
    EXPECT_TRUE(has(row["opened"])) << row["opened"];
    EXPECT_EQ(row["call"]["result"], "ended") << row["call"];
    EXPECT_EQ(row["call"]["path"], "direct") << "a symmetric NAT gets in by that port alone: " << row["call"];
    EXPECT_FALSE(has(row["left"])) << "it was not given back: " << row["left"];
    EXPECT_TRUE(!row.contains("kept") || has(row["kept"])) << "it was not renewed";
  }
};

TEST_F(RouterPorts, ByPcpAreProvenUsedRenewedAndGivenBack) {
  const auto row = asked("pcp");
  if (row.is_null()) GTEST_SKIP() << log_;
  is_used(row, "pcp");
  EXPECT_TRUE(row.contains("kept"));
}

TEST_F(RouterPorts, ByNatPmpAreProvenUsedAndGivenBack) {
  const auto row = asked("nat-pmp");
  if (row.is_null()) GTEST_SKIP() << log_;
  is_used(row, "nat-pmp");
}

TEST_F(RouterPorts, ByUpnpAreProvenUsedAndGivenBack) {
  const auto row = asked("upnp");
  if (row.is_null()) GTEST_SKIP() << log_;
  is_used(row, "upnp");
}

TEST_F(RouterPorts, OfALiarAreNotTold) {
  const auto row = asked("liar");
  if (row.is_null()) GTEST_SKIP() << log_;
  ASSERT_EQ(row["promised"].size(), 1U) << row;
  EXPECT_EQ(row["mapped"][0]["reached"], false) << row;
  EXPECT_EQ(row["call"]["result"], "ended") << row["call"];
}

}  // namespace
}  // namespace linnet::scenario
