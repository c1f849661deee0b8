#include "crypto/safety_number.h"

#include <gtest/gtest.h>

#include <set>

namespace linnet::crypto {
namespace {

Hash256 key(std::uint8_t n) {
  AccountKey out;
  out.bytes.fill(n);
  return key_hash(out);
}

TEST(SafetyNumber, IsTheSameForBothAndForNoOtherPair) {
  EXPECT_EQ(safety_number(key(1), key(2)), safety_number(key(2), key(1)));
  std::set<std::string> all;
  for (std::uint8_t a = 0; a < 12; ++a)
    for (std::uint8_t b = 0; b <= a; ++b) all.insert(safety_number(key(a), key(b)));
  EXPECT_EQ(all.size(), 78U);
  EXPECT_NE(safety_number(key(1), key(2)), fingerprint(key(1)));
}

TEST(SafetyNumber, IsTwelveGroupsOfFiveDigits) {
  const auto number = safety_number(key(1), key(2));
  ASSERT_EQ(number.size(), 12U * 5 + 11);
  for (std::size_t i = 0; i < number.size(); ++i) EXPECT_EQ(number[i] == ' ', i % 6 == 5) << i;
  EXPECT_EQ(safety_digits(number).size(), 60U);
}

TEST(SafetyNumber, IsReadAsPeopleWriteIt) {
  const auto number = safety_number(key(1), key(2));
  const auto digits = safety_digits(number);
  std::string lines = number;
  for (auto& c : lines) c = c == ' ' ? '-' : c;
  EXPECT_EQ(safety_digits(lines), digits);
  EXPECT_EQ(safety_digits(digits + "\n"), digits);
  EXPECT_EQ(safety_digits(digits + "1"), "");
  EXPECT_EQ(safety_digits(digits.substr(1)), "");
  EXPECT_EQ(safety_digits("x" + digits), "");
  EXPECT_EQ(safety_digits(""), "");
}

}  // namespace
}  // namespace linnet::crypto
