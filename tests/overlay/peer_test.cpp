// Sentences of protocol.md sections 2 to 4, spoken by whole peers over a network in virtual time.
#include "overlay/peer.h"

#include <gtest/gtest.h>

#include "tests/overlay/net.h"

namespace linnet::overlay::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(Peer, ALeafThatAttachesIsFoundByItsName) {
  Net net;
  small_world(net);
  auto& alice = net.at("alice");
  auto& bob = net.at("bob");
  ASSERT_TRUE(net.run_to([&] { return online(alice) && online(bob); }));
  const auto found = look_up(net, alice, bob.identity.address);
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->status);
  ASSERT_EQ(found->devices.size(), 1U);
  EXPECT_EQ(found->devices[0].body.session, bob.identity.session_key());
  EXPECT_EQ(found->devices[0].record.account(), bob.identity.account_key());
}

TEST(Peer, ALeafIsFoundByItsKeyName) {
  Net net;
  small_world(net);
  auto& alice = net.at("alice");
  auto& bob = net.at("bob");
  ASSERT_TRUE(net.run_to([&] { return online(alice) && online(bob); }));
  const auto found = look_up(net, alice, bob.identity.key_name(), true, bob.identity.account_key());
  ASSERT_TRUE(found);
  ASSERT_EQ(found->devices.size(), 1U);
  EXPECT_EQ(found->devices[0].record.account(), bob.identity.account_key());
}

TEST(Peer, ALeafIsOnlineWithinASecondFromNothing) {
  Net net;
  small_world(net);
  const auto began = net.now;
  ASSERT_TRUE(net.run_to([&] { return online(net.at("alice")) && online(net.at("bob")); }));
  EXPECT_LT(net.now - began, milliseconds(300));
}

TEST(Peer, ALookupTellsHowManyRoundsItTook) {
  Net net;
  small_world(net);
  ASSERT_TRUE(net.run_to([&] { return online(net.at("alice")) && online(net.at("bob")); }));
  net.run(seconds(2));
  const auto found = look_up(net, net.at("alice"), net.at("bob").identity.address);
  ASSERT_TRUE(found);
  EXPECT_GE(found->rounds, 1U);
  EXPECT_LE(found->rounds, 3U);  // three supernodes know each other
}

TEST(Peer, ANameThatNobodyHasIsAnEmptyAnswer) {
  Net net;
  small_world(net);
  auto& alice = net.at("alice");
  ASSERT_TRUE(net.run_to([&] { return online(alice); }));
  const auto found = look_up(net, alice, *crypto::Address::parse("nobody@demo.example"));
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->status);
  EXPECT_TRUE(found->devices.empty());
}

TEST(Peer, ALinkThroughForwardGetsACircuitAndCarriesMessagesBothWays) {
  Net net;
  small_world(net);
  auto& alice = net.at("alice");
  auto& bob = net.at("bob");
  ASSERT_TRUE(net.run_to([&] { return online(alice) && online(bob); }));
  const auto pair = link_up(net, alice, bob);
  ASSERT_TRUE(pair.up);
  EXPECT_EQ(alice.last<LinkUp>()->path.kind, PathKind::forward);
  EXPECT_EQ(bob.last<LinkUp>()->path.kind, PathKind::forward);
  EXPECT_EQ(bob.last<LinkUp>()->remote.address, alice.identity.address);
  EXPECT_EQ(bob.last<LinkUp>()->remote.account, alice.identity.account_key());
  ASSERT_TRUE(net.run_to([&] {
    const auto a = alice.peer->path(pair.a);
    const auto b = bob.peer->path(pair.b);
    return a && b && a->kind == PathKind::circuit && b->kind == PathKind::circuit;
  }));
  ASSERT_TRUE(alice.peer->send(net.now, pair.a, Channel::sip, copy(view("INVITE"))));
  net.drain(alice);
  ASSERT_TRUE(net.run_to([&] { return bob.last<LinkMessage>() != nullptr; }));
  EXPECT_EQ(text(bob.last<LinkMessage>()->bytes), "INVITE");
  ASSERT_TRUE(bob.peer->send(net.now, pair.b, Channel::sip, Bytes(5000, 7)));
  net.drain(bob);
  ASSERT_TRUE(net.run_to([&] { return alice.last<LinkMessage>() != nullptr; }));
  EXPECT_EQ(alice.last<LinkMessage>()->bytes, Bytes(5000, 7));
  EXPECT_LE(net.largest, kMaxDatagram);
}

TEST(Peer, VoiceFlowsOverTheCircuit) {
  Net net;
  small_world(net);
  auto& alice = net.at("alice");
  auto& bob = net.at("bob");
  ASSERT_TRUE(net.run_to([&] { return online(alice) && online(bob); }));
  const auto pair = link_up(net, alice, bob);
  ASSERT_TRUE(pair.up);
  ASSERT_TRUE(net.run_to([&] {
    const auto a = alice.peer->path(pair.a);
    const auto b = bob.peer->path(pair.b);
    return a && b && a->kind == PathKind::circuit && b->kind == PathKind::circuit;
  }));
  Bytes voice(100, 0x80);
  alice.peer->send_voice(net.now, pair.a, voice);
  net.drain(alice);
  bob.peer->send_voice(net.now, pair.b, voice);
  net.drain(bob);
  net.run(milliseconds(20));
  ASSERT_NE(bob.last<LinkVoice>(), nullptr);
  EXPECT_EQ(bob.last<LinkVoice>()->link, pair.b);
  EXPECT_EQ(bob.last<LinkVoice>()->bytes, voice);
  ASSERT_NE(alice.last<LinkVoice>(), nullptr);
  EXPECT_EQ(alice.last<LinkVoice>()->link, pair.a);
}

TEST(Peer, ALinkMovesToADirectPathThatBothAreOffered) {
  Net net;
  small_world(net);
  auto& alice = net.at("alice");
  auto& bob = net.at("bob");
  ASSERT_TRUE(net.run_to([&] { return online(alice) && online(bob); }));
  const auto pair = link_up(net, alice, bob);
  ASSERT_TRUE(pair.up);
  open_direct(net, alice, pair.a, bob, pair.b);
  ASSERT_TRUE(net.run_to([&] {
    const auto a = alice.peer->path(pair.a);
    const auto b = bob.peer->path(pair.b);
    return a && b && a->kind == PathKind::direct && b->kind == PathKind::direct;
  }));
  EXPECT_EQ(alice.peer->path(pair.a)->endpoint, bob.endpoint);
  EXPECT_EQ(bob.peer->path(pair.b)->endpoint, alice.endpoint);
  alice.peer->send_voice(net.now, pair.a, Bytes(50, 0x81));
  net.drain(alice);
  net.run(milliseconds(10));
  ASSERT_NE(bob.last<LinkVoice>(), nullptr);
}

}  // namespace
}  // namespace linnet::overlay::test
