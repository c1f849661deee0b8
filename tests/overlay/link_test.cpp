// Links between people: what a stranger learns, what the door refuses, and what happens when a supernode dies.
#include "overlay/links.h"

#include <gtest/gtest.h>

#include "overlay/forward.h"
#include "overlay/frame.h"
#include "overlay/path_set.h"
#include "overlay/supernode_role.h"
#include "tests/overlay/net.h"

namespace linnet::overlay::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

bool on_path(const Node& n, SessionId link, PathKind kind) {
  const auto path = n.peer->path(link);
  return path && path->kind == kind;
}

Node& node_at(Net& net, const Endpoint& endpoint) {
  for (auto& n : net.nodes()) {
    if (n->endpoint == endpoint) return *n;
  }
  std::abort();
}

struct Linked {
  explicit Linked(Net& n) : net(n) {
    small_world(net);
    EXPECT_TRUE(net.run_to([&] { return online(alice()) && online(bob()); }));
    net.run(seconds(3));
    pair = link_up(net, alice(), bob());
    EXPECT_TRUE(pair.up);
  }
  Node& alice() { return net.at("alice"); }
  Node& bob() { return net.at("bob"); }
  bool circuit() {
    return net.run_to(
        [&] { return on_path(alice(), pair.a, PathKind::circuit) && on_path(bob(), pair.b, PathKind::circuit); });
  }
  void show(Node& n, SessionId link) {
    n.peer->show_endpoints(net.now, link);
    net.drain(n);
  }
  bool direct() {
    open_direct(net, alice(), pair.a, bob(), pair.b);
    return net.run_to(
        [&] { return on_path(alice(), pair.a, PathKind::direct) && on_path(bob(), pair.b, PathKind::direct); });
  }
  Net& net;
  Pair pair;
};

bool contains(const Bytes& bytes, const Bytes& needle) {
  return std::search(bytes.begin(), bytes.end(), needle.begin(), needle.end()) != bytes.end();
}

// Every byte the caller received, in the clear as well: the stand-in suite does not hide what it seals from a search.
void stranger_learns_nothing(const crypto::Suite& suite) {
  Net net(1, suite);
  net.log = true;
  Linked world(net);
  ASSERT_TRUE(world.circuit());
  world.show(world.alice(), world.pair.a);  // the caller may say where it is; the called person has not answered
  (void)world.bob().peer->send(net.now, world.pair.b, Channel::sip, copy(view("180 Ringing")));
  net.drain(world.bob());
  net.run(minutes(2));
  const auto& bob = world.bob().endpoint;
  Bytes address{bob.ip.bytes.begin() + 12, bob.ip.bytes.end()};
  for (const auto& from : world.alice().senders) EXPECT_NE(from, bob);
  for (const auto& bytes : world.alice().received) EXPECT_FALSE(contains(bytes, address));
}

TEST(Link, AStrangerLearnsNoAddressBeforeThePersonAnswers) { stranger_learns_nothing(crypto::shipped_suite()); }
TEST(Link, AStrangerLearnsNoAddressWithStandInsEither) { stranger_learns_nothing(crypto::typed_suite()); }

TEST(Link, ALeafWhoseAddressChangesIsHeardAgainWithinHalfASecondByItsCircuit) {
  Net net(1);
  Linked world(net);
  ASSERT_TRUE(world.circuit());
  net.run(seconds(3));
  auto to = world.alice().endpoint;
  to.ip.bytes[15] ^= 0x40;
  net.move(world.alice(), to);
  world.alice().peer->handle_addresses(net.now, {to});
  net.drain(world.alice());
  (void)world.bob().peer->send(net.now, world.pair.b, Channel::sip, copy(view("are you there?")));
  net.drain(world.bob());
  const auto moved = net.now;
  const auto heard = [&] {
    const auto all = world.alice().all<LinkMessage>();
    return std::any_of(all.begin(), all.end(), [](const auto& m) { return m.bytes == copy(view("are you there?")); });
  };
  ASSERT_TRUE(net.run_to(heard));
  EXPECT_LE(net.now - moved, milliseconds(500));
}

