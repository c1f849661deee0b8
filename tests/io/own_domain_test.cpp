#include "node/io/net/own_domain.h"

#include <gtest/gtest.h>

namespace linnet::io {
namespace {

using std::chrono::seconds;

TEST(OwnDomain, IsAskedForWhereDnsMayKnowIt) {
  EXPECT_EQ(domain_in_dns("acme.com"), "acme.com");
  EXPECT_EQ(domain_in_dns("office.acme.co.uk"), "office.acme.co.uk");
  EXPECT_EQ(domain_in_dns("mylocal.net"), "mylocal.net");
  EXPECT_EQ(domain_in_dns("test.org"), "test.org") << "a label is no top-level domain";
}

TEST(OwnDomain, IsNotAskedForWhereItIsNobodysInDns) {
  for (const auto* domain : {"laptop", "localhost", "home.example", "laptop.local", "x.linnet.alt", "printer.home.arpa",
                             "a.test", "b.onion", "c.invalid", "corp.internal", "10.0.0.1", "", ".", "a_b.com"}) {
    EXPECT_EQ(domain_in_dns(domain), std::nullopt) << domain;
  }
}

TEST(OwnDomain, NamesWhereItsRecordsSayInTheirOrder) {
  const auto found = supernodes_of("acme.com", seconds(2), [](const std::string& domain, Duration) {
    EXPECT_EQ(domain, "acme.com");
    return std::vector<ServiceRecord>{{1, 0, 4400, "127.0.0.1"}, {2, 0, 443, "127.0.0.2"}};
  });
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].to_string(), "127.0.0.1:4400");
  EXPECT_EQ(found[1].to_string(), "127.0.0.2:443");
}

TEST(OwnDomain, WithoutRecordsItsHostsAreLeftAlone) {
  EXPECT_TRUE(supernodes_of("localhost.localdomain", seconds(2), [](const std::string&, Duration) {
                return std::vector<ServiceRecord>{};
              }).empty());
}

TEST(OwnDomain, NamesNoMoreThanSoMany) {
  const auto found = supernodes_of("acme.com", seconds(2), [](const std::string&, Duration) {
    std::vector<ServiceRecord> out;
    for (int i = 1; i <= 200; ++i) out.push_back({1, 0, 4400, "127.0.0." + std::to_string(i)});
    return out;
  });
  EXPECT_EQ(found.size(), kMostOfDomain);
}

}  // namespace
}  // namespace linnet::io
