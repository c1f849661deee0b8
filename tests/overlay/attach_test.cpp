// Homes, anchor, bootstrap and publication, as protocol.md sections 2 and 3 promise them.
#include "overlay/attach.h"

#include <gtest/gtest.h>

#include "overlay/hello.h"
#include "tests/overlay/net.h"

namespace linnet::overlay::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

TEST(Attach, ASupernodeAloneIsOnlineAndFindsItself) {
  Net net;
  auto& s1 = net.add("s1", Role::supernode);
  net.start(s1);
  ASSERT_TRUE(net.run_to([&] { return online(s1); }, seconds(1)));
  const auto found = look_up(net, s1, s1.identity.address);
  ASSERT_TRUE(found);
  ASSERT_EQ(found->devices.size(), 1U);
}

TEST(Attach, ALeafServedByOneSupernodeIsOnline) {
  Net net;
  net.start(net.add("s1", Role::supernode));
  auto& leaf = net.add("leaf", Role::leaf, {"s1"});
  net.start(leaf);
  ASSERT_TRUE(net.run_to([&] { return online(leaf); }, seconds(1)));
  EXPECT_EQ(attached(leaf), 1U);
  EXPECT_EQ(net.at("s1").peer->leaf_count(), 1U);
}

TEST(Attach, WithFiveSupernodesALeafHasThreeHomesAndAnAnchor) {
  Net net;
  net.start(net.add("s1", Role::supernode));
  for (const auto* name : {"s2", "s3", "s4", "s5"}) net.start(net.add(name, Role::supernode, {"s1"}));
  net.run(seconds(2));
  auto& leaf = net.add("leaf", Role::leaf, {"s1"});
  net.start(leaf);
  ASSERT_TRUE(net.run_to([&] { return online(leaf) && attached(leaf) == 4; }));
  std::size_t homes = 0;
  std::size_t anchors = 0;
  for (const auto& s : leaf.peer->supernodes()) {
    homes += s.home ? 1 : 0;
    anchors += s.anchor ? 1 : 0;
  }
  EXPECT_EQ(homes, 3U);
  EXPECT_EQ(anchors, 1U);
}

TEST(Attach, HomesAreTheSupernodesNearestTheUserKey) {
  Net net;
  net.start(net.add("s1", Role::supernode));
  for (const auto* name : {"s2", "s3", "s4", "s5", "s6", "s7"}) net.start(net.add(name, Role::supernode, {"s1"}));
  net.run(seconds(3));
  auto& leaf = net.add("leaf", Role::leaf, {"s1"});
  net.start(leaf);
  ASSERT_TRUE(net.run_to([&] { return online(leaf) && attached(leaf) == 4; }));
  const auto target = dht::id_of(crypto::user_key(leaf.identity.address));
  std::vector<std::pair<dht::Id, crypto::SessionKey>> by_distance;
  for (auto& n : net.nodes()) {
    if (n->config.role != Role::supernode) continue;
    by_distance.emplace_back(dht::distance(target, dht::position(n->endpoint.ip, n->identity.device_key())),
                             n->identity.session_key());
  }
  std::sort(by_distance.begin(), by_distance.end());
  for (const auto& s : leaf.peer->supernodes()) {
    if (!s.home) continue;
    const bool near =
        std::any_of(by_distance.begin(), by_distance.begin() + 3, [&](const auto& d) { return d.second == s.session; });
    EXPECT_TRUE(near);
  }
}

