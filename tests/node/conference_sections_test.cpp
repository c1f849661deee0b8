// Who mixes for whom in a room that one cannot carry: a pure function of the roster as it was.
#include "node/conference_sections.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/rng.h"

namespace linnet::node::conference {
namespace {

struct ConferenceSections : ::testing::Test {
  Roster roster;
  std::map<crypto::DeviceKey, SignedClaim> known;
  SeededRng rng{1};

  crypto::DeviceKey add(std::uint32_t mixes) {
    Member m;
    auto& c = m.claim.claim;
    c.certificate.device.bytes = rng.array<32>();
    c.mixes = mixes;
    m.claim.signature[0] = 1;
    m.section = kNowhere;
    known[c.device()] = m.claim;
    roster.members.emplace(c.device(), m);
    return c.device();
  }
  void settle() {
    choose_claims(roster, known);
    roster.head.deputy = deputy_of(roster);
    place(roster);
  }
  void fill(std::size_t members, std::uint32_t mixes) {
    for (std::size_t i = 0; i < members; ++i) {
      const auto device = add(mixes);
      if (i == 0) roster.head.mixer = device;
      settle();
    }
  }
  std::size_t load(const crypto::DeviceKey& mixer) const {
    return static_cast<std::size_t>(std::count_if(roster.members.begin(), roster.members.end(), [&](const auto& entry) {
      return mixer_of(roster, entry.first) == mixer;
    }));
  }
  std::size_t sections() const {
    const auto& all = roster.head.sections;
    return static_cast<std::size_t>(
        std::count_if(all.begin(), all.end(), [](const auto& d) { return d != crypto::DeviceKey{}; }));
  }
  // Everybody hears somebody who is here, and whoever that is hears the mixer: no loop, nothing twice.
  void expect_whole() const {
    for (const auto& [device, member] : roster.members) {
      if (device == roster.head.mixer) continue;
      const auto mixer = mixer_of(roster, device);
      ASSERT_TRUE(mixer && roster.has(*mixer));
      ASSERT_NE(*mixer, device);
      ASSERT_TRUE(*mixer == roster.head.mixer || mixer_of(roster, *mixer) == roster.head.mixer);
      ASSERT_NE(member.section, kNowhere);
      ASSERT_FALSE(roster.members.at(*mixer).thin);
    }
    if (roster.head.deputy) {
      ASSERT_EQ(mixer_of(roster, *roster.head.deputy), roster.head.mixer);
    }
  }
  std::map<crypto::DeviceKey, crypto::DeviceKey> heard() const {
    std::map<crypto::DeviceKey, crypto::DeviceKey> out;
    for (const auto& entry : roster.members)
      if (const auto mixer = mixer_of(roster, entry.first)) out[entry.first] = *mixer;
    return out;
  }
};

TEST_F(ConferenceSections, ARoomThatOneCarriesHasNone) {
  fill(13, 12);
  EXPECT_EQ(sections(), 0u);
  EXPECT_EQ(load(roster.head.mixer), 12u);
}

TEST_F(ConferenceSections, OneMoreIsHeardByAnother) {
  fill(14, 12);
  EXPECT_EQ(sections(), 1u);
  expect_whole();
  EXPECT_EQ(load(roster.head.mixer), 12u);
  EXPECT_EQ(load(roster.head.sections[0]), 1u);
  EXPECT_NE(roster.head.deputy, roster.head.sections[0]);
}

TEST_F(ConferenceSections, FortyWhoCarryTwelveEachAreHeardByFour) {
  fill(40, 12);
  expect_whole();
  EXPECT_EQ(sections(), 3u);
  EXPECT_LE(load(roster.head.mixer), 12u);
  for (const auto& device : roster.head.sections) EXPECT_LE(load(device), 12u);
}

TEST_F(ConferenceSections, AThousandWhoCarrySixtyEachAreNobodysBurden) {
  fill(1000, 60);
  expect_whole();
  EXPECT_LE(load(roster.head.mixer), 60u);
  for (const auto& device : roster.head.sections) EXPECT_LE(load(device), 60u);
  EXPECT_LE(sections(), 18u);
  const auto full =
      std::count_if(roster.members.begin(), roster.members.end(), [](const auto& entry) { return !entry.second.thin; });
  EXPECT_EQ(full, static_cast<long>(kWithClaims));
}

TEST_F(ConferenceSections, WhoIsMissingIsFollowedByOneOtherAndTheOthersStay) {
  fill(40, 12);
  const auto before = heard();
  const auto died = roster.head.sections[1];
  roster.members.erase(died);
  settle();
  expect_whole();
  std::size_t moved = 0;
  for (const auto& [device, mixer] : heard()) moved += before.at(device) != mixer && before.at(device) != died ? 1 : 0;
  EXPECT_LE(moved, 2u);
  EXPECT_NE(roster.head.sections[1], died);
  EXPECT_LE(load(roster.head.sections[1]), 12u);
}

TEST_F(ConferenceSections, WhoGoesTakesASectionWithHimOnlyWhenTheOthersHaveAmpleRoom) {
  fill(40, 12);
  while (roster.members.size() > 8) {
    auto gone = std::find_if(roster.members.begin(), roster.members.end(),
                             [&](const auto& e) { return e.first != roster.head.mixer; });
    roster.members.erase(gone);
    settle();
    expect_whole();
  }
  EXPECT_EQ(sections(), 0u);
}

TEST_F(ConferenceSections, WhereNobodyElseCouldTheMixerCarriesMoreThanHeClaims) {
  fill(1, 5);
  for (int i = 0; i < 9; ++i) {
    add(0);
    settle();
  }
  EXPECT_EQ(sections(), 0u);
  EXPECT_EQ(load(roster.head.mixer), 9u);
  expect_whole();
}

// Whoever comes or goes, and whatever they claim: all are heard, nobody carries more than he claims while others have
// room, few are moved, and to place again changes nothing.
TEST_F(ConferenceSections, HoldForAllWhoComeAndGo) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    rng = SeededRng(seed);
    roster = {};
    known.clear();
    fill(1, 20);
    for (int step = 0; step < 150; ++step) {
      const auto before = heard();
      const auto deputy = roster.head.deputy;
      const auto sections_before = sections();
      const bool comes = roster.members.size() < 5 || rng.below(10) < 6;
      bool plain = true;
      if (comes) {
        add(4 + static_cast<std::uint32_t>(rng.below(16)));
      } else {
        auto it = roster.members.begin();
        std::advance(it, static_cast<long>(rng.below(roster.members.size())));
        if (it->first == roster.head.mixer) continue;
        plain = !section_led_by(roster, it->first) && it->first != deputy;
        roster.members.erase(it);
      }
      settle();
      ASSERT_NO_FATAL_FAILURE(expect_whole()) << seed << " step " << step;
      std::size_t moved = 0;
      for (const auto& [device, mixer] : heard())
        moved += before.contains(device) && before.at(device) != mixer ? 1 : 0;
      if (plain && deputy == roster.head.deputy && sections() >= sections_before) {
        ASSERT_LE(moved, 3u) << seed << " step " << step;
      }
      const auto once = heard();
      place(roster);
      ASSERT_EQ(heard(), once) << seed << " step " << step;
    }
  }
}

}  // namespace
}  // namespace linnet::node::conference
