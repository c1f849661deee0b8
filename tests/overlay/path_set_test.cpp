#include "overlay/path_set.h"

#include <gtest/gtest.h>

namespace linnet::overlay::test {
namespace {

Path to(std::uint16_t port) { return Path{PathKind::direct, {IpAddress::v4(192, 0, 2, 1), port, Transport::udp}, 0, false}; }

TEST(PathSet, NumbersAPathAsNoneThatStandsHoweverManyFailed) {
  PathSet paths;
  auto* first = paths.add(to(1));
  paths.set_current(to(1));
  paths.ask(*first);
  const auto standing = first->number;
  for (std::uint16_t port = 2; port < 200; ++port) {
    auto* tried = paths.add(to(port));
    ASSERT_NE(tried, nullptr);
    paths.ask(*tried);
    EXPECT_NE(tried->number, standing) << port;
    EXPECT_NE(tried->number, 0);
    paths.remove(to(port));
  }
}

}  // namespace
}  // namespace linnet::overlay::test