TEST(Link, ACallerThatAlreadyLinkedGetsTheSameLink) {
  Net net;
  Linked world(net);
  const auto again = link_up(net, world.alice(), world.bob(), false);
  EXPECT_EQ(again.a, world.pair.a);
}

TEST(Link, ColdMakesANewOne) {
  Net net;
  Linked world(net);
  const auto again = link_up(net, world.alice(), world.bob(), true);
  EXPECT_TRUE(again.up);
  EXPECT_NE(again.a, world.pair.a);
}

TEST(Link, AnIdleLinkIsDroppedWithTheCachesAndAKeptOneIsNot) {
  Net net;
  Linked world(net);
  world.alice().peer->keep(net.now, world.pair.a, true);
  net.run(minutes(2));
  world.alice().peer->drop_caches(net.now);
  EXPECT_TRUE(world.alice().peer->path(world.pair.a));
  world.alice().peer->keep(net.now, world.pair.a, false);
  world.alice().peer->drop_caches(net.now);
  net.drain(world.alice());
  EXPECT_FALSE(world.alice().peer->path(world.pair.a));
  EXPECT_TRUE(net.run_to([&] { return world.bob().last<LinkDown>() != nullptr; }));
}

TEST(Link, ALinkStaysUpWhileNobodySpeaks) {
  Net net;
  Linked world(net);
  ASSERT_TRUE(world.circuit());
  net.run(minutes(40));  // past several keepalives, a rekey and the refresh of records
  ASSERT_TRUE(world.alice().peer->send(net.now, world.pair.a, Channel::sip, Bytes{1, 2, 3}));
  net.drain(world.alice());
  EXPECT_TRUE(net.run_to([&] { return world.bob().last<LinkMessage>() != nullptr; }));
}

bool is(Net& net, std::string_view name, const Endpoint& endpoint) {
  return std::any_of(net.nodes().begin(), net.nodes().end(),
                     [&](const auto& n) { return n->name == name && n->endpoint == endpoint; });
}

constexpr std::size_t kFirstFrame = kCircuitHeader + kDataHeaderBytes;

bool on_circuit(const Bytes& bytes) {
  return bytes.size() > kCircuitHeader && bytes[0] == 11 && bytes[1] == static_cast<std::uint8_t>(ForwardKind::circuit);
}

// The caller has its answer and speaks; of what the called end asks by the circuit nothing arrives.
TEST(Link, VoiceIsHeardByACircuitThatTheCalledEndHasNotProvenYet) {
  Net net;
  net.lose = [&](const Endpoint& from, const Bytes& bytes) {
    return is(net, "bob", from) && on_circuit(bytes) && bytes.size() == kCircuitHeader + kChallengePacket;
  };
  Linked world(net);
  ASSERT_TRUE(net.run_to([&] { return on_path(world.alice(), world.pair.a, PathKind::circuit); }));
  ASSERT_TRUE(on_path(world.bob(), world.pair.b, PathKind::forward));
  world.alice().peer->send_voice(net.now, world.pair.a, Bytes(80, 0x80));
  net.drain(world.alice());
  EXPECT_TRUE(net.run_to([&] { return world.bob().last<LinkVoice>() != nullptr; }, seconds(1)));
}

// A first word does not wait for a round trip that proves what both agreed on.
TEST(Link, BothEndsSpeakByACircuitThatNeitherHasProven) {
  Net net;
  net.lose = [&](const Endpoint&, const Bytes& bytes) {
    return on_circuit(bytes) && bytes.size() == kCircuitHeader + kChallengePacket;
  };
  Linked world(net);
  net.run(seconds(1));
  ASSERT_TRUE(on_path(world.alice(), world.pair.a, PathKind::forward));
  ASSERT_TRUE(on_path(world.bob(), world.pair.b, PathKind::forward));
  for (auto* speaker : {&world.alice(), &world.bob()}) {
    auto& hearer = speaker == &world.alice() ? world.bob() : world.alice();
    speaker->peer->send_voice(net.now, speaker == &world.alice() ? world.pair.a : world.pair.b, Bytes(80, 0x80));
    net.drain(*speaker);
    EXPECT_TRUE(net.run_to([&] { return hearer.last<LinkVoice>() != nullptr; }, seconds(1)));
  }
}

