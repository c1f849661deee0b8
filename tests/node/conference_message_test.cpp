// What devices in one conference tell each other, as bytes from somebody who may say anything.
#include "node/conference_message.h"

#include <gtest/gtest.h>

#include "base/rng.h"
#include "node/conference_leg.h"
#include "tests/base/damage.h"

namespace linnet::node::conference {
namespace {

const crypto::Suite& suite() { return crypto::typed_suite(); }

crypto::Identity identity(std::uint64_t seed) {
  SeededRng rng(seed);
  return crypto::make_identity(suite(), rng, *crypto::Address::parse("m" + std::to_string(seed) + "@hall.example"),
                               Wall{0});
}

SignedClaim claim(std::uint64_t seed, std::uint32_t mixes = 100) {
  Claim out;
  out.room.fill(5);
  out.mixes = mixes;
  out.version = 3;
  out.mains = true;
  const auto who = identity(seed);
  out.address = who.address;
  return sign(suite(), who, out);
}

Roster roster(std::size_t members) {
  Roster out;
  out.head.room.fill(5);
  out.head.name = "team";
  out.head.term = 2;
  out.head.version = 4;
  for (std::uint64_t i = 1; i <= members; ++i) {
    const auto c = claim(i);
    if (i == 1) out.head.mixer = out.head.founder = c.claim.device();
    out.members.emplace(c.claim.device(), Member{c});
  }
  out.head.deputy = deputy_of(out);
  return out;
}

std::vector<Message> all_kinds() {
  const RoomId room{1, 2, 3};
  const crypto::DeviceKey device{{4, 5}};
  auto two = roster(2);
  two.head.sections = {device};
  two.members.begin()->second = thinned(two.members.begin()->second);
  two.members.rbegin()->second.section = 1;
  auto news = difference(Roster{}, two);
  news.gone.push_back(device);
  return {claim(1),
          news,
          Want{room},
          Silent{room, 7},
          Ready{room, 7},
          Take{room, 8},
          Bring{room, device, *crypto::Address::parse("a@b.example")},
          Remove{room, device},
          Setting{room, SettingKind::muted, true, device},
          Records{room, true},
          Introduce{claim(2)},
          Missed{room, device, true},
          Passed{room, device, 7, 9, Bytes{1, 2, 3}, {}},
          Certified{room, *crypto::Address::parse("room@office"), identity(3).certificate}};
}

TEST(ConferenceMessage, EveryTruncationIsRefusedAndNothingMayFollow) {
  for (const auto& message : all_kinds()) {
    auto wire = write(message);
    ASSERT_TRUE(read(wire)) << message.index();
    EXPECT_EQ(write(*read(wire)), wire);
    damage::each_truncation(wire, [](ByteView cut) { EXPECT_FALSE(read(cut)) << cut.size(); });
    wire.push_back(0);
    EXPECT_FALSE(read(wire));
  }
}

TEST(ConferenceMessage, OfEveryFlippedBitIsWhatStandsThereOrRefused) {
  for (const auto& message : all_kinds()) {
    damage::each_flipped_bit(write(message), [](ByteView flipped, std::size_t bit) {
      const auto other = read(flipped);
      EXPECT_TRUE(!other || equal(write(*other), flipped)) << bit;
    });
  }
}

TEST(ConferenceMessage, KnowsNoOtherKindAndNothingLongerThanItsBound) {
  EXPECT_EQ(read(Bytes(40, 0)).error(), Fault::unsupported);
  EXPECT_EQ(read(Bytes(40, 15)).error(), Fault::unsupported);
  EXPECT_EQ(read(Bytes(kMaxWords + 1, 1)).error(), Fault::too_big);
}

// With addresses as long as they may be, and all claims that are told at once.
TEST(ConferenceMessage, ARosterOfAsManyAsMayBeInFitsIntoAFewPages) {
  auto full = roster(1);
  auto one = full.members.begin()->second;
  full.head.sections.resize(kMaxSections, one.device());
  for (std::size_t i = 0; full.members.size() < kMaxMembers; ++i) {
    one.claim.claim.certificate.device.bytes[0] = static_cast<std::uint8_t>(i);
    one.claim.claim.certificate.device.bytes[1] = static_cast<std::uint8_t>(i >> 8);
    const std::string d(59, 'd');
    one.claim.claim.address =
        *crypto::Address::parse(std::string(64, 'u') + "@" + d + "." + d + "." + d + "." + d + ".example");
    full.members.insert_or_assign(one.device(), i < kAllWithClaims ? one : thinned(one));
  }
  const auto pages = pages_of(difference(Roster{}, full));
  EXPECT_LE(pages.size(), kMaxPages);
  std::optional<RosterNews> whole;
  for (const auto& page : pages) {
    const auto wire = write(Message(page));
    EXPECT_LE(wire.size(), kMaxWords);
    const auto back = read(wire);
    ASSERT_TRUE(back);
    if (!whole) {
      whole = std::get<RosterNews>(*back);
    } else {
      ASSERT_TRUE(append(*whole, std::get<RosterNews>(*back)));
    }
  }
  const auto built = apply(Roster{}, *whole);
  ASSERT_TRUE(built);
  EXPECT_EQ(built->hash(), full.hash());
  EXPECT_EQ(built->members.size(), kMaxMembers);
}

TEST(ConferenceMessage, APageOfAnotherRosterOrOutOfItsOrderDoesNotFit) {
  auto full = roster(300);
  const auto pages = pages_of(difference(Roster{}, full));
  ASSERT_EQ(pages.size(), 2u);
  auto whole = pages[0];
  EXPECT_FALSE(append(whole, pages[0]));
  auto other = pages[1];
  ++other.head.version;
  EXPECT_FALSE(append(whole, other));
  EXPECT_TRUE(append(whole, pages[1]));
  EXPECT_FALSE(append(whole, pages[1])) << "twice";
}

TEST(ConferenceMessage, WhatIsPassedOnIsItsOriginsOwn) {
  const auto who = identity(1);
  Passed passed{RoomId{1}, who.device_key(), 2, 3, Bytes{4}, {}};
  passed.signature = sign_passed(suite(), who, passed);
  EXPECT_TRUE(verify_passed(suite(), passed));
  for (auto changed : {0, 1, 2, 3}) {
    auto other = passed;
    if (changed == 0) ++other.term;
    if (changed == 1) ++other.number;
    if (changed == 2) other.words[0] ^= 1;
    if (changed == 3) other.origin = identity(2).device_key();
    EXPECT_FALSE(verify_passed(suite(), other)) << changed;
  }
}

TEST(ConferenceMessage, AThinEntryKeepsWhoItIsAndNothingOfItsClaim) {
  auto full = roster(2).members.begin()->second;
  full.recording = true;
  full.section = 3;
  const auto thin = thinned(full);
  EXPECT_EQ(thin.device(), full.device());
  EXPECT_EQ(thin.claim.claim.address, full.claim.claim.address);
  EXPECT_EQ(thin.claim.claim.certificate.account, full.claim.claim.certificate.account);
  EXPECT_TRUE(thin.recording && thin.section == 3 && thin.claim.claim.mixes == 0);
  Writer out, whole;
  write(out, thin);
  write(whole, full);
  EXPECT_LT(out.written().size(), 100u);
  EXPECT_GT(whole.written().size(), 250u);
}

TEST(ConferenceMessage, ChangesOnARosterGiveTheOtherRoster) {
  SeededRng rng(9);
  auto was = roster(6);
  for (int i = 0; i < 200; ++i) {
    auto now = was;
    ++now.head.version;
    const auto seed = 1 + rng.below(12);
    const auto c = claim(seed, static_cast<std::uint32_t>(rng.below(500)));
    if (rng.below(3) == 0) {
      now.members.erase(c.claim.device());
    } else {
      now.members.insert_or_assign(c.claim.device(), Member{c, rng.below(2) == 1, rng.below(2) == 1, false});
    }
    const auto news = difference(was, now);
    EXPECT_EQ(news.base, was.head.version);
    EXPECT_LE(news.changed.size() + news.gone.size(), 1u);
    const auto built = apply(was, news);
    ASSERT_TRUE(built.has_value()) << i;
    EXPECT_EQ(built->hash(), now.hash());
    auto other = was;
    other.head.version += 1;
    EXPECT_FALSE(apply(other, news)) << "on another version it is nothing";
    was = now;
  }
}

TEST(ConferenceMessage, AHeadIsBelievedOfTheDeviceThatItNamesAlone) {
  const auto r = roster(2);
  auto news = difference(Roster{}, r);
  news.signature = sign_head(suite(), identity(1), r.head, news.members_hash);
  EXPECT_TRUE(verify_head(suite(), news));
  news.signature = sign_head(suite(), identity(2), r.head, news.members_hash);
  EXPECT_FALSE(verify_head(suite(), news));
}

TEST(ConferenceMessage, ANameThatWouldSteerATerminalIsRefused) {
  auto r = roster(1);
  r.head.name = "team\x1b[2J";
  EXPECT_FALSE(read(write(Message(difference(Roster{}, r)))));
}

TEST(ConferenceClaim, IsRefusedWhenAnythingInItWasChanged) {
  const auto good = claim(1);
  RoomId room{};
  room.fill(5);
  EXPECT_TRUE(verify(suite(), good, room, Wall{10}));
  auto other = good;
  other.claim.mixes = 2000;
  EXPECT_EQ(verify(suite(), other, room, Wall{10}).error(), Fault::bad_signature);
  other = good;
  other.claim.uplink_kbps = 1;
  EXPECT_EQ(verify(suite(), other, room, Wall{10}).error(), Fault::bad_signature);
  RoomId another{};
  EXPECT_EQ(verify(suite(), good, another, Wall{10}).error(), Fault::mismatch);
  const auto late = Wall{0} + std::chrono::duration_cast<std::chrono::seconds>(std::chrono::hours(24 * 40));
  EXPECT_EQ(verify(suite(), good, room, late).error(), Fault::expired);
}

TEST(ConferenceLeg, TokensReadBackAndNothingElseIsOne) {
  for (const auto kind : {ConferenceLeg::Kind::invite, ConferenceLeg::Kind::mix, ConferenceLeg::Kind::join}) {
    ConferenceLeg leg;
    leg.kind = kind;
    leg.room.fill(kind == ConferenceLeg::Kind::join ? 0 : 0xab);
    const auto back = conference_leg(to_token(leg));
    ASSERT_TRUE(back);
    EXPECT_EQ(back->kind, kind);
    EXPECT_EQ(back->room, leg.room);
  }
  for (const auto* bad : {"", "mix-", "mix-00", "invite-zz", "joint", "mix-0000000000000000000000000000000000"})
    EXPECT_FALSE(conference_leg(bad)) << bad;
}

}  // namespace
}  // namespace linnet::node::conference
