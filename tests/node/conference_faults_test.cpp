// One member of a conference misbehaves: the others go on hearing who speaks, nobody leaves, and the offender is named.
// Seeds choose the town, who it is and when it begins; LINNET_CONFERENCE_SEEDS has many of them run
// (scripts/conference-faults).
#include <gtest/gtest.h>

#include <array>

#include "conference_offender.h"
#include "conference_spoken.h"

namespace linnet::node {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct ConferenceOffence : SpokenConference {
  Offender offender{town};
  Resident* bad = nullptr;
  std::uint64_t before = 0;  // what the mixer sent in the seconds before

  // Five: the mixer, who speaks, two who listen, and the offender, who is the deputy in some.
  void gather() {
    const bool deputy = rng.below(2) == 0;
    mixer = &person("mixer", 0, 200);
    speaker = &person("speaker", 0, 100);
    speaker->says = speech();
    person("carol", 0, 90);
    person("dave", 0, 80);
    bad = &person("mallory", 0, deputy ? 120 : 70);
    offender.is(*bad);
    begin(5);
  }
  void SetUp() override {
    SpokenConference::SetUp();
    gather();
    if (HasFatalFailure()) return;
    before = sent_by(*mixer, [&] { town.run_for(seconds(4)); });
  }
  std::set<const Resident*> honest() const {
    std::set<const Resident*> out(all.begin(), all.end());
    out.erase(bad);
    return out;
  }
  bool named_by(const Resident& who) const {
    for (const auto& e : who.events) {
      const auto* said = std::get_if<event::ConferenceSaid>(&e);
      if (said != nullptr && said->text.find(bad->name) == 0) return true;
    }
    return false;
  }
  // While it goes on and afterwards.
  void expect_unharmed(const std::function<void()>& each_tick = {}) {
    town.run_for(milliseconds(rng.below(400)));
    listen();
    const auto during = sent_by(*mixer, [&] {
      for (int i = 0; i < 400; ++i) {
        if (each_tick) each_tick();
        town.run_for(milliseconds(10));
      }
    });
    expect_heard(honest());
    // To whom it does not hear it sends by two ways for a while, and what comes by the link is acknowledged.
    EXPECT_LE(during, before + before * 2 / 5) << "packets of the mixer";
    EXPECT_TRUE(named_by(*mixer)) << told();
    EXPECT_TRUE(gathered(5)) << told();
    for (const auto* who : honest()) {
      EXPECT_EQ(view(*who)->mixer, mixer->name);
      EXPECT_EQ(who->count<event::CallEnded>(), 0U) << who->name;
      EXPECT_EQ(view(*who)->term, 1U);
    }
  }
  conference::RoomId room() const {
    conference::RoomId out{};
    const auto bytes = *from_hex(view(*mixer)->room);
    std::copy_n(bytes.begin(), out.size(), out.begin());
    return out;
  }
  conference::Claim own_claim() const {
    conference::Claim out;
    out.room = room();
    out.address = bad->node->identity().address;
    out.mixes = 2000;
    out.version = 99;
    return out;
  }
};

TEST_P(ConferenceOffence, SilenceThatIsSaidToBeLoud) {
  offender.voice = [](Bytes& rtp) {
    if (auto* level = said_level(rtp)) *level = 0x80 | 5;
  };
  expect_unharmed();
  EXPECT_GT(offender.changed, 100U);
}

TEST_P(ConferenceOffence, GarbageInPlaceOfVoice) {
  offender.sealed = [this](Bytes& packet) {
    rng.fill(std::span(packet).subspan(rng.below(2) == 0 ? 1 : media::kRtpHeader));
    packet[1] &= 0x7f;  // not as RTCP
  };
  expect_unharmed();
  EXPECT_GT(offender.changed, 100U);
}

TEST_P(ConferenceOffence, AnotherSourceThanItsOwn) {
  const auto other = static_cast<std::uint8_t>(rng.below(256));
  offender.voice = [other](Bytes& rtp) { rtp[8] ^= static_cast<std::uint8_t>(other | 1); };
  expect_unharmed();
  EXPECT_GT(offender.changed, 100U);
}

TEST_P(ConferenceOffence, TenTimesThePackets) {
  std::vector<std::int16_t> noise(480);
  expect_unharmed([&] {
    for (auto& sample : noise) sample = static_cast<std::int16_t>(static_cast<int>(rng.below(400)) - 200);
    for (int i = 0; i < 9; ++i) bad->node->capture(town.now(), bad->sounding.front(), noise);
  });
}

TEST_P(ConferenceOffence, WordsThatNobodyCanRead) {
  expect_unharmed([&] {
    if (rng.below(10) != 0) return;
    Bytes words(1 + rng.below(300));
    rng.fill(words);
    words[0] = static_cast<std::uint8_t>(1 + rng.below(10));
    offender.says(words);
  });
}

TEST_P(ConferenceOffence, AScoreThatItsDeviceDidNotSign) {
  auto claim = conference::sign(town_suite(), bad->node->identity(), own_claim());
  claim.claim.mixes = 1999;
  offender.says(conference::Message(claim));
  expect_unharmed();
  const auto shown = view(*mixer);
  for (const auto& member : shown->members) EXPECT_LT(member.mixes, 1999U);
}

TEST_P(ConferenceOffence, ACertificateThatHasRunOut) {
  auto identity = bad->node->identity();
  crypto::renew_certificate(town_suite(), identity, Wall{0});
  offender.says(conference::Message(conference::sign(town_suite(), identity, own_claim())));
  expect_unharmed();
}

TEST_P(ConferenceOffence, ARosterInWhichItMixes) {
  conference::Roster roster;
  roster.head.room = room();
  roster.head.term = view(*mixer)->term + 1 + rng.below(3);
  roster.head.mixer = bad->node->identity().device_key();
  roster.head.founder = roster.head.mixer;
  const bool forged = rng.below(2) == 0;
  for (const auto* who : all) {
    if (!forged && who != bad) continue;
    auto claim = own_claim();
    claim.address = who->node->identity().address;
    auto signed_claim = conference::sign(town_suite(), bad->node->identity(), claim);
    signed_claim.claim.certificate = who->node->identity().certificate;
    roster.members.emplace(who->node->identity().device_key(), conference::Member{signed_claim});
  }
  auto news = conference::difference({}, roster);
  news.signature = conference::sign_head(town_suite(), bad->node->identity(), news.head, news.members_hash);
  offender.says(conference::Message(news));
  expect_unharmed();
}

TEST_P(ConferenceOffence, AHundredQuestionsASecond) {
  expect_unharmed([&] { offender.says(conference::Message(conference::Want{room()})); });
}

INSTANTIATE_TEST_SUITE_P(Seed, ConferenceOffence, ::testing::ValuesIn(conference_seeds()));

}  // namespace
}  // namespace linnet::node
