// Links and scopes as this machine has them.
#include "node/io/net/interfaces.h"

#include <gtest/gtest.h>

#include "node/io/net/resolver.h"
#include "node/io/settings/config.h"

namespace linnet::io {
namespace {

TEST(Interfaces, TheLoopbackIsNoLinkToOthers) {
  for (const auto& one : multicast_interfaces()) {
    EXPECT_NE(one.name, "lo");
    EXPECT_NE(one.index, 0U);
    for (const auto& prefix : one.prefixes) EXPECT_FALSE(prefix.ip.is_loopback());
  }
}

TEST(Interfaces, AScopeIsReadAndPrintedAsTheInterfacesName) {
  const auto e = parse_endpoint("[fe80::1%lo]:4400");
  ASSERT_TRUE(e);
  EXPECT_EQ(e->ip.scope, 1U);
  EXPECT_EQ(to_text(*e), "[fe80::1%lo]:4400");
  EXPECT_EQ(parse_endpoint("[fe80::1%1]:4400"), e);
  EXPECT_EQ(to_text(*parse_endpoint("[fe80::1%999999]:4400")), "[fe80::1%999999]:4400");  // nobody's
  EXPECT_FALSE(parse_endpoint("[fe80::1%nosuchlink]:4400"));
  EXPECT_EQ(to_text(*parse_endpoint("192.0.2.1:1")), "192.0.2.1:1");
  for (const auto* odd : {"", "%", "]%", "[%lo]:1", "[fe80::1%]:1", "fe80::1%lo:1", "[fe80::1%lo"})
    EXPECT_FALSE(parse_endpoint(odd)) << odd;
}

TEST(Interfaces, ListenAndBootstrapTakeScopes) {
  const auto listen = parse_listen("[fe80::1%lo]:4400");
  ASSERT_TRUE(listen);
  EXPECT_EQ(listen->ip.scope, 1U);
  const auto host = parse_host_port("[fe80::1%lo]:4400");
  ASSERT_TRUE(host);
  EXPECT_EQ(host->host, "fe80::1%1");
}

}  // namespace
}  // namespace linnet::io