TEST(Attach, TheNearestHomeReplicatesTheRecord) {
  Net net;
  net.start(net.add("s1", Role::supernode));
  for (const auto* name : {"s2", "s3", "s4", "s5", "s6", "s7", "s8"}) net.start(net.add(name, Role::supernode, {"s1"}));
  net.run(seconds(3));
  auto& leaf = net.add("leaf", Role::leaf, {"s1", "s2", "s3", "s4"});
  net.start(leaf);
  ASSERT_TRUE(net.run_to([&] { return online(leaf) && attached(leaf) == 4; }));
  net.run(seconds(20));
  const auto target = dht::id_of(crypto::user_key(leaf.identity.address));
  const Node* nearest = nullptr;
  const auto place = [](const Node& n) { return dht::position(n.endpoint.ip, n.identity.device_key()); };
  std::map<const Node*, std::uint64_t> asked;
  for (auto& n : net.nodes()) {
    if (n->config.role != Role::supernode) continue;
    asked[n.get()] = n->peer->dht()->counters().requests_out;
    if (!nearest || dht::nearer(target, place(*n), place(*nearest))) nearest = n.get();
  }
  leaf.peer->identity_changed(net.now);  // says itself anew
  net.drain(leaf);
  net.run(milliseconds(400));
  for (const auto& [node, before] : asked) {
    const auto since = node->peer->dht()->counters().requests_out - before;
    if (node == nearest) {
      EXPECT_GE(since, 10U) << "five others for each of two names";
    } else {
      EXPECT_LE(since, 4U) << node->name;
    }
  }
}

TEST(Attach, NobodyThereIsAloneUntilASupernodeAppears) {
  Net net;
  auto& s1 = net.add("s1", Role::supernode);
  auto& leaf = net.add("leaf", Role::leaf, {"s1"});
  net.start(leaf);
  ASSERT_TRUE(net.run_to([&] { return leaf.peer->state() == State::alone; }, seconds(5)));
  net.run(minutes(3));
  EXPECT_EQ(leaf.peer->state(), State::alone);
  net.start(s1);
  EXPECT_TRUE(net.run_to([&] { return online(leaf); }, seconds(60)));
}

