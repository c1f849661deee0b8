// What two nodes say of their networks, as bytes from somebody who may say anything.
#include "node/path_message.h"

#include <gtest/gtest.h>

namespace linnet::node::path_message {
namespace {

std::vector<Message> one_of_each() {
  const Network network{NatType::symmetric, nat::Dependence::address_and_port, nat::Dependence::address};
  Paths paths{network, {}};
  paths.tried.push_back({*Endpoint::parse("192.0.2.1:4400"), true});
  paths.tried.push_back({*Endpoint::parse("[2001:db8::1]:443"), false});
  return {network, Ask{}, paths};
}

TEST(PathMessage, EveryTruncationIsRefused) {
  for (const auto& message : one_of_each()) {
    const auto wire = write(message);
    ASSERT_TRUE(read(wire));
    for (std::size_t n = 0; n < wire.size(); ++n) EXPECT_FALSE(read(ByteView(wire).first(n))) << n;
  }
}

TEST(PathMessage, WhatIsReadIsWhatWasWritten) {
  for (const auto& message : one_of_each()) {
    const auto wire = write(message);
    auto longer = wire;
    longer.push_back(0);
    EXPECT_FALSE(read(longer)) << "nothing may follow";
    for (std::size_t bit = 0; bit < wire.size() * 8; ++bit) {
      auto flipped = wire;
      flipped[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
      const auto other = read(flipped);
      if (!other) continue;
      EXPECT_EQ(write(*other), flipped) << bit;
    }
  }
}

TEST(PathMessage, NamesNoMoreThanSixteenPaths) {
  Paths many;
  many.tried.assign(kMaxTried + 1, {*Endpoint::parse("192.0.2.1:4400"), true});
  auto wire = write(many);
  ASSERT_TRUE(read(wire)) << "the writer leaves the rest out";
  wire[4] = kMaxTried + 1;
  EXPECT_EQ(read(wire).error(), Fault::too_big);
}

TEST(PathMessage, KnowsNoOtherKindAndNoOtherNetwork) {
  EXPECT_EQ(read(Bytes{19}).error(), Fault::unsupported);
  EXPECT_EQ(read(Bytes{16, 250, 0, 0}).error(), Fault::malformed);
  EXPECT_EQ(read(Bytes{16, 0, 250, 0}).error(), Fault::malformed);
  EXPECT_EQ(read(Bytes{16, 0, 0, 250}).error(), Fault::malformed);
}

}  // namespace
}  // namespace linnet::node::path_message
