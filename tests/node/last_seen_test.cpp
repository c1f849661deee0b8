// When a contact was last heard from: noted while links stand, kept, and told when nobody answers.
#include "node/last_seen.h"

#include "calls_fixture.h"
#include "node/day.h"

namespace linnet::node {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr Wall kLooked{1'800'000'000};  // 15 January 2027

TEST(Ago, IsSaidInTheLargestUnitThatIsExactEnough) {
  const struct {
    std::int64_t passed;
    const char* said;
  } table[] = {{0, "less than a minute ago"},
               {59, "less than a minute ago"},
               {60, "1 min ago"},
               {14 * 60 + 59, "14 min ago"},
               {7199, "119 min ago"},
               {7200, "2 h ago"},
               {47 * 3600, "47 h ago"},
               {48 * 3600, "2 days ago"},
               {13 * 86400, "13 days ago"},
               {14 * 86400, "on 1 January"},
               {30 * 86400, "on 16 December 2026"},
               {-1, ""}};
  for (const auto& row : table) EXPECT_EQ(ago(kLooked - seconds(row.passed), kLooked), row.said) << row.passed;
}

struct Heard : ::testing::Test {
  crypto::AccountKey account{{1, 2, 3}};
  PersonKey key = crypto::key_hash(account);
  Contacts contacts{Memory{}};

  void SetUp() override {
    Contacts::Meeting meeting;
    meeting.key = key;
    meeting.key_name = crypto::Address::key_name("bob", account);
    meeting.address = *crypto::Address::parse(kBob);
    ASSERT_TRUE(contacts.meet(meeting));
    (void)contacts.take_changes();
  }
  std::optional<Wall> heard() const { return contacts.find(key)->heard; }
  std::size_t stored() { return contacts.take_changes().size(); }
};

TEST_F(Heard, IsTheLatestOfAllDevices) {
  EXPECT_FALSE(heard());
  contacts.note_heard(account, kLooked, kLooked, seconds(60));
  contacts.note_heard(account, kLooked - seconds(50), kLooked, seconds(60));
  EXPECT_EQ(heard(), kLooked);
}

TEST_F(Heard, IsStoredNoOftenerThanAsked) {
  contacts.note_heard(account, kLooked, kLooked, seconds(60));
  EXPECT_EQ(stored(), 1u);
  contacts.note_heard(account, kLooked + seconds(59), kLooked + seconds(59), seconds(60));
  EXPECT_EQ(stored(), 0u);
  EXPECT_EQ(heard(), kLooked + seconds(59)) << "but it is known";
  contacts.note_heard(account, kLooked + seconds(60), kLooked + seconds(60), seconds(60));
  EXPECT_EQ(stored(), 1u);
}

TEST_F(Heard, IsMendedAfterAClockThatRanAhead) {
  const auto wrong = kLooked + seconds(86400 * 365);
  contacts.note_heard(account, wrong, wrong, seconds(60));
  EXPECT_EQ(last_seen(contacts.find(key), kLooked), "") << "nothing is said of the future";
  contacts.note_heard(account, kLooked, kLooked, seconds(60));
  EXPECT_EQ(heard(), kLooked);
  EXPECT_EQ(stored(), 2u);
}

TEST_F(Heard, IsNotedOfNobodyElse) {
  const crypto::AccountKey stranger{{9}};
  contacts.note_heard(stranger, kLooked, kLooked, seconds(60));
  EXPECT_EQ(contacts.find(crypto::key_hash(stranger)), nullptr);
  ASSERT_TRUE(contacts.block(key, *crypto::Address::parse(kBob), crypto::Address::key_name("bob", account), kLooked));
  (void)contacts.take_changes();
  contacts.note_heard(account, kLooked, kLooked, seconds(60));
  EXPECT_FALSE(heard());
  EXPECT_EQ(stored(), 0u);
}

struct LastSeen : Calls {
  // What the driver was told to store of bob, last.
  std::optional<Wall> stored() const {
    const auto all = alice->stored<Contact>();
    return all.empty() ? std::nullopt : all.back().heard;
  }
  std::string text_of_call() {
    const auto before = alice->count<event::CallEnded>();
    town.call(*alice, kBob);
    EXPECT_TRUE(town.run_until([&] { return alice->count<event::CallEnded>() > before; }, seconds(40)));
    return alice->summary()->text;
  }
};

TEST_F(LastSeen, IsToldOfAContactWhoIsGone) {
  meet();
  talk();
  town.tell(*alice, command::Hangup{});
  ASSERT_TRUE(until(*alice, std::nullopt));
  town.run_for(minutes(2));  // the link is idle and closed
  town.kill(*bob);
  town.run_for(minutes(14));
  const auto text = text_of_call();
  EXPECT_EQ(result(*alice), CallResult::unreachable);
  EXPECT_EQ(text.rfind("bob is known but not ", 0), 0u) << text;
  EXPECT_NE(text.find("\n  Last seen 15 min ago."), std::string::npos) << text;
}

// The last packet of a device that dies in a call counts, not the call's beginning.
TEST_F(LastSeen, IsTheLastPacketOfWhoDiedInACall) {
  meet();
  talk();
  town.run_for(seconds(100));
  town.kill(*bob);
  ASSERT_TRUE(over(*alice, minutes(5)));
  town.run_for(minutes(3));
  const auto text = text_of_call();
  EXPECT_TRUE(text.find("Last seen 3 min ago.") != std::string::npos ||
              text.find("Last seen 4 min ago.") != std::string::npos)
      << text;
}

TEST_F(LastSeen, OutlivesARestart) {
  meet();
  talk();
  town.tell(*alice, command::Hangup{});
  ASSERT_TRUE(until(*alice, std::nullopt));
  town.run_for(minutes(2));
  ASSERT_TRUE(stored());
  town.kill(*bob);
  town.run_for(minutes(5));
  town.restart(*alice);
  ASSERT_TRUE(
      town.run_until([&] { return alice->node->status(town.now()).state == overlay::State::online; }, seconds(30)));
  EXPECT_NE(text_of_call().find("Last seen 6 min ago."), std::string::npos) << alice->summary()->text;
}

// The link stood already when the invitation made a contact of who was behind it.
TEST_F(LastSeen, IsKnownOfWhoBecameAContactOnTheLink) {
  meet();
  town.tell(*alice, command::People{ask::Invite{}});
  ASSERT_TRUE(town.run_until([&] { return alice->last<event::PeopleDone>() != nullptr; }, seconds(15)));
  ask::Accept accept;
  accept.code = alice->last<event::PeopleDone>()->reply.code;
  town.tell(*bob, command::People{accept});
  ASSERT_TRUE(town.run_until([&] { return bob->last<event::PeopleDone>() != nullptr; }, seconds(15)));
  EXPECT_EQ(bob->last<event::PeopleDone>()->reply.refusal, Refusal::none);
  ASSERT_FALSE(alice->stored<Contact>().empty());
  EXPECT_TRUE(stored());
}

TEST_F(LastSeen, IsNotToldOfWhoNeverSpoke) {
  Memory known;
  meet();
  const auto& bobs = bob->node->identity().account_key();
  alice = &town.add("carol@c.example", {}, pinned(kBob, bobs));
  settle();
  town.kill(*bob);
  const auto text = text_of_call();
  EXPECT_EQ(text.find("Last seen"), std::string::npos) << text;
}

}  // namespace
}  // namespace linnet::node