// FORWARD carries no voice, and the called end moves its frames only when one of the caller's comes by the circuit.
TEST(Link, TheCalledEndSpeaksByACircuitWhileItsFramesStillGoByForward) {
  Net net(1, crypto::typed_suite());  // whose seal shows which frame a packet begins with
  net.lose = [&](const Endpoint& from, const Bytes& bytes) {
    if (!is(net, "alice", from) || !on_circuit(bytes) || bytes.size() <= kFirstFrame) return false;
    const int frame = bytes[kFirstFrame];
    return frame != 4 && frame != 5;  // challenge, response: docs/protocol/sessions.md
  };
  Linked world(net);
  net.run(seconds(2));
  ASSERT_TRUE(on_path(world.bob(), world.pair.b, PathKind::forward));
  world.bob().peer->send_voice(net.now, world.pair.b, Bytes(80, 0x80));
  net.drain(world.bob());
  EXPECT_TRUE(net.run_to([&] { return world.alice().last<LinkVoice>() != nullptr; }, seconds(1)));
}

// Speaks both ways every 20 ms; returns the longest silence that bob heard.
Duration speak(Linked& world, Duration length, const std::function<void()>& halfway) {
  auto& net = world.net;
  const auto until = net.now + length;
  const auto middle = net.now + length / 2;
  bool done = false;
  Time last = net.now;
  Duration longest{};
  std::size_t heard = world.bob().all<LinkVoice>().size();
  while (net.now < until) {
    world.alice().peer->send_voice(net.now, world.pair.a, Bytes(80, 0x80));
    net.drain(world.alice());
    world.bob().peer->send_voice(net.now, world.pair.b, Bytes(80, 0x80));
    net.drain(world.bob());
    net.run(milliseconds(20));
    const auto count = world.bob().all<LinkVoice>().size();
    if (count > heard) last = net.now;
    heard = count;
    longest = std::max(longest, net.now - last);
    if (!done && net.now >= middle) {
      done = true;
      halfway();
    }
  }
  return longest;
}

TEST(Link, VoiceOnADirectPathDoesNotNoticeThatASupernodeDied) {
  Net net;
  Linked world(net);
  ASSERT_TRUE(world.circuit());
  const auto via = world.alice().peer->path(world.pair.a)->endpoint;
  ASSERT_TRUE(world.direct());
  const auto gap = speak(world, seconds(30), [&] { net.kill(node_at(net, via)); });
  EXPECT_LE(gap, milliseconds(40));
}

TEST(Link, VoiceMovesToTheSpareCircuitWhenASupernodeDies) {
  Net net;
  Linked world(net);
  ASSERT_TRUE(world.circuit());
  net.run(seconds(2));
  const auto via = world.alice().peer->path(world.pair.a)->endpoint;
  const auto gap = speak(world, seconds(20), [&] { net.kill(node_at(net, via)); });
  EXPECT_LE(gap, seconds(2));
  EXPECT_NE(world.alice().peer->path(world.pair.a)->endpoint, via);
}

TEST(Link, VoiceFallsBackToACircuitWhenTheDirectPathDies) {
  Net net;
  Linked world(net);
  ASSERT_TRUE(world.circuit());
  ASSERT_TRUE(world.direct());
  const auto a = world.alice().endpoint;
  const auto b = world.bob().endpoint;
  const auto gap = speak(world, seconds(20), [&] {
    net.block = [a, b](const Endpoint& x, const Endpoint& y) { return (x == a && y == b) || (x == b && y == a); };
  });
  EXPECT_LE(gap, seconds(2));
  EXPECT_TRUE(on_path(world.alice(), world.pair.a, PathKind::circuit));
}

TEST(Link, ASupernodesPersonIsCalledDirectly) {
  Net net;
  Linked world(net);
  const auto pair = link_up(net, world.alice(), net.at("s2"));
  ASSERT_TRUE(pair.up);
  EXPECT_TRUE(on_path(world.alice(), pair.a, PathKind::direct));
  ASSERT_TRUE(world.alice().peer->send(net.now, pair.a, Channel::sip, Bytes{9}));
  net.drain(world.alice());
  EXPECT_TRUE(net.run_to([&] { return net.at("s2").last<LinkMessage>() != nullptr; }));
}

