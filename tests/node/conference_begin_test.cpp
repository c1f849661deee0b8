// How conferences begin: what an invitation says, what is refused, two begun at once; and who records, and members
// whose codec is another.
#include <gtest/gtest.h>

#include "calls_fixture.h"
#include "node/conferences.h"

namespace linnet::node {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::vector<std::int16_t> syllables(double hz) {
  auto out = tone(hz, seconds(60));
  constexpr std::size_t kSyllable = 48 * 400, kBreath = 48 * 150;
  for (std::size_t i = 0; i < out.size(); ++i)
    if (i % (kSyllable + kBreath) >= kSyllable) out[i] = 0;
  return out;
}

struct Beginning : Townsfolk {
  Resident& someone(const std::string& name, const std::function<void(NodeConfig&)>& tweak = {}) {
    auto& out = town.add(name + "@office.example", tweak);
    everyone.push_back(&out);
    return out;
  }
  static void answering(NodeConfig& c) { c.auto_answer = true; }
  std::vector<ConferenceView> views_of(const Resident& r) const { return r.node->status(town.now()).conferences; }
  bool all_see(std::size_t members) const {
    for (const auto* r : everyone) {
      const auto views = views_of(*r);
      if (views.size() != 1 || views[0].members.size() != members || views[0].mixer.empty()) return false;
    }
    return true;
  }
  static const event::Done* outcome(const Resident& r, CommandId id) {
    for (const auto& e : r.events) {
      const auto* done = std::get_if<event::Done>(&e);
      if (done != nullptr && done->command == id) return done;
    }
    return nullptr;
  }
  std::vector<Resident*> everyone;
};

TEST_F(Beginning, AnInvitationRingsAsTheConferenceThatItIs) {
  auto& alice = someone("alice");
  auto& bob = someone("bob");
  settle();
  town.tell(alice, command::Confer{"sales team", {"bob@office.example"}, {}});
  ASSERT_TRUE(town.run_until([&] { return bob.count<event::IncomingCall>() == 1; }, seconds(10)));
  const auto* rings = bob.last<event::IncomingCall>();
  EXPECT_EQ(rings->conference, "sales team");
  EXPECT_EQ(rings->from.text(), "alice@office.example");
  const auto calls = bob.node->status(town.now()).calls;
  ASSERT_EQ(calls.size(), 1u);
  EXPECT_EQ(calls[0].state, CallState::incoming);
  EXPECT_EQ(calls[0].conference, "sales team");
  EXPECT_EQ(calls[0].peer.text(), "alice@office.example");
  town.tell(bob, command::Hangup{});
  ASSERT_TRUE(town.run_until([&] { return bob.summary() != nullptr; }, seconds(5)));
  EXPECT_EQ(bob.summary()->result, CallResult::declined);
  EXPECT_EQ(bob.summary()->conference, "sales team") << "history says what was declined";
  EXPECT_EQ(bob.summary()->peer.text(), "alice@office.example");
}

TEST_F(Beginning, AnInvitationToOneWithoutANameRingsByItsNumber) {
  auto& alice = someone("alice");
  auto& bob = someone("bob");
  settle();
  town.tell(alice, command::Confer{{}, {"bob@office.example"}, {}});
  ASSERT_TRUE(town.run_until([&] { return bob.count<event::IncomingCall>() == 1; }, seconds(10)));
  EXPECT_EQ(bob.last<event::IncomingCall>()->conference, views_of(alice).at(0).room);
}

TEST_F(Beginning, ACallOfTwoIsNone) {
  auto& alice = someone("alice");
  auto& bob = someone("bob");
  settle();
  town.call(alice, "bob@office.example");
  ASSERT_TRUE(town.run_until([&] { return bob.count<event::IncomingCall>() == 1; }, seconds(10)));
  EXPECT_EQ(bob.last<event::IncomingCall>()->conference, "");
  EXPECT_EQ(bob.node->status(town.now()).calls.at(0).conference, "");
}

TEST_F(Beginning, HistoryHasItsName) {
  auto& alice = someone("alice", answering);
  auto& bob = someone("bob", answering);
  settle();
  town.tell(alice, command::Confer{"team", {"bob@office.example"}, {}});
  ASSERT_TRUE(town.run_until([&] { return all_see(2); }, seconds(10)));
  town.tell(bob, command::Hangup{});
  ASSERT_TRUE(town.run_until([&] { return bob.summary() != nullptr; }, seconds(5)));
  EXPECT_EQ(bob.summary()->conference, "team");
}

TEST_F(Beginning, WhatCannotBeIsRefusedAndSaysWhy) {
  auto& alice = someone("alice");
  settle();
  std::vector<std::string> many;
  for (std::size_t i = 0; i <= Conferences::kMostCalled; ++i)
    many.push_back("m" + std::to_string(i) + "@office.example");
  const std::string bob = "bob@office.example";
  const auto key_name = alice.node->identity().key_name().text();
  const struct {
    std::string name;
    std::vector<std::string> who;
    std::string why;
  } table[] = {
      {std::string(65, 'x'), {bob}, "A conference's name has at most 64 octets."},
      {"team\r\nTo: eve", {bob}, "A conference's name is made of what can be seen"},
      {" team", {bob}, "A conference's name is made of what can be seen"},
      {"team ", {bob}, "A conference's name is made of what can be seen"},
      {"a  b", {bob}, "A conference's name is made of what can be seen"},
      {"\xff", {bob}, "A conference's name is made of what can be seen"},
      {"team", {}, "Nobody is named to be called."},
      {"team", {"alice@office.example"}, "alice@office.example is your own address."},
      {"team", {key_name}, key_name + " is your own address."},
      {"team", {bob, "sip:BOB@office.example"}, "sip:BOB@office.example is named twice."},
      {"team", many, "At most 149 people are called at once."},
  };
  for (const auto& row : table) {
    const auto id = town.tell(alice, command::Confer{row.name, row.who, {}});
    ASSERT_TRUE(town.run_until([&] { return outcome(alice, id) != nullptr; }, seconds(1)));
    EXPECT_EQ(outcome(alice, id)->outcome, Outcome::refused) << row.why;
    EXPECT_EQ(outcome(alice, id)->text.substr(0, row.why.size()), row.why);
  }
  EXPECT_TRUE(views_of(alice).empty());
  many.pop_back();
  const auto most = town.tell(alice, command::Confer{"team", many, {}});
  ASSERT_TRUE(town.run_until([&] { return outcome(alice, most) != nullptr; }, seconds(1)));
  EXPECT_EQ(outcome(alice, most)->outcome, Outcome::ok) << "149";
  const auto twice = town.tell(alice, command::Confer{"team", {bob}, {}});
  ASSERT_TRUE(town.run_until([&] { return outcome(alice, twice) != nullptr; }, seconds(1)));
  EXPECT_EQ(outcome(alice, twice)->text, "You are in a conference team already. See: linnet conf ls");
}

// All at once are more than a supernode answers to one node: they are called a few at a time.
TEST_F(Beginning, ThirtyThatAreCalledAtOnceAllComeIn) {
  auto& alice = someone("alice", answering);
  std::vector<std::string> who;
  for (int i = 0; i < 29; ++i) who.push_back(someone("m" + std::to_string(i), answering).name);
  settle();
  town.tell(alice, command::Confer{"team", who, {}});
  EXPECT_TRUE(town.run_until([&] { return all_see(30); }, seconds(30)));
}

// Each seed draws the two numbers anew, so both come to give way.
TEST_F(Beginning, TwoOfOneNameAtOnceAreOne) {
  auto& alice = someone("alice");
  auto& bob = someone("bob");
  auto& carol = someone("carol", answering);
  alice.says = syllables(400);
  settle();
  int alice_stayed = 0, bob_stayed = 0, by_number = 0;
  for (int round = 0; round < 6; ++round) {
    town.tell(alice, command::Confer{"team", {"bob@office.example", "carol@office.example"}, {}});
    town.tell(bob, command::Confer{"team", {"alice@office.example"}, {}});
    const auto first_of_alice = views_of(alice).at(0).room, first_of_bob = views_of(bob).at(0).room;
    ASSERT_TRUE(town.run_until([&] { return all_see(3); }, seconds(15))) << "round " << round;
    const auto room = views_of(alice)[0].room;
    EXPECT_EQ(room, views_of(bob)[0].room);
    EXPECT_EQ(room, views_of(carol)[0].room);
    // The lower number stays, unless carol was in the other one before bob's call came.
    EXPECT_TRUE(room == first_of_alice || room == std::min(first_of_alice, first_of_bob));
    by_number += room < std::max(first_of_alice, first_of_bob) ? 1 : 0;
    (room == first_of_alice ? alice_stayed : bob_stayed)++;
    bob.heard.clear();
    town.run_for(seconds(2));
    EXPECT_GT(share_of(400, bob.heard), 0.5);
    for (auto* r : everyone) town.tell(*r, command::Hangup{});
    ASSERT_TRUE(town.run_until(
        [&] {
          return std::all_of(everyone.begin(), everyone.end(), [&](const auto* r) {
            const auto status = r->node->status(town.now());
            return status.conferences.empty() && status.calls.empty();
          });
        },
        seconds(20)));
  }
  EXPECT_GT(alice_stayed, 0);
  EXPECT_GT(bob_stayed, 0);
  EXPECT_GT(by_number, 3) << "of six";
}

TEST_F(Beginning, OneOfTheSameNameFromWhomWeDoNotCallRings) {
  auto& alice = someone("alice");
  someone("bob");
  auto& carol = someone("carol");
  settle();
  town.tell(alice, command::Confer{"team", {"bob@office.example"}, {}});
  town.tell(carol, command::Confer{"team", {"alice@office.example"}, {}});
  ASSERT_TRUE(town.run_until([&] { return alice.count<event::IncomingCall>() == 1; }, seconds(10)));
  EXPECT_EQ(alice.last<event::IncomingCall>()->from.text(), "carol@office.example");
  EXPECT_EQ(views_of(alice).at(0).members.size(), 1u);
}

TEST_F(Beginning, WhoRecordsIsMarkedAtEverybodyWithinASecond) {
  someone("alice", answering);
  auto& bob = someone("bob", answering);
  someone("carol", answering);
  settle();
  town.tell(*everyone[0], command::Confer{"team", {"bob@office.example", "carol@office.example"}, {}});
  ASSERT_TRUE(town.run_until([&] { return all_see(3); }, seconds(10)));
  town.run_for(seconds(2));
  const auto marked = [&](bool on) {
    for (const auto* r : everyone) {
      const auto views = views_of(*r);
      for (const auto& member : views.at(0).members)
        if (member.recording != (on && member.address == bob.name)) return false;
    }
    return true;
  };
  ASSERT_TRUE(marked(false));
  const auto id = views_of(bob).at(0).id;
  const auto changes = everyone[2]->count<event::CallChanged>();
  bob.node->set_recording(town.now(), id, true);
  EXPECT_TRUE(town.run_until([&] { return marked(true); }, seconds(1)));
  town.run_for(milliseconds(200));  // news are gathered for so long
  EXPECT_GT(everyone[2]->count<event::CallChanged>(), changes) << "programs are told";
  bob.node->set_recording(town.now(), id, false);
  EXPECT_TRUE(town.run_until([&] { return marked(false); }, seconds(1)));
}

TEST_F(Beginning, WhoRecordsFromTheStartIsMarkedWhenHeComesIn) {
  someone("alice", answering);
  auto& bob = someone("bob", answering);
  settle();
  town.tell(*everyone[0], command::Confer{"team", {"bob@office.example"}, {}});
  ASSERT_TRUE(town.run_until([&] { return !views_of(bob).empty(); }, seconds(10)));
  bob.node->set_recording(town.now(), views_of(bob)[0].id, true);  // before any roster has him
  ASSERT_TRUE(town.run_until([&] { return all_see(2); }, seconds(10)));
  const auto seen_by_alice = [&] {
    const auto views = views_of(*everyone[0]);
    for (const auto& member : views.at(0).members)
      if (member.address == bob.name) return member.recording;
    return false;
  };
  EXPECT_TRUE(town.run_until(seen_by_alice, seconds(1)));
}

// A member that sends and takes PCMU alone: measured by what is decoded, sent an encoding of his own at 8 kHz.
TEST_F(Beginning, AMemberWithAnotherCodecIsHeardAndHears) {
  const auto pcmu = [](NodeConfig& c) {
    c.auto_answer = true;
    c.codec = CodecChoice::pcmu;
  };
  auto& alice = someone("alice", answering);
  auto& bob = someone("bob", pcmu);
  auto& carol = someone("carol", answering);
  alice.says = syllables(400);
  bob.says = syllables(700);
  carol.says = syllables(1100);
  settle();
  for (auto* r : everyone) r->node->set_conference_means(town.now(), ConferenceMeans{r == &alice ? 900u : 100u});
  town.tell(alice, command::Confer{"team", {"bob@office.example", "carol@office.example"}, {}});
  ASSERT_TRUE(town.run_until([&] { return all_see(3); }, seconds(10)));
  town.run_for(seconds(2));
  for (auto* r : everyone) r->heard.clear();
  town.run_for(seconds(3));
  const double pitches[] = {400, 700, 1100};
  for (std::size_t ear = 0; ear < 3; ++ear)
    for (std::size_t voice = 0; voice < 3; ++voice) {
      const double share = share_of(pitches[voice], everyone[ear]->heard);
      if (ear == voice) {
        EXPECT_LT(share, 0.02) << ear << " hears itself";
      } else {
        EXPECT_GT(share, 0.2) << ear << " does not hear " << voice;
      }
    }
}

}  // namespace
}  // namespace linnet::node
