// Contacts, strangers, blocked people, two claimants of a name, changed keys, revoked devices: whole nodes.
#include <set>

#include "people_fixture.h"

namespace linnet::node {
namespace {

using std::chrono::seconds;

TEST_F(People, AreCalledByTheirShortNames) {
  meet();
  bob->answers = true;
  ASSERT_EQ(attempt(*alice, kBob), CallResult::ended);
  EXPECT_EQ(attempt(*alice, "bob"), CallResult::ended);
  town.call(*alice, "bbo");
  EXPECT_EQ(alice->last<event::Done>()->outcome, Outcome::bad_address);
}

TEST_F(People, BlockedAreDeclinedWithoutRinging) {
  meet();
  ASSERT_EQ(ask(*bob, ask::Block{kAlice}).refusal, Refusal::none);
  EXPECT_EQ(attempt(*alice, kBob), CallResult::declined);
  EXPECT_EQ(bob->count<event::IncomingCall>(), 0U);
  EXPECT_EQ(bob->count<event::CallEnded>(), 0U);
  EXPECT_FALSE(alice->summary()->ring_ms) << "it never rang";
  town.call(*bob, key_name(*alice));
  EXPECT_EQ(bob->last<event::Done>()->outcome, Outcome::refused) << "nor are they called by mistake";
  ASSERT_EQ(ask(*bob, ask::Block{key_name(*alice), false}).refusal, Refusal::none);
  town.call(*alice, kBob);
  EXPECT_TRUE(until(*bob, CallState::incoming));
}

TEST_F(People, BlockedContactsLearnNoAddress) {
  meet();
  bob->answers = true;
  ASSERT_EQ(attempt(*alice, kBob), CallResult::ended);
  ASSERT_EQ(ask(*bob, ask::Block{"alice"}).refusal, Refusal::none);
  town.run_for(seconds(90));  // the old link is given up
  town.flows.clear();
  EXPECT_EQ(attempt(*alice, kBob), CallResult::declined);
  EXPECT_EQ(town.flows.count({bob->endpoint, alice->endpoint}), 0U);
}

TEST_F(People, WhoAskFirstDoNotRing) {
  alice = &town.add(kAlice);
  bob = &town.add(kBob, [](NodeConfig& config) { config.strangers = Strangers::request; });
  settle();
  EXPECT_EQ(attempt(*alice, kBob), CallResult::declined);
  EXPECT_NE(alice->summary()->text.find("A request was left"), std::string::npos) << alice->summary()->text;
  EXPECT_EQ(bob->count<event::IncomingCall>(), 0U);
  ASSERT_EQ(bob->node->memory().requests.size(), 1U);
  EXPECT_EQ(bob->node->memory().requests[0].key, key(*alice));
  town.restart(*bob);
  settle();
  ASSERT_EQ(bob->node->memory().requests.size(), 1U) << "requests outlive the process";
  const auto reply = ask(*bob, ask::AnswerRequest{kAlice, true, {}});
  EXPECT_EQ(reply.refusal, Refusal::none) << reply.text;
  EXPECT_TRUE(bob->node->memory().requests.empty());
  bob->answers = true;
  EXPECT_EQ(attempt(*alice, kBob), CallResult::ended);
  EXPECT_EQ(bob->count<event::IncomingCall>(), 1U);
}

TEST_F(People, WhoseRequestIsDeclinedAreNotTold) {
  alice = &town.add(kAlice);
  bob = &town.add(kBob, [](NodeConfig& config) { config.strangers = Strangers::request; });
  settle();
  EXPECT_EQ(attempt(*alice, kBob), CallResult::declined);
  const auto said = alice->summary()->text;
  EXPECT_EQ(ask(*bob, ask::AnswerRequest{"alice", false, {}}).refusal, Refusal::none);
  EXPECT_TRUE(bob->node->memory().requests.empty());
  EXPECT_EQ(attempt(*alice, kBob), CallResult::declined);
  EXPECT_EQ(alice->summary()->text, said);
}

TEST_F(People, UnknownAreRefusedWhenThePersonWantsItSo) {
  alice = &town.add(kAlice);
  bob = &town.add(kBob, [](NodeConfig& config) { config.strangers = Strangers::refuse; });
  settle();
  EXPECT_EQ(attempt(*alice, kBob), CallResult::declined);
  EXPECT_EQ(bob->count<event::IncomingCall>(), 0U);
  ASSERT_EQ(ask(*bob, ask::Add{kAlice, {}, {}}).refusal, Refusal::none);
  town.call(*alice, kBob);
  EXPECT_TRUE(until(*bob, CallState::incoming)) << "contacts ring";
}

TEST_F(People, UnknownRingThreeTimesAndThenNotForAWhile) {
  meet();
  for (int n = 0; n < 10; ++n) {
    town.call(*alice, kBob);
    town.run_for(seconds(1));
    town.tell(*alice, command::Hangup{});
    town.run_for(std::chrono::milliseconds(100));
  }
  EXPECT_EQ(bob->count<event::IncomingCall>(), 3U);
  town.run_for(seconds(61));
  town.call(*alice, kBob);
  EXPECT_TRUE(until(*bob, CallState::incoming));
}

TEST_F(People, TwoWithOneNameAreToldApartByTheCaller) {
  meet();
  auto& other = town.add(town.identity(kBob));
  settle();
  EXPECT_EQ(attempt(*alice, kBob), CallResult::identity);
  EXPECT_NE(alice->summary()->text.find("linnet contact add bob@b.example --key"), std::string::npos);
  const auto refused = ask(*alice, ask::Add{kBob, {}, {}});
  EXPECT_EQ(refused.refusal, Refusal::identity);
  for (const auto* claimant : {bob, &other}) EXPECT_NE(refused.text.find(key_name(*claimant)), std::string::npos);
  ASSERT_EQ(ask(*alice, ask::Add{kBob, key_name(*bob), {}}).refusal, Refusal::none);
  bob->answers = other.answers = true;
  EXPECT_EQ(attempt(*alice, kBob), CallResult::ended);
  EXPECT_EQ(bob->count<event::IncomingCall>(), 1U);
  EXPECT_EQ(other.count<event::IncomingCall>(), 0U);
}

TEST_F(People, WhoCallUnderANameThatOthersClaimAreCalledByTheirKey) {
  meet();
  auto& real = town.add(town.identity(kAlice));
  settle();
  town.call(*alice, kBob);
  ASSERT_TRUE(until(*bob, CallState::incoming));
  ASSERT_TRUE(town.run_until([&] { return bob->node->status(town.now()).calls[0].peer.text() == key_name(*alice); },
                             seconds(10)));
  const auto note = bob->node->status(town.now()).calls[0].note;
  for (const auto* claimant : {alice, &real})
    EXPECT_NE(note.find(crypto::fingerprint(claimant->node->identity().account_key())), std::string::npos) << note;
  town.tell(*bob, command::Answer{});
  ASSERT_TRUE(until(*alice, CallState::talking));
  town.run_for(seconds(2));
  EXPECT_TRUE(bob->pins().empty()) << "a contested name is not pinned";
  ASSERT_NE(contact(*bob, "alice"), nullptr);
  EXPECT_EQ(contact(*bob, "alice")->address.text(), key_name(*alice));
  town.tell(*alice, command::Hangup{});
  ASSERT_TRUE(until(*bob, std::nullopt));
  EXPECT_EQ(bob->summary()->peer.text(), key_name(*alice));
  town.call(real, kBob);
  ASSERT_TRUE(until(*bob, CallState::incoming)) << "the other claimant is no impostor";
}

TEST_F(People, WhoAreAnsweredByTheMachineAloneBecomeNoContacts) {
  alice = &town.add(kAlice);
  bob = &town.add(kBob, [](NodeConfig& config) { config.auto_answer = true; });
  settle();
  ASSERT_EQ(attempt(*alice, kBob), CallResult::ended);
  town.run_for(seconds(5));
  EXPECT_TRUE(bob->pins().empty());
  EXPECT_TRUE(bob->node->memory().contacts.empty());
  EXPECT_EQ(bob->summary()->peer.text(), kAlice);
  ASSERT_NE(contact(*alice, "bob"), nullptr) << "the caller chose to call";
}

TEST_F(People, WithANewKeyAreAcceptedOnlyByComparing) {
  meet();
  bob->answers = true;
  ASSERT_EQ(attempt(*alice, kBob), CallResult::ended);
  const auto mine = ask(*alice, verify("bob"));
  EXPECT_EQ(mine.safety_number, ask(*bob, verify("alice")).safety_number) << "the same on both sides";
  EXPECT_FALSE(contact(*alice, "bob")->verified);
  ASSERT_EQ(ask(*alice, verify("bob", false, {}, true)).refusal, Refusal::none);
  ASSERT_TRUE(contact(*alice, "bob")->verified);
  const auto old_key = key(*bob);

  town.tell(*bob, command::Leave{});
  town.run_for(seconds(1));
  town.kill(*bob);
  auto& fresh = town.add(town.identity(kBob));
  settle();
  EXPECT_EQ(attempt(*alice, kBob), CallResult::identity);
  const auto text = alice->summary()->text;
  EXPECT_EQ(text.find("IDENTITY CHANGED: bob's key is not the one verified on 14 November. Call refused.\n"
                      "  Ask them in person, then: linnet contact verify bob --new"),
            0U)
      << text;
  const auto shown = ask(*alice, verify("bob", true));
  ASSERT_EQ(shown.refusal, Refusal::none) << shown.text;
  EXPECT_EQ(shown.key_name, key_name(fresh));
  EXPECT_EQ(contact(*alice, "bob")->key, old_key) << "to look is not to accept";
  ASSERT_EQ(ask(*alice, verify("bob", true, shown.key_name, true)).refusal, Refusal::none);
  EXPECT_EQ(contact(*alice, "bob")->key, key(fresh));
  EXPECT_TRUE(contact(*alice, "bob")->verified);
  fresh.answers = true;
  EXPECT_EQ(attempt(*alice, "bob"), CallResult::ended);
}

// Who was called a moment ago is remembered with their record: it leads nowhere, and the name is looked up afresh.
TEST_F(People, WithANewKeyAreToldApartAlsoWhileTheirOldRecordIsRemembered) {
  meet();
  bob->answers = true;
  ASSERT_EQ(attempt(*alice, kBob), CallResult::ended);
  ASSERT_EQ(attempt(*alice, "bob"), CallResult::ended) << "a contact is looked up by the key name";
  town.tell(*bob, command::Leave{});
  town.run_for(seconds(1));
  town.kill(*bob);
  town.add(town.identity(kBob));
  settle();
  EXPECT_EQ(attempt(*alice, kBob), CallResult::identity);
}

TEST_F(People, ForgottenAreStrangersAgain) {
  meet();
  bob->answers = true;
  ASSERT_EQ(attempt(*alice, kBob), CallResult::ended);
  ASSERT_EQ(ask(*bob, ask::Forget{"alice"}).refusal, Refusal::none);
  EXPECT_EQ(ask(*bob, ask::Forget{"alice"}).refusal, Refusal::not_found);
  EXPECT_TRUE(bob->node->memory().pins.empty());
  bob->answers = false;
  town.call(*alice, kBob);
  ASSERT_TRUE(until(*bob, CallState::incoming));
  EXPECT_FALSE(bob->last<event::IncomingCall>()->known);
}

TEST_F(People, WhoRevokeADeviceAreFoundWithoutIt) {
  meet();
  auto& phone = town.add(town.another_device_of(*bob));
  settle();
  bob->answers = phone.answers = true;
  ASSERT_EQ(attempt(*alice, kBob), CallResult::ended);
  town.tell(*bob, command::People{ask::Revoke{}});
  EXPECT_EQ(bob->node->identity().certificate.epoch, 1U);
  EXPECT_EQ(bob->count<event::SaveIdentity>(), 1U) << "the key file is written";
  town.run_for(seconds(5));
  const auto rang = phone.count<event::IncomingCall>();
  town.call(*alice, kBob);
  ASSERT_TRUE(until(*alice, CallState::talking));
  town.run_for(seconds(2));
  EXPECT_EQ(phone.count<event::IncomingCall>(), rang) << "the void device does not ring";
  town.tell(*alice, command::Hangup{});
  ASSERT_TRUE(until(*alice, std::nullopt));
  EXPECT_EQ(contact(*alice, "bob")->epoch, 1U);
  // ... and cannot call where the epoch is known, whatever its certificate says.
  const auto heard = alice->count<event::IncomingCall>();
  EXPECT_NE(attempt(phone, kAlice), CallResult::ended);
  EXPECT_EQ(alice->count<event::IncomingCall>(), heard);
}

TEST_F(People, ArePublishedOnlyUnderASequenceThatIsStored) {
  town.disks_full = true;
  alice = &town.add(kAlice);
  town.run_for(seconds(20));
  EXPECT_NE(alice->node->peer().state(), overlay::State::online);
  for (const auto& supernode : town.supernodes) {
    const auto* dht = supernode->node->peer().dht();
    EXPECT_TRUE(dht->local_records(crypto::user_key(*crypto::Address::parse(kAlice))).empty());
  }
  ASSERT_EQ(alice->count<event::SaveSequence>(), 1U);
  alice->node->sequence_stored(town.now(), alice->last<event::SaveSequence>()->below);
  EXPECT_TRUE(town.all_online()) << "and at once when the disk has room again";
}

// Check 40. A record's nonce is its sequence under a key of the device: the pair must never come twice.
TEST_F(People, RestoredFromABackupAreANewDeviceThatNeverRepeatsASequence) {
  meet();
  std::set<std::pair<crypto::DeviceKey, std::uint64_t>> used;
  std::set<Bytes> seen;
  const auto look = [&] {
    for (const auto& supernode : town.supernodes) {
      for (const auto& record :
           supernode->node->peer().dht()->local_records(crypto::user_key(*crypto::Address::parse(kBob)))) {
        if (!seen.insert(record.wire).second) continue;
        EXPECT_TRUE(used.emplace(record.device(), record.sequence).second) << "used before, with other bytes";
      }
    }
  };
  look();
  const auto& before = bob->node->identity();
  SeededRng rng(99);
  std::set<crypto::DeviceKey> devices{before.device_key()};
  for (int n = 0; n < 2; ++n) {
    auto again = crypto::restore_identity(crypto::shipped_suite(), rng, before.account, before.address,
                                          before.certificate.epoch, Wall{1'700'001'000});
    devices.insert(again.device_key());
    // The two devices of before still have their records: only revoking makes room for a third.
    if (n == 1) {
      ASSERT_TRUE(crypto::revoke_others(crypto::shipped_suite(), again, Wall{1'700'001'000}));
    }
    town.kill(n == 0 ? *bob : *town.people.back());
    town.add(std::move(again));
    settle();
    town.restart(*town.people.back());  // what was stored is not used again either
    settle();
    look();
  }
  EXPECT_EQ(devices.size(), 3U);
  EXPECT_GE(used.size(), 3U);
  std::set<crypto::DeviceKey> published;
  for (const auto& [device, sequence] : used) published.insert(device);
  EXPECT_EQ(published, devices);
}

// Check 14: what a node says about itself only grows, also through a kill -9.
TEST_F(People, PublishHigherSequencesAfterEveryRestart) {
  meet();
  std::uint64_t highest = 0;
  for (int n = 0; n < 4; ++n) {
    std::uint64_t found = 0;
    for (const auto& supernode : town.supernodes) {
      for (const auto& record :
           supernode->node->peer().dht()->local_records(crypto::user_key(*crypto::Address::parse(kBob))))
        found = std::max(found, record.sequence);
    }
    EXPECT_GT(found, highest);
    highest = found;
    town.restart(*bob);
    settle();
    town.run_for(seconds(5));
  }
}

}  // namespace
}  // namespace linnet::node
