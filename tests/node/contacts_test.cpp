#include "node/contacts.h"

#include <gtest/gtest.h>

namespace linnet::node {
namespace {

constexpr Wall kNow{1'800'000'000};

crypto::Address address(const char* text) { return *crypto::Address::parse(text); }
crypto::AccountKey account(std::uint8_t n) {
  crypto::AccountKey out;
  out.bytes[0] = n;
  return out;
}
PersonKey key(std::uint8_t n) { return crypto::key_hash(account(n)); }

Contacts::Meeting meeting(const char* name, std::uint8_t n, Source source = Source::first_use) {
  Contacts::Meeting out;
  out.key = key(n);
  out.account = account(n);
  out.address = address(name);
  out.key_name = crypto::Address::key_name(out.address.user(), account(n));
  out.source = source;
  out.now = kNow;
  return out;
}

TEST(Contacts, TakesANameForAStrangersUntilItIsPinned) {
  Contacts contacts({});
  EXPECT_EQ(contacts.judge(address("bob@a.example"), account(1)), Standing::stranger);
  ASSERT_TRUE(contacts.meet(meeting("bob@a.example", 1)));
  EXPECT_EQ(contacts.judge(address("bob@a.example"), account(1)), Standing::contact);
  EXPECT_TRUE(contacts.knows(account(1)));
}

TEST(Contacts, NeverMovesAPinToAnotherAccount) {
  Contacts contacts({});
  ASSERT_TRUE(contacts.meet(meeting("bob@a.example", 1)));
  for (const auto source : {Source::first_use, Source::invitation, Source::key_name}) {
    const auto met = contacts.meet(meeting("bob@a.example", 2, source));
    ASSERT_FALSE(met);
    EXPECT_EQ(met.error(), Fault::mismatch);
  }
  EXPECT_EQ(contacts.pin(address("bob@a.example")), key(1));
  EXPECT_EQ(contacts.judge(address("bob@a.example"), account(2)), Standing::changed);
  EXPECT_FALSE(contacts.knows(account(2)));
}

TEST(Contacts, NeverLowersTheRankOfWhatIsKnown) {
  Contacts contacts({});
  ASSERT_TRUE(contacts.meet(meeting("bob@a.example", 1, Source::invitation)));
  ASSERT_TRUE(contacts.meet(meeting("bob@a.example", 1, Source::first_use)));
  EXPECT_EQ(contacts.find("bob")->source, Source::invitation);
  ASSERT_TRUE(contacts.meet(meeting("bob@a.example", 1, Source::key_name)));
  EXPECT_EQ(contacts.find("bob")->source, Source::key_name);
}

TEST(Contacts, KeepsWhatEarlierRunsPinned) {
  Memory memory;
  memory.pins.emplace(address("bob@a.example"), key(7));
  Contacts contacts(memory);
  EXPECT_EQ(contacts.judge(address("bob@a.example"), account(7)), Standing::contact);
  EXPECT_TRUE(contacts.knows(account(7)));
  ASSERT_NE(contacts.find("bob"), nullptr) << "a pin of before there were contacts becomes one";
  EXPECT_EQ(contacts.take_changes().size(), 1U);
}

TEST(Contacts, TakesAKeyNameOnlyFromItsKey) {
  Contacts contacts({});
  const auto name = crypto::Address::key_name("bob", account(1));
  EXPECT_EQ(contacts.judge(name, account(2)), Standing::changed);
  EXPECT_FALSE(contacts.meet(meeting(name.text().c_str(), 2)));
  EXPECT_EQ(contacts.judge(name, account(1)), Standing::stranger);
  EXPECT_TRUE(contacts.meet(meeting(name.text().c_str(), 1)));
  EXPECT_EQ(contacts.judge(name, account(1)), Standing::contact);
}

TEST(Contacts, ProofOfAKeyNameDoesNotMakeAContact) {
  // Anybody has a key name: it must not be enough to learn our endpoints.
  Contacts contacts({});
  EXPECT_FALSE(contacts.knows(account(1)));
  EXPECT_EQ(contacts.judge(crypto::Address::key_name("eve", account(1)), account(1)), Standing::stranger);
}

TEST(Contacts, GiveEveryoneAShortNameOfTheirOwn) {
  Contacts contacts({});
  ASSERT_TRUE(contacts.meet(meeting("bob@a.example", 1)));
  ASSERT_TRUE(contacts.meet(meeting("bob@b.example", 2)));
  EXPECT_EQ(contacts.find("bob")->key, key(1));
  EXPECT_EQ(contacts.find("BOB-2")->key, key(2));
  auto wanted = meeting("carol@a.example", 3);
  wanted.name = "bob";
  EXPECT_EQ(contacts.meet(wanted).error(), Fault::refused) << "the name is taken";
  for (const auto* bad : {"-x", "a@b", "two words", "line\nbreak", "\xE2\x80\xAE"}) {
    wanted.name = bad;
    EXPECT_EQ(contacts.meet(wanted).error(), Fault::refused) << bad;
  }
  EXPECT_EQ(contacts.find("carol"), nullptr) << "a refusal leaves nothing behind";
  wanted.name = "Boss";
  ASSERT_TRUE(contacts.meet(wanted));
  EXPECT_EQ(contacts.find("boss")->key, key(3));
  EXPECT_EQ(contacts.find("carol@a.example")->key, key(3));
}

TEST(Contacts, ForgetTheContactWithEveryPin) {
  Contacts contacts({});
  ASSERT_TRUE(contacts.meet(meeting("bob@a.example", 1)));
  ASSERT_TRUE(contacts.meet(meeting("bob@b.example", 1)));
  contacts.forget(key(1));
  EXPECT_EQ(contacts.find("bob"), nullptr);
  EXPECT_TRUE(contacts.memory().pins.empty());
  EXPECT_EQ(contacts.judge(address("bob@a.example"), account(2)), Standing::stranger);
  EXPECT_TRUE(contacts.meet(meeting("bob@a.example", 2))) << "the name is free again";
}

TEST(Contacts, KeepWhoIsBlockedWithoutMakingThemAContact) {
  Contacts contacts({});
  ASSERT_TRUE(contacts.block(key(1), address("eve@a.example"), crypto::Address::key_name("eve", account(1)), kNow));
  EXPECT_TRUE(contacts.blocked(account(1)));
  EXPECT_FALSE(contacts.knows(account(1)));
  EXPECT_EQ(contacts.judge(address("eve@a.example"), account(1)), Standing::stranger);
  contacts.unblock(key(1));
  EXPECT_FALSE(contacts.blocked(account(1)));
  EXPECT_TRUE(contacts.memory().contacts.empty());
  ASSERT_TRUE(contacts.meet(meeting("bob@a.example", 2)));
  ASSERT_TRUE(contacts.block(key(2), {}, {}, kNow));
  EXPECT_FALSE(contacts.knows(account(2))) << "a blocked contact learns no endpoint";
  contacts.unblock(key(2));
  EXPECT_TRUE(contacts.knows(account(2)));
}

TEST(Contacts, PassTheNameToTheNewKeyOnlyByReplacing) {
  Contacts contacts({});
  ASSERT_TRUE(contacts.meet(meeting("bob@a.example", 1)));
  contacts.set_verified(key(1), kNow);
  ASSERT_TRUE(contacts.replace(key(1), meeting("bob@a.example", 2)));
  const auto* bob = contacts.find("bob");
  ASSERT_NE(bob, nullptr);
  EXPECT_EQ(bob->key, key(2));
  EXPECT_FALSE(bob->verified) << "what was compared was the other key";
  EXPECT_EQ(contacts.pin(address("bob@a.example")), key(2));
  EXPECT_EQ(contacts.judge(address("bob@a.example"), account(1)), Standing::changed);
}

TEST(Contacts, RememberTheHighestEpoch) {
  Contacts contacts({});
  ASSERT_TRUE(contacts.meet(meeting("bob@a.example", 1)));
  EXPECT_FALSE(contacts.revoked(account(1), 0));
  contacts.note_epoch(account(1), 3);
  contacts.note_epoch(account(1), 1);
  EXPECT_TRUE(contacts.revoked(account(1), 2));
  EXPECT_FALSE(contacts.revoked(account(1), 3));
  EXPECT_FALSE(contacts.revoked(account(2), 0)) << "nothing is known of others";
}

TEST(Contacts, KeepABoundedNumberOfRequests) {
  Contacts contacts({});
  for (std::uint8_t n = 0; n < 200; ++n) {
    const bool kept = contacts.note_request(
        {key(n), crypto::Address::key_name("a", account(n)), address("a@a.example"), kNow, kNow, 1});
    EXPECT_EQ(kept, n < Contacts::kMaxRequests);
  }
  const auto later = kNow + std::chrono::hours(31 * 24);
  EXPECT_TRUE(contacts.note_request({key(0), {}, {}, kNow, later, 1})) << "who is there already is only counted";
  EXPECT_EQ(contacts.request(key(0))->times, 2U);
  EXPECT_TRUE(contacts.note_request({key(201), {}, {}, later, later, 1})) << "a month later there is room";
  EXPECT_EQ(contacts.memory().requests.size(), 2U);
}

}  // namespace
}  // namespace linnet::node
