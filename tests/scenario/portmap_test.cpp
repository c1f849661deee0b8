// Ports that Debian's miniupnpd opens for a daemon behind a kernel NAT (tests/lab/portmap; needs root and miniupnpd).
#include <algorithm>

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
  static Json udp(const Json& mapped) {
    for (const auto& port : mapped) {
      if (port["transport"] == "udp") return port;
    }
    return {};
  }
  static bool has_tls(const Json& mapped) {
    return std::any_of(mapped.begin(), mapped.end(), [](const Json& m) {
      return m["transport"] == "tcp" && m["external"] == "198.18.201.2:443" && m["reached"] == true;
    });
  }
  static void is_used(const Json& row, const std::string& protocol) {
    const auto port = udp(row["mapped"]);
    ASSERT_TRUE(port.is_object()) << row;
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
  ASSERT_FALSE(row["promised"].empty()) << row;
  for (const auto& port : row["mapped"]) EXPECT_EQ(port["reached"], false) << row;
  EXPECT_EQ(row["call"]["result"], "ended") << row["call"];
}

TEST_F(RouterPorts, OfARouterBehindAnotherNatAreNotToldAndItIsSaidWhy) {
  const auto row = asked("double");
  if (row.is_null()) GTEST_SKIP() << log_;
  const auto port = udp(row["mapped"]);
  ASSERT_TRUE(port.is_object()) << row;
  EXPECT_EQ(port["reached"], false) << row;
  EXPECT_NE(port["why"].get<std::string>().find("behind another NAT"), std::string::npos) << row;
}

TEST_F(RouterPorts, Of443LetInALeafsCallerWhoHasNothingElse) {
  const auto row = asked("443");
  if (row.is_null()) GTEST_SKIP() << log_;
  EXPECT_TRUE(has_tls(row["mapped"])) << row["mapped"];
  EXPECT_EQ(row["call"]["result"], "ended") << row["call"];
  EXPECT_EQ(row["call"]["path"], "direct") << row["call"];
  EXPECT_TRUE(row["left"].empty()) << "it was not given back: " << row["left"];
}

TEST_F(RouterPorts, MakeASupernodeBehindARouterServeOthers) {
  const auto row = asked("supernode");
  if (row.is_null()) GTEST_SKIP() << log_;
  EXPECT_EQ(row["placed"]["place_why"], "opened by the router (pcp), and proven") << row["placed"];
  EXPECT_TRUE(has_tls(row["mapped"])) << row["mapped"];
  EXPECT_GE(row["known"].get<int>(), 1) << "to another supernode";
  EXPECT_EQ(row["served"], true) << "a leaf of whom only 443 is let out, after " << row["served_s"] << " s";
  EXPECT_EQ(row["call"]["result"], "ended") << row["call"];
  EXPECT_FALSE(row["reopened"].empty()) << "a router that started anew is asked again";
  EXPECT_FALSE(row["again"]["place"].is_null()) << row["again"];
  ASSERT_TRUE(row["lost"]["place_why"].is_string()) << row["lost"];
  EXPECT_EQ(row["lost"]["place"], "192.168.1.11:4400");
  EXPECT_EQ(row["lost"]["place_why"].get<std::string>().find("the port that the router had opened is lost"), 0U);
}

}  // namespace
}  // namespace linnet::scenario