TEST(Attach, ANodeThatIsAloneStaysQuiet) {
  Net net;
  net.add("s1", Role::supernode);
  auto& leaf = net.add("leaf", Role::leaf, {"s1"});
  net.start(leaf);
  net.run(minutes(60));
  EXPECT_LT(leaf.peer->counters().datagrams_out, 1500U);  // an hour: less than one in two seconds
  EXPECT_LT(net.steps, 20'000U);
}

TEST(Attach, AKilledHomeIsReplacedAndTheLeafIsStillFound) {
  Net net;
  net.start(net.add("s1", Role::supernode));
  for (const auto* name : {"s2", "s3", "s4", "s5", "s6"}) net.start(net.add(name, Role::supernode, {"s1"}));
  net.run(seconds(2));
  auto& alice = net.add("alice", Role::leaf, {"s1", "s2"});
  auto& bob = net.add("bob", Role::leaf, {"s1", "s2"});
  net.start(alice);
  net.start(bob);
  ASSERT_TRUE(net.run_to([&] { return online(alice) && online(bob) && attached(bob) == 4; }));
  crypto::SessionKey victim;
  for (const auto& s : bob.peer->supernodes()) {
    if (s.home) victim = s.session;
  }
  for (auto& n : net.nodes()) {
    if (n->identity.session_key() == victim) net.kill(*n);
  }
  net.run(minutes(4));  // the record still leads to the three others, so it may wait
  std::size_t homes = 0;
  for (const auto& s : bob.peer->supernodes()) {
    if (s.home && s.attached) ++homes;
    EXPECT_FALSE(s.attached && s.session == victim);
  }
  EXPECT_EQ(homes, 3U);
  EXPECT_EQ(bob.peer->state(), State::online);
  const auto found = look_up(net, alice, bob.identity.address);
  ASSERT_TRUE(found);
  ASSERT_EQ(found->devices.size(), 1U);
  for (const auto& home : found->devices[0].body.homes) EXPECT_NE(home.session, victim);
}

// Else homes, and with them the record, come and go with each attempt.
TEST(Attach, AHomeThatDiedIsNoHomeWhileItIsTriedAgain) {
  Net net;
  net.start(net.add("s1", Role::supernode));
  for (const auto* name : {"s2", "s3", "s4", "s5", "s6"}) net.start(net.add(name, Role::supernode, {"s1"}));
  net.run(seconds(2));
  auto& bob = net.add("bob", Role::leaf, {"s1", "s2"});
  net.start(bob);
  ASSERT_TRUE(net.run_to([&] { return online(bob) && attached(bob) == 4; }));
  net.run(seconds(30));
  crypto::SessionKey victim;
  for (const auto& s : bob.peer->supernodes()) {
    if (s.home) victim = s.session;
  }
  const auto is_home = [&] {
    const auto known = bob.peer->supernodes();
    return std::any_of(known.begin(), known.end(), [&](const auto& s) { return s.home && s.session == victim; });
  };
  auto& dead = **std::find_if(net.nodes().begin(), net.nodes().end(),
                              [&](const auto& n) { return n->identity.session_key() == victim; });
  net.kill(dead);
  ASSERT_TRUE(net.run_to([&] { return !is_home(); }, minutes(1)));
  EXPECT_FALSE(net.run_to(is_home, seconds(20)));
  net.start(dead);
  EXPECT_TRUE(net.run_to(is_home, minutes(3)));
}

TEST(Attach, OfTwoSupernodesThatDiedTogetherTheSecondIsFoundOutWithTheFirst) {
  Net net;
  net.start(net.add("s1", Role::supernode));
  for (const auto* name : {"s2", "s3", "s4", "s5", "s6"}) net.start(net.add(name, Role::supernode, {"s1"}));
  net.run(seconds(2));
  auto& bob = net.add("bob", Role::leaf, {"s1", "s2"});
  net.start(bob);
  ASSERT_TRUE(net.run_to([&] { return online(bob) && attached(bob) == 4; }));
  net.run(seconds(40));
  std::vector<Node*> doomed;
  for (const auto& s : bob.peer->supernodes()) {
    if (!s.home || doomed.size() == 2) continue;
    doomed.push_back(std::find_if(net.nodes().begin(), net.nodes().end(), [&](const auto& n) {
                       return n->identity.session_key() == s.session;
                     })->get());
  }
  ASSERT_EQ(doomed.size(), 2U);
  for (auto* one : doomed) net.kill(*one);
  ASSERT_TRUE(net.run_to([&] { return attached(bob) < 4; }, minutes(1)));
  EXPECT_TRUE(net.run_to([&] { return attached(bob) <= 2; }, seconds(1))) << "sessions that die wait eight seconds";
}

TEST(Attach, ASupernodeStoresItsRecordAgainWhenItsHoldersAreSeenToGo) {
  Net net;
  auto& first = net.add("s0", Role::supernode);
  net.start(first);
  std::vector<Node*> others;
  for (int i = 1; i < 16; ++i) {
    others.push_back(&net.add("s" + std::to_string(i), Role::supernode, {"s0"}));
    net.start(*others.back());
  }
  net.run(minutes(2));
  const auto& dht = *first.peer->dht();
  ASSERT_FALSE(dht.thinned(crypto::user_key(first.identity.address)));
  // Half of those nearest our name.
  for (const auto& near : dht.nearest(dht::id_of(crypto::user_key(first.identity.address)), 3)) {
    for (auto* n : others) {
      if (n->identity.device_key() == near.device) net.kill(*n);
    }
  }
  const auto ask = [&] { (void)look_up(net, first, crypto::Address::parse("nobody@example.org").value()); };
  for (int i = 0; i < 4; ++i) ask();
  ASSERT_TRUE(net.run_to([&] { return dht.thinned(crypto::user_key(first.identity.address)); }, minutes(10)));
  EXPECT_TRUE(net.run_to([&] { return !dht.thinned(crypto::user_key(first.identity.address)); }, minutes(2)));
}

TEST(Attach, ASupernodeThatComesBackIsUsedAgain) {
  Net net;
  auto& s1 = net.add("s1", Role::supernode);
  auto& leaf = net.add("leaf", Role::leaf, {"s1"});
  net.start(s1);
  net.start(leaf);
  ASSERT_TRUE(net.run_to([&] { return online(leaf); }));
  net.kill(s1);
  ASSERT_TRUE(net.run_to([&] { return leaf.peer->state() == State::alone; }, minutes(2)));
  net.start(s1);
  ASSERT_TRUE(net.run_to([&] { return online(leaf); }, minutes(2)));
  net.run(seconds(5));
  const auto found = look_up(net, s1, leaf.identity.address);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->devices.size(), 1U);
}

