#include "node/contacts.h"

#include <gtest/gtest.h>

namespace linnet::node {
namespace {

crypto::Address address(const char* text) { return *crypto::Address::parse(text); }
crypto::AccountKey account(std::uint8_t n) {
  crypto::AccountKey out;
  out.bytes[0] = n;
  return out;
}

TEST(Contacts, TakesANameForAStrangersUntilItIsPinned) {
  Contacts contacts({});
  EXPECT_EQ(contacts.judge(address("bob@a.example"), account(1)), Standing::stranger);
  EXPECT_TRUE(contacts.first_contact(address("bob@a.example"), account(1)));
  EXPECT_EQ(contacts.judge(address("bob@a.example"), account(1)), Standing::contact);
  EXPECT_TRUE(contacts.knows(account(1)));
}

TEST(Contacts, NeverMovesAPinToAnotherAccount) {
  Contacts contacts({});
  contacts.first_contact(address("bob@a.example"), account(1));
  EXPECT_FALSE(contacts.first_contact(address("bob@a.example"), account(2)));
  EXPECT_EQ(contacts.pin(address("bob@a.example")), account(1));
  EXPECT_EQ(contacts.judge(address("bob@a.example"), account(2)), Standing::changed);
  EXPECT_FALSE(contacts.knows(account(2)));
}

TEST(Contacts, KeepsWhatEarlierRunsPinned) {
  Memory memory;
  memory.pins.emplace(address("bob@a.example"), account(7));
  Contacts contacts(memory);
  EXPECT_EQ(contacts.judge(address("bob@a.example"), account(7)), Standing::contact);
  EXPECT_TRUE(contacts.knows(account(7)));
}

TEST(Contacts, TakesAKeyNameOnlyFromItsKey) {
  Contacts contacts({});
  const auto name = crypto::Address::key_name("bob", account(1));
  EXPECT_EQ(contacts.judge(name, account(2)), Standing::changed);
  EXPECT_FALSE(contacts.first_contact(name, account(2)));
  EXPECT_EQ(contacts.judge(name, account(1)), Standing::stranger);
  EXPECT_TRUE(contacts.first_contact(name, account(1)));
}

TEST(Contacts, ProofOfAKeyNameDoesNotMakeAContact) {
  // Anybody has a key name: it must not be enough to learn our endpoints.
  Contacts contacts({});
  EXPECT_FALSE(contacts.knows(account(1)));
  EXPECT_EQ(contacts.judge(crypto::Address::key_name("eve", account(1)), account(1)), Standing::stranger);
}

}  // namespace
}  // namespace linnet::node
