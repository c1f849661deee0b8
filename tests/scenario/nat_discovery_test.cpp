// Programs of others ask our supernode what their NAT does (RFC 5780): coturn's turnutils_natdiscovery and
// turnutils_stunclient, behind NATs of the kernel (tests/lab/nat/discovery; needs root).
#include <map>
#include <sstream>

#include "tests/scenario/lab.h"

namespace linnet::scenario {
namespace {

class NatDiscovery : public Lab {
 protected:
  static std::vector<Json> rows_of(const std::string& said) {
    std::vector<Json> out;
    std::istringstream lines(said);
    for (std::string line; std::getline(lines, line);) out.push_back(Json::parse(line, nullptr, false));
    return out;
  }
};

TEST_F(NatDiscovery, OfForeignClientsFindsWhatTheNatDoes) {
  const std::map<std::string, std::pair<std::string, std::string>> expected = {
      {"none", {"Endpoint Independent Mapping", "Endpoint Independent Filtering"}},
      {"restricted", {"Endpoint Independent Mapping", "Address Dependent Filtering"}},
      {"symmetric", {"Address and Port Dependent Mapping", "Address and Port Dependent Filtering"}}};
  const auto said = run("nat/discovery", "--linnet " LINNET_BINARY_DIR "/linnet --types none,restricted,symmetric");
  if (!said) GTEST_SKIP() << log_;
  const auto rows = rows_of(*said);
  for (const auto& row : rows) {
    ASSERT_TRUE(row.is_object()) << *said;
    const auto& [mapping, filtering] = expected.at(row["type"]);
    EXPECT_EQ(row["mapping"], "NAT with " + mapping) << row["said"]["mapping"];
    EXPECT_EQ(row["filtering"], "NAT with " + filtering) << row["said"]["filtering"];
    EXPECT_EQ(row["rfc5780"], true) << row["said"]["stunclient"];
    EXPECT_FALSE(row["stunclient"].empty()) << row["said"]["stunclient"];
  }
  EXPECT_EQ(rows.size(), expected.size()) << log_;
}

// Two supernodes with one address each: what our own node says, and coturn's client.
TEST_F(NatDiscovery, ByAPartnerFindsTheSame) {
  struct Known {
    std::string nat, mapping, filtering;
    std::string theirs;
  };
  const std::map<std::string, Known> expected = {
      {"restricted", {"restricted", "endpoint-independent", "address-dependent", "Address Dependent Filtering"}},
      {"port-restricted",
       {"port-restricted", "endpoint-independent", "address-and-port-dependent",
        "Address and Port Dependent Filtering"}}};
  const auto said =
      run("nat/discovery", "--partners --linnet " LINNET_BINARY_DIR "/linnet --types restricted,port-restricted");
  if (!said) GTEST_SKIP() << log_;
  const auto rows = rows_of(*said);
  for (const auto& row : rows) {
    ASSERT_TRUE(row.is_object()) << *said;
    const auto& known = expected.at(row["type"]);
    EXPECT_EQ(row["ours"]["nat"], known.nat) << row;
    EXPECT_EQ(row["ours"]["mapping"], known.mapping) << row;
    EXPECT_EQ(row["ours"]["filtering"], known.filtering) << row;
    EXPECT_EQ(row["filtering"], "NAT with " + known.theirs) << row["said"]["filtering"];
  }
  EXPECT_EQ(rows.size(), expected.size()) << log_;
}

}  // namespace
}  // namespace linnet::scenario