TEST(Attach, ANearerSupernodeThatAppearsBecomesAHome) {
  Net net;
  net.start(net.add("s1", Role::supernode));
  auto& leaf = net.add("leaf", Role::leaf, {"s1"});
  net.start(leaf);
  ASSERT_TRUE(net.run_to([&] { return online(leaf); }));
  net.start(net.add("s2", Role::supernode, {"s1"}));
  net.start(net.add("s3", Role::supernode, {"s1"}));
  EXPECT_TRUE(net.run_to([&] { return attached(leaf) == 3; }, minutes(3)));
}

TEST(Attach, AFullSupernodeSendsElsewhereAndKeepsTheLeavesItHas) {
  Net net;
  const auto small = [](PeerConfig& c) { c.max_leaves = 1; };
  net.start(net.add("s1", Role::supernode, {}, small));
  auto& first = net.add("first", Role::leaf, {"s1"});
  net.start(first);
  ASSERT_TRUE(net.run_to([&] { return online(first); }));
  net.start(net.add("s2", Role::supernode, {"s1"}));
  net.run(seconds(2));
  auto& second = net.add("second", Role::leaf, {"s1"});
  net.start(second);
  EXPECT_TRUE(net.run_to([&] { return online(second); }, seconds(20)));
  EXPECT_EQ(net.at("s1").peer->leaf_count(), 1U);
  EXPECT_TRUE(online(first));
}

TEST(Attach, ALeafComesOnlineFromItsHostCacheAlone) {
  Net net;
  small_world(net);
  auto& alice = net.at("alice");
  ASSERT_TRUE(net.run_to([&] { return online(alice); }));
  net.run(seconds(3));
  const auto saved = alice.peer->host_cache().save();
  EXPECT_GE(alice.peer->host_cache().size(), 3U);
  net.kill(alice);
  alice.config.bootstrap.clear();
  alice.config.first_sequence = 1000;
  net.run(seconds(1));
  const auto began = net.now;
  net.start(alice, *HostCache::load(saved));
  ASSERT_TRUE(net.run_to([&] { return online(alice); }));
  EXPECT_LT(net.now - began, milliseconds(100));
}

TEST(Attach, SequencesAreAnnouncedBeforeTheyAreUsedAndNeverRepeat) {
  Net net;
  small_world(net);
  auto& alice = net.at("alice");
  auto& bob = net.at("bob");
  ASSERT_TRUE(net.run_to([&] { return online(alice) && online(bob); }));
  ASSERT_NE(bob.last<SequenceUsed>(), nullptr);
  const auto used = *bob.last<SequenceUsed>();
  const auto before = look_up(net, alice, bob.identity.address);
  ASSERT_TRUE(before && before->devices.size() == 1);
  EXPECT_LT(before->devices[0].record.sequence, used.below);
  net.kill(bob);
  bob.config.first_sequence = used.below;  // what the driver stored
  net.start(bob);
  ASSERT_TRUE(net.run_to([&] { return online(bob); }));
  const auto after = look_up(net, alice, bob.identity.address);
  ASSERT_TRUE(after && after->devices.size() == 1);
  EXPECT_GE(after->devices[0].record.sequence, used.below);
}

// Killed now, and found no more by `who` asks.
void expect_gone(Net& net, Node& left, Node& who) {
  net.kill(left);
  net.run(milliseconds(500));
  const auto found = look_up(net, who, left.identity.address);
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->status);
  EXPECT_TRUE(found->devices.empty());
}

TEST(Attach, WhoLeavesIsFoundNoMore) {
  Net net;
  small_world(net);
  auto& alice = net.at("alice");
  auto& bob = net.at("bob");
  ASSERT_TRUE(net.run_to([&] { return online(alice) && online(bob); }));
  net.run(seconds(2));
  bob.peer->leave(net.now);
  net.drain(bob);
  ASSERT_TRUE(net.run_to([&] { return bob.peer->left(); }, milliseconds(500)));
  expect_gone(net, bob, alice);
  for (const auto* s : {"s1", "s2", "s3"}) EXPECT_EQ(net.at(s).peer->leaf_count(), 1U) << s;
}

