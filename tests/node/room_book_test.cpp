// Rooms with an address: whose key they have, who is certified, and whose word about one is taken.
#include "node/room_book.h"

#include <gtest/gtest.h>

#include "base/rng.h"
#include "node/conference_leg.h"

namespace linnet::node {
namespace {

const crypto::Suite& suite() { return crypto::shipped_suite(); }
const crypto::Address kOffice = *crypto::Address::parse("room@office");
constexpr Wall kFounded{1'700'000'000};
constexpr std::chrono::hours kOneDay{24};

crypto::Identity person(std::uint64_t seed) {
  SeededRng rng(seed);
  return crypto::make_identity(suite(), rng, *crypto::Address::parse("p" + std::to_string(seed) + "@office"), kFounded);
}

struct RoomBookTest : ::testing::Test {
  crypto::Identity alice = person(1), bob = person(2), mallory = person(3);
  RoomBook hers{{}}, his{{}};
  const StoredRoom* room = hers.found(suite(), alice, kOffice, kFounded);

  crypto::DeviceCertificate certified(Wall when) {
    EXPECT_TRUE(hers.keep(kOffice, crypto::key_hash(bob.account_key())));
    return *hers.certify(suite(), alice, *room, bob.account_key(), bob.device_key(), when);
  }
  Status accept(const crypto::DeviceCertificate& certificate, bool invited, Wall when = kFounded) {
    return his.accept(suite(), bob, kOffice, certificate, invited, when);
  }
};

TEST_F(RoomBookTest, ARoomsKeyFollowsFromItsFoundersAndItsAddressAlone) {
  RoomBook again{{}};
  EXPECT_EQ(again.found(suite(), alice, kOffice, kFounded + kOneDay)->account(), room->account());
  EXPECT_NE(again.found(suite(), alice, *crypto::Address::parse("lunch@office"), kFounded)->account(), room->account());
  RoomBook others{{}};
  EXPECT_NE(others.found(suite(), mallory, kOffice, kFounded)->account(), room->account());
  EXPECT_TRUE(crypto::verify(suite(), room->certificate, kFounded));
  EXPECT_EQ(hers.find(room_number(room->account())), room);
}

TEST_F(RoomBookTest, KeepersAloneAreCertified) {
  EXPECT_FALSE(hers.certify(suite(), alice, *room, bob.account_key(), bob.device_key(), kFounded));
  const auto certificate = certified(kFounded);
  EXPECT_TRUE(crypto::verify(suite(), certificate, kFounded));
  EXPECT_EQ(certificate.account, room->account());
  ASSERT_TRUE(accept(certificate, true));
  const auto* kept = his.find(kOffice);
  EXPECT_FALSE(kept->founded);
  EXPECT_FALSE(his.keep(kOffice, crypto::key_hash(mallory.account_key()))) << "he did not found it";
}

TEST_F(RoomBookTest, OfARoomThatIsNotKnownOnlyAnInvitationIsBelieved) {
  const auto certificate = certified(kFounded);
  EXPECT_EQ(accept(certificate, false).error(), Fault::refused);
  ASSERT_TRUE(accept(certificate, true));
  const auto later = certified(kFounded + 10 * kOneDay);
  ASSERT_TRUE(accept(later, false, kFounded + 10 * kOneDay)) << "from then on it is known";
  EXPECT_EQ(his.find(kOffice)->certificate.not_after, later.not_after);
  EXPECT_EQ(accept(certificate, false).error(), Fault::replayed);
  EXPECT_EQ(his.find(kOffice)->certificate.not_after, later.not_after) << "an older one changes nothing";
}

TEST_F(RoomBookTest, NobodyTakesARoomOverAndNoOtherDevicesCertificateIsTaken) {
  ASSERT_TRUE(accept(certified(kFounded), true));
  RoomBook others{{}};
  const auto* false_room = others.found(suite(), mallory, kOffice, kFounded);
  ASSERT_TRUE(others.keep(kOffice, crypto::key_hash(bob.account_key())));
  const auto theirs = *others.certify(suite(), mallory, *false_room, bob.account_key(), bob.device_key(), kFounded);
  EXPECT_EQ(accept(theirs, true).error(), Fault::mismatch);
  auto forged = certified(kFounded);
  forged.epoch = 1;
  EXPECT_EQ(accept(forged, true).error(), Fault::bad_signature);
  EXPECT_EQ(his.accept(suite(), mallory, kOffice, certified(kFounded), true, kFounded).error(), Fault::mismatch);
  EXPECT_FALSE(accept(certified(kFounded), true, kFounded + 31 * kOneDay)) << "it has run out";
}

TEST_F(RoomBookTest, AFoundersOwnCertificateIsRenewedAndAllIsStored) {
  (void)hers.take_changes();
  hers.renew(suite(), alice, kFounded + 2 * kOneDay);
  EXPECT_TRUE(hers.take_changes().empty()) << "it has time";
  hers.renew(suite(), alice, kFounded + 16 * kOneDay);
  EXPECT_EQ(hers.take_changes().size(), 1u);
  EXPECT_TRUE(crypto::verify(suite(), room->certificate, kFounded + 40 * kOneDay));
  EXPECT_TRUE(hers.drop(kOffice));
  EXPECT_EQ(hers.find(kOffice), nullptr);
  ASSERT_EQ(hers.take_changes().size(), 1u);
}

TEST_F(RoomBookTest, WhoIsDismissedIsCertifiedNoMoreAndWhatHeHasIsVoid) {
  const auto carol = person(4);
  const auto before = certified(kFounded);
  ASSERT_TRUE(accept(before, true));
  ASSERT_TRUE(hers.keep(kOffice, crypto::key_hash(carol.account_key())));
  const auto bobs = crypto::key_hash(bob.account_key());
  EXPECT_EQ(his.dismiss(suite(), bob, kOffice, crypto::key_hash(carol.account_key()), kFounded).error(),
            Fault::not_found)
      << "a keeper dismisses nobody";
  ASSERT_TRUE(hers.dismiss(suite(), alice, kOffice, bobs, kFounded + kOneDay));
  EXPECT_EQ(hers.dismiss(suite(), alice, kOffice, bobs, kFounded).error(), Fault::not_found) << "twice";
  EXPECT_EQ(room->certificate.epoch, 1u);
  EXPECT_TRUE(crypto::verify(suite(), room->certificate, kFounded + kOneDay));
  EXPECT_FALSE(hers.certify(suite(), alice, *room, bob.account_key(), bob.device_key(), kFounded + kOneDay));
  const auto carols = hers.certify(suite(), alice, *room, carol.account_key(), carol.device_key(), kFounded + kOneDay);
  ASSERT_TRUE(carols);
  EXPECT_EQ(carols->epoch, 1u);
  EXPECT_EQ(before.epoch, 0u) << "stores, callers and the other keepers refuse a lower one";
}

TEST_F(RoomBookTest, TheFoundersOtherDevicesLearnOfALaterEpoch) {
  SeededRng rng(9);
  const auto laptop = crypto::restore_identity(suite(), rng, alice.account, alice.address, 0, kFounded);
  RoomBook on_laptop{{}};
  const auto* same_room = on_laptop.found(suite(), laptop, kOffice, kFounded);
  (void)certified(kFounded);
  ASSERT_TRUE(hers.dismiss(suite(), alice, kOffice, crypto::key_hash(bob.account_key()), kFounded));
  const auto told = hers.certify(suite(), alice, *room, laptop.account_key(), laptop.device_key(), kFounded);
  ASSERT_TRUE(told) << "of one account";
  ASSERT_TRUE(on_laptop.accept(suite(), laptop, kOffice, *told, false, kFounded));
  EXPECT_EQ(same_room->certificate.epoch, 1u);
  EXPECT_EQ(same_room->certificate.device, laptop.device_key());
  EXPECT_TRUE(same_room->founded);
  EXPECT_EQ(on_laptop.accept(suite(), laptop, kOffice, *told, false, kFounded).error(), Fault::replayed);
}

TEST_F(RoomBookTest, AfterTheLastEpochNobodyIsDismissed) {
  (void)certified(kFounded);
  hers.note_epoch(suite(), alice, kOffice, crypto::kLastEpoch, kFounded);
  EXPECT_EQ(hers.dismiss(suite(), alice, kOffice, crypto::key_hash(bob.account_key()), kFounded).error(), Fault::full);
}

TEST_F(RoomBookTest, AJoinersTokenCarriesWhatItsCertificateSays) {
  const auto certificate = certified(kFounded);
  ConferenceLeg leg;
  leg.kind = ConferenceLeg::Kind::join;
  leg.room = room_number(room->account());
  EXPECT_FALSE(conference_leg(to_token(leg))->proof);
  EXPECT_EQ(conference_leg(to_token(leg))->room, leg.room);
  leg.proof = proof_of(certificate);
  const auto token = to_token(leg);
  EXPECT_LE(token.size(), 256u) << "as long as SIP takes it";
  const auto read = conference_leg(token);
  ASSERT_TRUE(read && read->proof);
  const auto back = certificate_of(*read->proof, room->account(), bob.device_key());
  EXPECT_TRUE(crypto::verify(suite(), back, kFounded));
  EXPECT_FALSE(crypto::verify(suite(), certificate_of(*read->proof, room->account(), mallory.device_key()), kFounded))
      << "another device shows it in vain";
  for (const auto& bad : {token + "0", token.substr(0, token.size() - 1), token + "-", std::string("join-"),
                          std::string("join-00"), "join-" + to_hex(leg.room) + "-"})
    EXPECT_FALSE(conference_leg(bad)) << bad;
}

}  // namespace
}  // namespace linnet::node
