// What somebody who is nobody's friend tries: to aim a supernode at others, to find out where a leaf is.
#include <gtest/gtest.h>

#include "net.h"
#include "overlay/control_message.h"
#include "overlay/forward_source.h"
#include "overlay/handshake_packet.h"
#include "overlay/hello.h"

namespace linnet::overlay {
namespace {

using namespace test;
using std::chrono::milliseconds;
using std::chrono::seconds;

// A hand-driven session layer at an address of its own, beside a world of three supernodes, alice and bob.
struct Stranger : ::testing::Test {
  void SetUp() override {
    small_world(net);
    ASSERT_TRUE(net.run_to([&] { return online(net.at("alice")) && online(net.at("bob")); }));
    net.run(seconds(3));
    auto& mallory = net.add("mallory", Role::leaf);
    net.start(mallory);
    net.log = true;
    SessionsConfig config;
    config.network = mallory.config.network;
    sessions = std::make_unique<Sessions>(config, net.suite, *mallory.rng, mallory.identity);
  }
  Node& mallory() { return net.at("mallory"); }
  dht::Home home_of(Node& who) {
    return look_up(net, net.at("alice"), who.identity.address)->devices.at(0).body.homes.at(0);
  }
  Node& node_at(const Endpoint& endpoint) {
    for (auto& n : net.nodes()) {
      if (n->endpoint == endpoint) return *n;
    }
    std::abort();
  }
  SessionId call(const crypto::SessionKey& key, const Path& path) {
    ConnectTo to;
    to.remote = key;
    to.paths = {path};
    to.hello = write_client_hello(net.suite, mallory().identity, mallory().config.network, std::nullopt);
    return *sessions->connect(net.now, std::move(to));
  }
  std::vector<Bytes> outgoing() {
    std::vector<Bytes> out;
    while (auto packet = sessions->poll_packet()) out.push_back(std::move(packet->bytes));
    return out;
  }
  // What came to mallory from `from` in the last milliseconds.
  std::vector<Bytes> answers(const Endpoint& from, Duration wait = milliseconds(20)) {
    mallory().received.clear();
    mallory().senders.clear();
    net.run(wait);
    std::vector<Bytes> out;
    for (std::size_t i = 0; i < mallory().received.size(); ++i) {
      if (mallory().senders[i] == from) out.push_back(mallory().received[i]);
    }
    return out;
  }

  Net net;
  std::unique_ptr<Sessions> sessions;
};

// Message 3 and what follows it come from bob's address: the supernode would answer for mallory there, and bob's own
// answers would count as mallory's.
TEST_F(Stranger, CannotAttachAtAnAddressThatIsNotHis) {
  auto& s = node_at(home_of(net.at("bob")).endpoint);
  const Path path{PathKind::direct, s.endpoint, 0, false};
  const auto id = call(s.identity.session_key(), path);
  for (auto& packet : outgoing()) net.send(mallory().endpoint, s.endpoint, packet);
  for (auto& answer : answers(s.endpoint)) sessions->handle_packet(net.now, path, answer);
  ASSERT_TRUE(sessions->send(net.now, id, Channel::control, control::write(control::Attach{})));
  const auto before = s.peer->leaf_count();
  auto packets = outgoing();
  ASSERT_GE(packets.size(), 2U);
  ASSERT_EQ(packets[0][0], kMessage3);
  for (auto& packet : packets) net.send(net.at("bob").endpoint, s.endpoint, packet);
  net.run(milliseconds(500));
  EXPECT_EQ(s.peer->leaf_count(), before);
  EXPECT_TRUE(link_up(net, net.at("alice"), net.at("bob")).up);
}

// From his own address he may attach: it is no secret handshake that is asked for, only a true source.
TEST_F(Stranger, MayAttachWhereHeIs) {
  auto& s = node_at(home_of(net.at("bob")).endpoint);
  const Path path{PathKind::direct, s.endpoint, 0, false};
  const auto id = call(s.identity.session_key(), path);
  for (auto& packet : outgoing()) net.send(mallory().endpoint, s.endpoint, packet);
  for (auto& answer : answers(s.endpoint)) sessions->handle_packet(net.now, path, answer);
  ASSERT_TRUE(sessions->send(net.now, id, Channel::control, control::write(control::Attach{})));
  const auto before = s.peer->leaf_count();
  for (auto& packet : outgoing()) {
    net.send(mallory().endpoint, s.endpoint, packet);
    net.run(milliseconds(2));  // one after the other
  }
  EXPECT_TRUE(net.run_to([&] { return s.peer->leaf_count() == before + 1; }, seconds(1)));
}

// security.md, check 39: who has bob's key from his record and tries addresses must not be told that one is right.
TEST_F(Stranger, GetsNoAnswerFromALeafWhoseAddressHeGuessed) {
  auto& bob = net.at("bob");
  (void)call(bob.identity.session_key(), {PathKind::direct, bob.endpoint, 0, false});
  const auto message1 = outgoing().at(0);
  net.send(mallory().endpoint, bob.endpoint, message1);
  EXPECT_TRUE(answers(bob.endpoint, milliseconds(200)).empty());
  net.send(mallory().endpoint, bob.endpoint, write_tagged(ForwardKind::circuit, 77, message1));
  net.send(mallory().endpoint, bob.endpoint, write_tagged(ForwardKind::down, 77, message1));
  EXPECT_TRUE(answers(bob.endpoint, milliseconds(200)).empty());
}

// The same with a session that stands: mallory rang through bob's supernode and now tries addresses with its packets.
TEST_F(Stranger, GetsNoAnswerToPacketsOfALinkAtAGuessedAddress) {
  auto& alice = net.at("alice");
  auto& bob = net.at("bob");
  const auto pair = link_up(net, alice, bob);
  ASSERT_TRUE(pair.up);
  ASSERT_TRUE(net.run_to([&] { return alice.peer->path(pair.a)->kind == PathKind::circuit; }));
  const auto way = *alice.peer->path(pair.a);
  // Alice's next packets are taken out of their way and sent on from mallory's address.
  std::vector<Bytes> taken;
  bob.received.clear();
  ASSERT_TRUE(alice.peer->send(net.now, pair.a, Channel::sip, Bytes(10, 1)));
  while (auto t = alice.peer->poll_transmit()) {
    if (t->to == way.endpoint) taken.push_back(t->bytes);
  }
  ASSERT_FALSE(taken.empty());
  for (const auto& packet : taken) {
    const Bytes inner(packet.begin() + kCircuitHeader, packet.end());
    net.send(mallory().endpoint, bob.endpoint, inner);
    net.send(mallory().endpoint, bob.endpoint, packet);
  }
  EXPECT_TRUE(answers(bob.endpoint, milliseconds(300)).empty());
}

TEST_F(Stranger, OpensNoMoreHandshakesWithALeafThanOnePrefixMay) {
  auto& bob = net.at("bob");
  const auto home = home_of(bob);
  auto& s = node_at(home.endpoint);
  const crypto::Mac1 mac1(net.suite, bob.identity.session_key());
  const auto before = s.peer->counters().forwarded;
  for (std::uint64_t token = 1; token <= 400; ++token)
    net.send(mallory().endpoint, s.endpoint, write_to_leaf(mac1, home.tag, token, Bytes(1000, kMessage1)));
  net.run(milliseconds(10));
  EXPECT_LE(s.peer->counters().forwarded - before, 110U);
  EXPECT_TRUE(link_up(net, net.at("alice"), bob).up);
}

}  // namespace
}  // namespace linnet::overlay
