#include "node/directory.h"

#include <gtest/gtest.h>

namespace linnet::node {
namespace {

const auto kAskedFor = *crypto::Address::parse("bob@a.example");

crypto::AccountKey nth_account(std::uint8_t n) {
  crypto::AccountKey out;
  out.bytes[0] = n;
  return out;
}

overlay::FoundDevice device(std::uint8_t of, std::uint8_t n = 1) {
  overlay::FoundDevice out;
  out.record.certificate.account = nth_account(of);
  out.record.certificate.device.bytes = {of, n};
  return out;
}

TEST(Directory, FindsNobodyInNothing) {
  EXPECT_TRUE(std::holds_alternative<Nobody>(judge(kAskedFor, std::nullopt, {})));
}

TEST(Directory, TakesTheOnlyClaimantOfAnUnpinnedName) {
  const auto finding = judge(kAskedFor, std::nullopt, {device(1, 1), device(1, 2)});
  const auto* person = std::get_if<Person>(&finding);
  ASSERT_NE(person, nullptr);
  EXPECT_EQ(person->account, nth_account(1));
  EXPECT_EQ(person->devices.size(), 2U);
}

TEST(Directory, ChoosesBetweenTwoClaimantsNeverByItself) {
  const auto finding = judge(kAskedFor, std::nullopt, {device(1), device(2)});
  const auto* claimants = std::get_if<Claimants>(&finding);
  ASSERT_NE(claimants, nullptr);
  const auto text = explain(kAskedFor, *claimants);
  for (const auto n : {1, 2}) {
    const auto key = nth_account(static_cast<std::uint8_t>(n));
    EXPECT_NE(text.find(crypto::fingerprint(key)), std::string::npos);
    EXPECT_NE(text.find(crypto::Address::key_name("bob", key).text()), std::string::npos);
  }
}

TEST(Directory, LetsThePinWinOverOtherClaimants) {
  const auto finding = judge(kAskedFor, crypto::key_hash(nth_account(2)), {device(1), device(2), device(3)});
  const auto* person = std::get_if<Person>(&finding);
  ASSERT_NE(person, nullptr);
  ASSERT_EQ(person->devices.size(), 1U);
  EXPECT_EQ(person->devices[0].record.account(), nth_account(2));
}

TEST(Directory, RefusesAPinnedNameThatOnlyOthersClaim) {
  const auto finding = judge(kAskedFor, crypto::key_hash(nth_account(9)), {device(1)});
  const auto* changed = std::get_if<IdentityChanged>(&finding);
  ASSERT_NE(changed, nullptr);
  EXPECT_EQ(changed->pinned, crypto::key_hash(nth_account(9)));
  EXPECT_EQ(changed->claimed, crypto::key_hash(nth_account(1)));
  EXPECT_EQ(explain(kAskedFor, *changed).find("IDENTITY CHANGED"), 0U);
}

TEST(Directory, BelievesUnderAKeyNameOnlyItsKey) {
  const auto name = crypto::Address::key_name("bob", nth_account(1));
  EXPECT_TRUE(std::holds_alternative<Nobody>(judge(name, std::nullopt, {device(2)})));
  const auto finding = judge(name, std::nullopt, {device(2), device(1)});
  const auto* person = std::get_if<Person>(&finding);
  ASSERT_NE(person, nullptr);
  EXPECT_EQ(person->account, nth_account(1));
}

TEST(Directory, CallsABoundedNumberOfDevices) {
  std::vector<overlay::FoundDevice> many;
  for (std::uint8_t i = 0; i < 40; ++i) many.push_back(device(1, i));
  const auto finding = judge(kAskedFor, std::nullopt, many);
  EXPECT_EQ(std::get<Person>(finding).devices.size(), kMaxDevices);
}

}  // namespace
}  // namespace linnet::node