// The packets that say good-bye are lost: they are said again until a home has it.
TEST(Attach, WhoLeavesIsFoundNoMoreThoughItsFirstWordsAreLost) {
  Net net;
  small_world(net);
  auto& alice = net.at("alice");
  auto& bob = net.at("bob");
  ASSERT_TRUE(net.run_to([&] { return online(alice) && online(bob); }));
  net.run(seconds(2));
  int lost = 0;
  net.block = [&](const Endpoint& from, const Endpoint&) { return from == bob.endpoint && ++lost <= 6; };
  bob.peer->leave(net.now);
  net.drain(bob);
  EXPECT_FALSE(bob.peer->left());
  ASSERT_TRUE(net.run_to([&] { return bob.peer->left(); }, seconds(1)));
  EXPECT_GT(lost, 6);
  expect_gone(net, bob, alice);
}

TEST(Attach, WhoLeavesWithNobodyToHearItHasGoneAfterASecond) {
  Net net;
  small_world(net);
  auto& bob = net.at("bob");
  ASSERT_TRUE(net.run_to([&] { return online(bob); }));
  net.run(seconds(2));
  net.block = [&](const Endpoint& from, const Endpoint&) { return from == bob.endpoint; };
  const auto begin = net.now;
  bob.peer->leave(net.now);
  net.drain(bob);
  ASSERT_TRUE(net.run_to([&] { return bob.peer->left(); }, seconds(2)));
  EXPECT_EQ(net.now - begin, Duration(seconds(1)));
  EXPECT_EQ(bob.peer->next_timeout(), kNever);
}

// Its sessions are gone with its memory; who goes on with one is told, and is back before any timeout.
TEST(Attach, ASupernodeThatWasStartedAnewHasItsLeavesBackAtOnce) {
  Net net;
  small_world(net);
  auto& bob = net.at("bob");
  ASSERT_TRUE(net.run_to([&] { return online(bob); }));
  net.run(seconds(2));
  auto& s2 = net.at("s2");
  net.kill(s2);
  net.start(s2);
  const auto begin = net.now;
  // The next thing that bob says to it.
  ASSERT_TRUE(net.run_to([&] { return attached(bob) < 3; }, seconds(40)));
  const auto noticed = net.now;
  ASSERT_TRUE(net.run_to([&] { return s2.peer->leaf_count() > 0; }, seconds(8)));
  EXPECT_LE(noticed - begin, Duration(seconds(26))) << "at its first keepalive, without the 8 s of a silence";
}

TEST(Attach, RecordsAreRenewedBeforeTheyExpire) {
  Net net;
  small_world(net, [](PeerConfig& c) { c.record_life = seconds(60); });
  auto& alice = net.at("alice");
  auto& bob = net.at("bob");
  ASSERT_TRUE(net.run_to([&] { return online(alice) && online(bob); }));
  net.run(minutes(5));
  const auto found = look_up(net, alice, bob.identity.address);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->devices.size(), 1U);
}

// A computer that slept, or learned the time of day late: what it said about itself is out of date at once.
TEST(Attach, RecordsAreMadeAnewWhenTheClockIsSet) {
  Net net;
  auto& s1 = net.add("s1", Role::supernode);
  net.start(s1);
  auto& alice = net.add("alice", Role::leaf, {"s1"});
  net.start(alice);
  ASSERT_TRUE(net.run_to([&] { return online(s1) && online(alice); }));
  net.run(seconds(2));
  const auto used = [&] { return look_up(net, s1, alice.identity.address)->devices; };
  ASSERT_EQ(used().size(), 1U);
  for (auto* node : {&s1, &alice}) {
    node->peer->handle_wall(net.now, net.wall() + std::chrono::hours(8));
    net.drain(*node);
  }
  net.run(seconds(2));
  EXPECT_EQ(used().size(), 1U);
}

