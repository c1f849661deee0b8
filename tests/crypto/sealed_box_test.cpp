#include "crypto/sealed_box.h"

#include <gtest/gtest.h>

namespace linnet::crypto {
namespace {

TEST(RecordKey, BelongsToOneNameOneDeviceAndOneNetwork) {
  const auto alice = Address::parse("alice@acme.example").value();
  const auto bob = Address::parse("bob@acme.example").value();
  const auto net = network_id("linnet");
  DeviceKey one;
  DeviceKey two;
  two.bytes[0] = 1;
  EXPECT_EQ(record_key(net, alice, one).bytes(), record_key(net, *Address::parse("SIP:Alice@ACME.example"), one).bytes());
  EXPECT_NE(record_key(net, alice, one).bytes(), record_key(net, bob, one).bytes());
  EXPECT_NE(record_key(net, alice, one).bytes(), record_key(net, alice, two).bytes());
  EXPECT_NE(record_key(net, alice, one).bytes(), record_key(network_id("other"), alice, one).bytes());
  EXPECT_NE(record_key(net, alice, one).bytes(), user_key(alice).bytes) << "the place of a name must not open its record";
}

}  // namespace
}  // namespace linnet::crypto
