#include "crypto/sealed_box.h"

#include <gtest/gtest.h>

namespace linnet::crypto {
namespace {

TEST(RecordKey, BelongsToOneNameAndOneDevice) {
  const auto alice = Address::parse("alice@acme.example").value();
  const auto bob = Address::parse("bob@acme.example").value();
  DeviceKey one;
  DeviceKey two;
  two.bytes[0] = 1;
  EXPECT_EQ(record_key(alice, one).bytes(), record_key(*Address::parse("SIP:Alice@ACME.example"), one).bytes());
  EXPECT_NE(record_key(alice, one).bytes(), record_key(bob, one).bytes());
  EXPECT_NE(record_key(alice, one).bytes(), record_key(alice, two).bytes());
  EXPECT_NE(record_key(alice, one).bytes(), user_key(alice).bytes) << "the place of a name must not open its record";
}

}  // namespace
}  // namespace linnet::crypto
