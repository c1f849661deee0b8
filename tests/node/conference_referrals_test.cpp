// A member's SIP program asks whoever mixes by REFER that somebody be called in or taken out (RFC 4579).
#include "node/conference_referrals.h"

#include <gtest/gtest.h>

#include "conference_hall.h"
#include "node/links.h"

namespace linnet::node {
namespace {

using conference::Hall;

// The mixer's SIP and that of one other, joined back to back. `asks`: whose device sends the REFER.
struct ConferenceReferral : ::testing::Test {
  Hall hall;
  SeededRng rng{9};
  sip::PeerId focus_peer{};
  sip::Core focus{core("member1", true), rng};
  ConferenceReferrals referrals;
  std::vector<ConferenceReferrals::Wish> wishes;
  std::vector<int> answers, progress;
  std::size_t ended = 0;
  static constexpr CallId kTried{41};

  static sip::Config core(const std::string& name, bool refers) {
    sip::Config out;
    out.local_uri = uri_of(*crypto::Address::parse(name + "@hall.example"));
    out.refers = refers;
    return out;
  }
  // Who started it; member 1 can do more than the others, and mixes soon.
  std::size_t founder = 0;
  void SetUp() override {
    for (const std::uint32_t mixes : {400u, 100u, 100u}) hall.add(mixes);
    hall.found(founder);
    hall.run(conference::milliseconds(300));
    for (std::size_t i = 0; i < 3; ++i)
      if (i != founder) hall.invite(founder, i);
    hall.run(conference::seconds(6));
    ASSERT_EQ(room()->duty(), conference::Duty::mixer);
    focus_peer = peer_id(hall.key(0));
  }
  conference::Room* room() { return &*hall.people[0].room; }
  sip::ReferParams to(const std::string& who, const std::string& method = "INVITE") const {
    sip::ReferParams out;
    out.to = focus_peer;
    out.target = core("member1", true).local_uri;
    out.from = core("member2", false).local_uri;
    out.refer_to = *sip::Uri::parse(who);
    out.method = method;
    return out;
  }
  // All of it, until nothing moves: what is tried stands with `outcome`, or is under way where that is 0.
  void refer(std::size_t asks, const sip::ReferParams& params, const conference::Room* known, int outcome = 0) {
    SeededRng own(17 + answers.size());  // or it were the same request again
    sip::Core member(core("member2", false), own);
    ASSERT_TRUE(member.refer(hall.now, params));
    const auto peer = peer_id(hall.key(asks));
    for (int i = 0; i < 20; ++i) {
      while (const auto m = member.poll_message()) focus.handle_message(hall.now, peer, m->bytes);
      while (const auto m = focus.poll_message()) member.handle_message(hall.now, focus_peer, m->bytes);
      while (const auto e = focus.poll_event()) {
        if (const auto* over = std::get_if<sip::SubscriptionEnded>(&*e)) referrals.on(*over);
        const auto* asked = std::get_if<sip::ReferReceived>(&*e);
        if (asked == nullptr) continue;
        const auto wish = referrals.read(focus, hall.now, *asked, known);
        if (!wish) continue;
        wishes.push_back(*wish);
        if (wish->takes_out)
          ConferenceReferrals::done(focus, hall.now, *asked);
        else
          referrals.follow(focus, hall.now, *asked, CallId{static_cast<std::uint64_t>(kTried) + wishes.size() - 1});
      }
      if (i == 10 && outcome != 0) referrals.over(focus, hall.now, kTried, outcome);
      while (const auto e = member.poll_event()) {
        if (const auto* answer = std::get_if<sip::ReferAnswered>(&*e)) answers.push_back(answer->code);
        if (const auto* news = std::get_if<sip::ReferProgress>(&*e)) progress.push_back(news->code);
        if (std::holds_alternative<sip::SubscriptionEnded>(*e)) ++ended;
      }
    }
  }
};

TEST_F(ConferenceReferral, OfAMemberHasSomebodyCalledInAndHearsThatHeCame) {
  refer(1, to("sip:dave@hall.example"), room(), 200);
  ASSERT_EQ(wishes.size(), 1u);
  EXPECT_FALSE(wishes[0].takes_out);
  EXPECT_EQ(wishes[0].who.text(), "dave@hall.example");
  EXPECT_EQ(answers, (std::vector<int>{202}));
  EXPECT_EQ(progress, (std::vector<int>{100, 200}));
  EXPECT_EQ(ended, 1u);
}

TEST_F(ConferenceReferral, SaysWhyNobodyCame) {
  refer(1, to("sip:dave@hall.example"), room(), status_of(CallResult::declined));
  EXPECT_EQ(progress, (std::vector<int>{100, 603}));
  EXPECT_EQ(ended, 1u);
}

TEST_F(ConferenceReferral, IsUnderWayWhileItRings) {
  refer(1, to("sip:dave@hall.example"), room());
  EXPECT_EQ(progress, (std::vector<int>{100}));
  EXPECT_EQ(ended, 0u);
}

TEST_F(ConferenceReferral, OfWhoWantsToHearNothingEndsWithItsAcceptance) {
  auto quiet = to("sip:dave@hall.example");
  quiet.progress = false;
  refer(1, quiet, room(), 200);
  EXPECT_EQ(wishes.size(), 1u);
  EXPECT_EQ(answers, (std::vector<int>{202}));
  EXPECT_TRUE(progress.empty());
}

TEST_F(ConferenceReferral, OfAStrangerOrOutsideOfAConferenceIsRefused) {
  const auto stranger = hall.add();
  refer(stranger, to("sip:dave@hall.example"), room());
  refer(1, to("sip:dave@hall.example"), nullptr);
  EXPECT_TRUE(wishes.empty());
  EXPECT_EQ(answers, (std::vector<int>{403, 403}));
}

TEST_F(ConferenceReferral, RingsFewAtOnce) {
  for (std::size_t i = 0; i <= ConferenceReferrals::kAtOnce; ++i) {
    auto one = to("sip:guest" + std::to_string(i) + "@hall.example");
    one.progress = i % 2 == 0;  // who hears nothing of it counts as well
    refer(1, one, room());
  }
  EXPECT_EQ(wishes.size(), ConferenceReferrals::kAtOnce);
  EXPECT_EQ(answers.back(), 486);
  referrals.over(focus, hall.now, kTried, 200);
  refer(1, to("sip:last@hall.example"), room());
  EXPECT_EQ(answers.back(), 202);
}

TEST_F(ConferenceReferral, BringsNobodyIntoALockedConference) {
  ASSERT_TRUE(room()->lock(hall.now, true));
  refer(1, to("sip:dave@hall.example"), room());
  EXPECT_TRUE(wishes.empty());
  EXPECT_EQ(answers, (std::vector<int>{403}));
}

TEST_F(ConferenceReferral, ToWhoIsHereOrToAnotherMethodIsRefused) {
  refer(1, to("sip:member3@hall.example"), room());
  refer(1, to("sip:dave@hall.example", "MESSAGE"), room());
  auto moves = to("sip:dave@hall.example");
  moves.replaces = sip::DialogName{"a-call", "one", "other"};
  refer(1, moves, room());
  EXPECT_TRUE(wishes.empty());
  EXPECT_EQ(answers, (std::vector<int>{486, 603, 603}));
}

TEST_F(ConferenceReferral, OfAnyoneElseThanTheFounderTakesNobodyOut) {
  refer(1, to("sip:member3@hall.example", "BYE"), room());
  EXPECT_EQ(answers, (std::vector<int>{403}));
  EXPECT_TRUE(wishes.empty());
}

struct ConferenceReferralOfTheFounder : ConferenceReferral {
  ConferenceReferralOfTheFounder() { founder = 1; }
};

TEST_F(ConferenceReferralOfTheFounder, TakesSomebodyOut) {
  refer(1, to("sip:member3@hall.example", "BYE"), room());
  ASSERT_EQ(wishes.size(), 1u);
  EXPECT_TRUE(wishes[0].takes_out);
  const auto devices = members_at(room()->roster(), wishes[0].who);
  EXPECT_EQ(devices, (std::vector<crypto::DeviceKey>{hall.key(2)}));
  ASSERT_FALSE(progress.empty());
  EXPECT_EQ(progress.back(), 200);
}

TEST_F(ConferenceReferralOfTheFounder, TakesOutNobodyWhoIsNotHere) {
  refer(1, to("sip:erin@hall.example", "BYE"), room());
  EXPECT_TRUE(wishes.empty());
  EXPECT_EQ(answers, (std::vector<int>{404}));
}

}  // namespace
}  // namespace linnet::node