TEST(Link, ASupernodesPersonCallsALeafOfItsOwn) {
  Net net;
  Linked world(net);
  const auto pair = link_up(net, net.at("s1"), world.bob());
  ASSERT_TRUE(pair.up);
  net.at("s1").peer->send_voice(net.now, pair.a, Bytes(20, 0x90));
  net.drain(net.at("s1"));
  net.run(milliseconds(10));
  ASSERT_NE(world.bob().last<LinkVoice>(), nullptr);
  EXPECT_EQ(world.bob().last<LinkVoice>()->link, pair.b);
}

TEST(Link, ASupernodesPersonCallsASupernodesPerson) {
  Net net;
  Linked world(net);
  EXPECT_TRUE(link_up(net, net.at("s1"), net.at("s3")).up);
}

TEST(Link, ADeviceThatIsGoneIsATimeOut) {
  Net net;
  Linked world(net);
  const auto found = look_up(net, world.alice(), world.bob().identity.address);
  ASSERT_TRUE(found && !found->devices.empty());
  net.kill(world.bob());
  const auto link = world.alice().peer->connect(net.now, world.bob().identity.address, found->devices[0], true);
  ASSERT_TRUE(link);
  net.drain(world.alice());
  ASSERT_TRUE(net.run_to(
      [&] { return world.alice().last<LinkDown>() && world.alice().last<LinkDown>()->link == *link; }, seconds(15)));
}

// The door.

// Each of them makes the supernode send a message to somebody else.
TEST(Link, AFloodOfShowsIsPassedOnAsFarAsASupernodeTakesQuestions) {
  Net net;
  Linked world(net);
  ASSERT_TRUE(world.circuit());
  world.show(world.alice(), world.pair.a);
  world.show(world.bob(), world.pair.b);
  const auto circuit = *world.alice().peer->path(world.pair.a);
  const auto before = world.bob().all<LinkSeen>().size();
  const auto began = net.now;
  for (; net.now - began < seconds(4); net.run(milliseconds(20))) {
    for (int i = 0; i < 20; ++i) world.alice().peer->show_on_circuit(net.now, world.pair.a, circuit);
    net.drain(world.alice());
  }
  const auto seen = static_cast<double>(world.bob().all<LinkSeen>().size() - before);
  EXPECT_GT(seen, 0);
  EXPECT_LE(seen, SupernodeRole::kQuestionsPerSecond * (4 + 2));
  EXPECT_TRUE(online(world.bob())) << "who is shown to is not harmed";
}

TEST(PeerDoor, GarbageOfEveryFirstByteIsCountedAndHarmless) {
  Net net;
  Linked world(net);
  SeededRng rng(77);
  const Endpoint stranger{IpAddress::v4(203, 0, 113, 5), 9, Transport::udp};
  for (const auto* name : {"s1", "bob"}) {
    auto& node = net.at(name);
    const auto before = node.peer->counters();
    std::uint64_t sent = 0;
    for (int first = 0; first < 256; ++first) {
      for (const std::size_t size : {1U, 2U, 9U, 40U, 300U, 1200U}) {
        Bytes junk(size);
        rng.fill(junk);
        junk[0] = static_cast<std::uint8_t>(first);
        if (first == kForwardType && size > 1) junk[1] = static_cast<std::uint8_t>(1 + rng.below(5));
        net.send(stranger, node.endpoint, junk);
        ++sent;
      }
    }
    net.send(stranger, node.endpoint, {});
    net.run(milliseconds(100));
    const auto after = node.peer->counters();
    EXPECT_GE(after.malformed + after.dropped - before.malformed - before.dropped, sent / 2) << name;
    EXPECT_TRUE(online(node));
  }
  EXPECT_TRUE(world.alice().peer->send(net.now, world.pair.a, Channel::sip, Bytes{1}));
  net.drain(world.alice());
  EXPECT_TRUE(net.run_to([&] { return world.bob().last<LinkMessage>() != nullptr; }));
}

// The home of bob's record that alice reads, and the leaf tag there.
dht::Home a_home(Net& net, Node& who, Node& of) {
  const auto found = look_up(net, who, of.identity.address);
  net.run(seconds(1));  // the link has found its circuit, nothing of its own is forwarded any more
  return found->devices.at(0).body.homes.at(0);
}

