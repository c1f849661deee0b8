// Conferences of whole nodes: links, SIP, SRTP and sound in virtual time.
#include <gtest/gtest.h>

#include <algorithm>

#include "conference_nodes.h"

namespace linnet::node {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST_F(Conference, OfThreeEverybodyHearsTheOthersAndNotThemselves) {
  person("alice", 400);
  person("bob", 700);
  person("carol", 1100);
  confer();
  ASSERT_TRUE(town.run_until([&] { return gathered(3); }, seconds(10))) << told();
  town.run_for(seconds(2));
  forget_sound();
  town.run_for(seconds(2));
  const double hz[] = {400, 700, 1100};
  for (std::size_t ear = 0; ear < 3; ++ear) {
    for (std::size_t voice = 0; voice < 3; ++voice) {
      const double share = share_of(hz[voice], all[ear]->heard);
      if (ear == voice) {
        EXPECT_LT(share, 0.02) << ear << " hears itself";
      } else {
        EXPECT_GT(share, 0.2) << ear << " does not hear " << voice;
      }
    }
  }
}

TEST_F(Conference, WhatAMachineIsGoodForIsMeasuredAgainWhileItDoesNotMix) {
  for (const auto* name : {"alice", "bob", "carol"}) {
    means.push_back(all.empty() ? 400 : 100);
    all.push_back(&town.add(name + std::string("@office.example"), [](NodeConfig& c) {
      c.auto_answer = true;
      c.means_good = seconds(4);
    }));
  }
  confer();
  ASSERT_TRUE(town.run_until([&] { return gathered(3); }, seconds(10))) << told();
  const auto listener = view(*all[0])->deputy == all[1]->name ? 2u : 1u;  // a deputy of so few sends as well
  const auto asked = [&](std::size_t i) { return all[i]->count<event::MeasureMixer>(); };
  const auto mixer = asked(0), other = asked(listener);
  town.run_for(seconds(9));
  EXPECT_EQ(asked(0), mixer);
  EXPECT_EQ(asked(listener), other + 2);
  // On another network the line is another, whoever mixes.
  all[0]->node->handle_addresses(town.now(), {*Endpoint::parse("192.0.2.99:4400")});
  town.run_for(milliseconds(100));
  EXPECT_EQ(asked(0), mixer + 1);
}

TEST_F(Conference, IsOneCallToPrograms) {
  person("alice");
  person("bob");
  person("carol");
  confer();
  ASSERT_TRUE(town.run_until([&] { return gathered(3); }, seconds(10))) << told();
  for (const auto* r : all) {
    const auto status = r->node->status(town.now());
    ASSERT_EQ(status.calls.size(), 1u);
    EXPECT_EQ(status.calls[0].conference, "team");
    EXPECT_EQ(r->sounding.size(), 1u);
  }
  town.tell(*all[1], command::Hangup{});
  ASSERT_TRUE(town.run_until([&] { return all[1]->count<event::CallEnded>() == 1; }, seconds(5)));
  EXPECT_TRUE(all[1]->sounding.empty());
  all.erase(all.begin() + 1);
  EXPECT_TRUE(town.run_until([&] { return gathered(2); }, seconds(5)));
}

TEST_F(Conference, TheStrongestMixesAndEverybodyGoesOnHearing) {
  person("alice", 400);
  person("bob", 700);
  person("carol", 0, 400);
  confer();
  ASSERT_TRUE(town.run_until(
      [&] {
        for (const auto* r : all) {
          const auto v = view(*r);
          if (!v || v->mixer != "carol@office.example" || v->members.size() != 3) return false;
        }
        return true;
      },
      seconds(15)));
  town.run_for(seconds(1));
  forget_sound();
  town.run_for(seconds(2));
  EXPECT_GT(share_of(400, all[1]->heard), 0.8);
  EXPECT_GT(share_of(700, all[0]->heard), 0.8);
  EXPECT_GT(share_of(400, all[2]->heard), 0.2);
}

TEST_F(Conference, GoesOnWhenTheMixerDies) {
  person("alice", 0);
  person("bob", 700);
  person("carol", 0);
  person("dave", 0);
  confer();
  ASSERT_TRUE(town.run_until([&] { return gathered(4); }, seconds(10))) << told();
  town.run_for(seconds(4));
  ASSERT_EQ(view(*all[1])->mixer, "alice@office.example");
  forget_sound();
  town.kill(*all[0]);
  town.run_for(seconds(2));
  EXPECT_TRUE(gathered(3));
  for (const std::size_t ear : {2u, 3u}) EXPECT_GT(share_of(700, all[ear]->heard), 0.9) << ear;
  EXPECT_NE(view(*all[2])->mixer, "alice@office.example");
}

// One talks, the mixer is killed in the middle of it: how much longer than the speaker's own pauses nobody hears
// anything.
struct ConferenceDeath : Conference {
  Duration gap(std::size_t members) {
    town.delay = milliseconds(20);
    for (std::size_t i = 0; i < members; ++i) person("m" + std::to_string(i), i == 1 ? 700 : 0);
    confer();
    EXPECT_TRUE(town.run_until([&] { return gathered(members); }, seconds(30))) << told();
    town.run_for(seconds(4));
    EXPECT_EQ(view(*all[1])->mixer, all[0]->name);
    forget_sound();
    town.run_for(milliseconds(1000));
    town.kill(*all[0]);
    town.run_for(milliseconds(2000));
    EXPECT_TRUE(gathered(members - 1)) << told();
    Duration worst{};
    for (std::size_t i = 2; i < members; ++i) worst = std::max(worst, longest_quiet(all[i]->heard));
    return worst - milliseconds(150);
  }
};

TEST_F(ConferenceDeath, OfEightNobodyMissesTheMixer) { EXPECT_LE(gap(8), milliseconds(40)); }

TEST_F(ConferenceDeath, OfTwelveTheDeputyIsHeardWithinAQuarterOfASecond) { EXPECT_LE(gap(12), milliseconds(250)); }

TEST_F(Conference, SomebodyWhoAsksIsLetIn) {
  person("alice", 400);
  person("bob", 700);
  confer();
  ASSERT_TRUE(town.run_until([&] { return gathered(2); }, seconds(10))) << told();
  auto& carol = person("carol");
  ASSERT_TRUE(town.all_online());
  town.tell(carol, command::JoinConference{"bob@office.example", {}});
  EXPECT_TRUE(town.run_until([&] { return gathered(3); }, seconds(10))) << told();
  town.run_for(seconds(2));
  carol.heard.clear();
  town.run_for(seconds(2));
  EXPECT_GT(share_of(400, carol.heard), 0.2);
  EXPECT_GT(share_of(700, carol.heard), 0.2);
}

// There are two calls between the two for a moment then, and each is a leg by its kind.
TEST_F(Conference, WhoAsksToBeLetInWhereHeIsAlreadyIsMixedForByOneLegAsBefore) {
  person("alice", 400, 400);
  person("bob", 0, 200);
  auto& carol = person("carol");
  confer();
  ASSERT_TRUE(town.run_until([&] { return gathered(3); }, seconds(10))) << told();
  town.run_for(seconds(3));
  const auto datagrams_to_carol = [&] {
    std::size_t n = 0;
    town.delivered = [&](const Resident& to, const Endpoint&, ByteView) { n += &to == &carol ? 1 : 0; };
    town.run_for(seconds(2));
    town.delivered = {};
    return n;
  };
  const auto before = datagrams_to_carol();
  town.tell(carol, command::JoinConference{"alice@office.example", std::nullopt});
  town.run_for(seconds(6));
  EXPECT_LE(datagrams_to_carol(), before + before / 4);
  EXPECT_TRUE(gathered(3)) << told();
  forget_sound();
  town.run_for(seconds(2));
  EXPECT_GT(share_of(400, carol.heard), 0.8);
}

TEST_F(Conference, WhoRecordsIsNamedToAllOthersAndToWhoComesLater) {
  person("alice");
  person("bob");
  person("carol");
  confer();
  ASSERT_TRUE(town.run_until([&] { return gathered(3); }, seconds(10))) << told();
  const auto said = [](const Resident& r, const std::string& what) {
    return std::count_if(r.events.begin(), r.events.end(), [&](const Event& e) {
      const auto* word = std::get_if<event::ConferenceSaid>(&e);
      return word != nullptr && word->text == what;
    });
  };
  const std::string records = "bob@office.example records this conference.";
  all[1]->node->set_recording(town.now(), view(*all[1])->id, true);
  EXPECT_TRUE(town.run_until([&] { return said(*all[0], records) == 1 && said(*all[2], records) == 1; }, seconds(1)));
  EXPECT_EQ(said(*all[1], records), 0) << "he knows";
  auto& dave = person("dave");
  ASSERT_TRUE(town.all_online());
  town.tell(dave, command::JoinConference{"alice@office.example", {}});
  ASSERT_TRUE(town.run_until([&] { return gathered(4); }, seconds(10))) << told();
  town.run_for(seconds(1));
  EXPECT_EQ(said(dave, records), 1);
  EXPECT_EQ(said(*all[0], records), 1) << "once";
  all[1]->node->set_recording(town.now(), view(*all[1])->id, false);
  const std::string no_more = "bob@office.example does not record any more.";
  EXPECT_TRUE(town.run_until([&] { return said(dave, no_more) == 1; }, seconds(1)));
}

}  // namespace
}  // namespace linnet::node