TEST(Attach, NobodyFarAwayNamesPrivateAddresses) {
  Net net;
  auto& node = net.add("s1", Role::supernode);
  SessionsConfig config;
  config.network = node.config.network;
  Sessions sessions(config, net.suite, *node.rng, node.identity);
  const Context c{net.now, kWall, node.config, net.suite, *node.rng, node.identity, sessions};
  std::vector<dht::Contact> told;
  for (const auto& ip : {IpAddress::v4(192, 168, 0, 1), IpAddress::v4(127, 0, 0, 1), IpAddress::v4(8, 8, 8, 8)}) {
    const auto id = crypto::make_identity(net.suite, *node.rng, crypto::Address(), kWall);
    dht::Contact contact;
    contact.endpoint = {ip, 4400, Transport::udp};
    contact.device = id.device_key();
    contact.session = id.session_key();
    contact.signature = crypto::sign_session_key(net.suite, id.device, node.config.network, contact.session);
    contact.position = dht::position(ip, contact.device);
    told.push_back(contact);
  }
  Attachments far;
  far.learn(c, told, IpAddress::v4(9, 9, 9, 9));
  ASSERT_EQ(far.known().size(), 1U);
  EXPECT_EQ(far.known()[0].endpoint.ip, IpAddress::v4(8, 8, 8, 8));
  Attachments near;
  near.learn(c, told, IpAddress::v4(127, 0, 0, 1));
  EXPECT_EQ(near.known().size(), 3U);
}

// What a supernode says of itself or of others names addresses that nobody signed.
TEST(Attach, WhereASupernodeIsFollowsFromWhereItAnswered) {
  Net net;
  auto& node = net.add("s1", Role::supernode);
  SessionsConfig config;
  config.network = node.config.network;
  Sessions sessions(config, net.suite, *node.rng, node.identity);
  const Context c{net.now, kWall, node.config, net.suite, *node.rng, node.identity, sessions};
  const auto other = crypto::make_identity(net.suite, *node.rng, crypto::Address(), kWall);
  const Endpoint real{IpAddress::v4(8, 8, 8, 8), 4400, Transport::udp};
  dht::Contact claimed;
  claimed.endpoint = {IpAddress::v4(9, 9, 9, 9), 53, Transport::udp};
  claimed.device = other.device_key();
  claimed.session = other.session_key();
  claimed.signature = crypto::sign_session_key(net.suite, other.device, node.config.network, claimed.session);
  claimed.position = dht::position(claimed.endpoint.ip, claimed.device);

  Attachments attachments;
  attachments.reach(c, real, claimed.session);
  const auto session = std::get<Connecting>(attachments.all().at(0).state).session;
  const auto contact = attachments.on_up(
      c, SessionUp{session, true, claimed.session, write_greeting(claimed, kWall), {PathKind::direct, real, 0, false}});
  ASSERT_TRUE(contact);
  EXPECT_EQ(contact->endpoint, real);
  EXPECT_EQ(contact->position, dht::position(real.ip, claimed.device));

  attachments.learn(c, {claimed}, IpAddress::v4(7, 7, 7, 7));
  ASSERT_EQ(attachments.known().size(), 1U);
  EXPECT_EQ(attachments.known()[0].endpoint, real);
  // Another device's name for the same key makes it no second supernode.
  const auto alias = crypto::make_identity(net.suite, *node.rng, crypto::Address(), kWall);
  claimed.device = alias.device_key();
  claimed.signature = crypto::sign_session_key(net.suite, alias.device, node.config.network, claimed.session);
  claimed.position = dht::position(claimed.endpoint.ip, claimed.device);
  attachments.learn(c, {claimed}, IpAddress::v4(7, 7, 7, 7));
  EXPECT_EQ(attachments.known().size(), 1U);
}

TEST(Attach, WorksThroughTwentyPercentLoss) {
  Net net(3);
  net.loss = 0.2;
  small_world(net);
  auto& alice = net.at("alice");
  auto& bob = net.at("bob");
  ASSERT_TRUE(net.run_to([&] { return online(alice) && online(bob); }, seconds(30)));
  const auto pair = link_up(net, alice, bob);
  EXPECT_TRUE(pair.up);
}

}  // namespace
}  // namespace linnet::overlay::test