TEST(PeerDoor, ForwardToAnUnknownTagGoesNowhere) {
  Net net;
  Linked world(net);
  const auto home = a_home(net, world.alice(), world.bob());
  auto& s = node_at(net, home.endpoint);
  const crypto::Mac1 mac1(net.suite, world.bob().identity.session_key());
  const auto before = s.peer->counters();
  net.send(world.alice().endpoint, s.endpoint, write_to_leaf(mac1, home.tag + 1, 5, Bytes(100, 4)));
  net.run(milliseconds(5));
  EXPECT_EQ(s.peer->counters().forwarded, before.forwarded);
  EXPECT_EQ(s.peer->counters().dropped, before.dropped + 1);
}

TEST(PeerDoor, ForwardWithTheWrongMacGoesNowhereAndWithTheRightOneItGoes) {
  Net net;
  Linked world(net);
  const auto home = a_home(net, world.alice(), world.bob());
  auto& s = node_at(net, home.endpoint);
  const crypto::Mac1 wrong(net.suite, world.alice().identity.session_key());
  const crypto::Mac1 right(net.suite, world.bob().identity.session_key());
  const auto before = s.peer->counters();
  net.send(world.alice().endpoint, s.endpoint, write_to_leaf(wrong, home.tag, 5, Bytes(100, 4)));
  net.run(milliseconds(5));
  EXPECT_EQ(s.peer->counters().forwarded, before.forwarded);
  net.send(world.alice().endpoint, s.endpoint, write_to_leaf(right, home.tag, 5, Bytes(100, 4)));
  net.run(milliseconds(5));
  EXPECT_EQ(s.peer->counters().forwarded, before.forwarded + 1);
}

TEST(PeerDoor, ACircuitServesItsTwoEndsAlone) {
  Net net;
  Linked world(net);
  ASSERT_TRUE(world.circuit());
  const auto path = *world.alice().peer->path(world.pair.a);
  auto& s = node_at(net, path.endpoint);
  net.run(seconds(1));  // the link itself has nothing to say any more
  const auto before = s.peer->counters().forwarded;
  const Endpoint stranger{IpAddress::v4(203, 0, 113, 5), 9, Transport::udp};
  net.send(stranger, s.endpoint, write_tagged(ForwardKind::circuit, path.id, Bytes(50, 0x80)));
  net.send(world.alice().endpoint, s.endpoint, write_tagged(ForwardKind::circuit, path.id + 1, Bytes(50, 0x80)));
  net.run(milliseconds(5));
  EXPECT_EQ(s.peer->counters().forwarded, before);
  EXPECT_EQ(world.bob().last<LinkVoice>(), nullptr);
}

TEST(PeerDoor, VoiceFromNoProvenPathIsDropped) {
  Net net;
  Linked world(net);
  const Endpoint stranger{IpAddress::v4(203, 0, 113, 5), 9, Transport::udp};
  net.send(stranger, world.bob().endpoint, Bytes(50, 0x80));
  net.run(seconds(1));
  EXPECT_EQ(world.bob().last<LinkVoice>(), nullptr);
  EXPECT_EQ(net.to_nobody, 0U) << "it was answered";
}

// The same seed gives the same life, whichever suite seals it.
std::string life(std::uint64_t seed, const crypto::Suite& suite) {
  Net net(seed, suite);
  net.loss = 0.05;
  Linked world(net);
  net.run(seconds(30));
  std::string out;
  for (auto& n : net.nodes()) {
    const auto& c = n->peer->counters();
    out += n->name + ' ' + std::to_string(c.datagrams_in) + ' ' + std::to_string(c.datagrams_out) + ' ' +
           std::to_string(c.bytes_out) + ' ' + std::to_string(n->events.size()) + '\n';
  }
  return out;
}

TEST(Peer, TheSameSeedLivesTheSameLife) {
  EXPECT_EQ(life(5, crypto::shipped_suite()), life(5, crypto::shipped_suite()));
}
TEST(Peer, TheStandInSuiteTakesTheSameDecisions) {
  EXPECT_EQ(life(6, crypto::shipped_suite()), life(6, crypto::typed_suite()));
}

}  // namespace
}  // namespace linnet::overlay::test
