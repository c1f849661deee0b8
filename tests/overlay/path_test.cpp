#include <gtest/gtest.h>

#include "link.h"
#include "overlay/path_set.h"

namespace linnet::overlay {
namespace {

using namespace link_test;

// Two nodes that met through a supernode.
struct Relayed {
  Relayed() {
    a = link.add();
    b = link.add();
    forward = link.join(a, b, PathKind::forward, 1);
    at_a = link.connect(a, b, {forward});
    EXPECT_TRUE(link.run_until([&] { return link.node(b).proven.size() == 1; }));
    at_b = link.node(b).ups[0].session;
    link.run(50ms);
  }
  LinkNode& na() { return link.node(a); }
  LinkNode& nb() { return link.node(b); }
  void try_from_a(const Path& path) {
    na().sessions.try_path(link.now, at_a, path);
    link.drain();
  }
  TestLink link;
  std::size_t a = 0;
  std::size_t b = 0;
  Path forward;
  SessionId at_a{};
  SessionId at_b{};
};

Path elsewhere(std::uint8_t n) {
  return {PathKind::direct, Endpoint{IpAddress::v4(192, 0, 2, n), 999, Transport::udp}, 0, false};
}

TEST(Paths, MoveToADirectOneOnceItAnswered) {
  Relayed r;
  r.try_from_a(r.link.direct(r.b));
  ASSERT_TRUE(r.link.run_until([&] { return r.na().changed.size() == 1 && r.nb().changed.size() == 1; }, 1s));
  EXPECT_EQ(r.na().changed[0].from, r.forward);
  EXPECT_EQ(r.na().changed[0].to, r.link.direct(r.b));
  EXPECT_EQ(r.nb().changed[0].to, r.link.direct(r.a));  // the responder follows
  EXPECT_EQ(r.na().sessions.current_path(r.at_a), r.link.direct(r.b));
  EXPECT_EQ(r.na().sessions.proven_paths(r.at_a).size(), 2U);
  EXPECT_EQ(r.na().sessions.session_on(r.forward), r.at_a);
  EXPECT_EQ(r.na().sessions.session_on(r.link.direct(r.b)), r.at_a);
  r.link.say(r.b, r.at_b, Channel::sip, Bytes(10));
  r.link.run(100ms);
  EXPECT_EQ(r.na().messages.size(), 1U);
}

// One end has a TURN server: it sends to the other by that server's socket, and the other hears the relayed address.
struct ByTurn : Relayed {
  // What `with` sends through its server reaches `other` as if it came straight, and back.
  ByTurn(bool of_a) {
    const auto with = of_a ? a : b, other = of_a ? b : a;
    sends.endpoint = link.node(other).endpoint;
    sends.endpoint.socket = kByTurn;
    const Path hears{PathKind::direct, sends.endpoint, 0, false}, comes{PathKind::direct, relayed.endpoint, 0, false};
    link.route(with, sends, other, comes);
    link.route(other, relayed, with, hears);
    link.route(other, comes, with, hears);
  }
  Path current(std::size_t n) { return *link.node(n).sessions.current_path(n == a ? at_a : at_b); }

  Path sends{PathKind::turn, {}, 0, false};
  Path relayed{PathKind::turn, {IpAddress::v4(192, 0, 2, 50), 50'000, Transport::udp}, 0, false};
};

TEST(TurnPaths, AreBetterThanForwardingAndLessThanACircuit) {
  ByTurn r(true);
  r.nb().sessions.note_relay(r.at_b, r.relayed.endpoint);
  r.try_from_a(r.sends);
  r.link.run(500ms);
  EXPECT_EQ(r.current(r.a), r.sends);
  EXPECT_EQ(r.current(r.b), r.relayed) << "known by its name, though it looks direct";
  r.link.say(r.b, r.at_b, Channel::sip, Bytes(10));
  r.link.run(100ms);
  EXPECT_EQ(r.na().messages.size(), 1U);
  const auto circuit = r.link.join(r.a, r.b, PathKind::circuit, 2);
  r.try_from_a(circuit);
  r.link.run(500ms);
  EXPECT_EQ(r.current(r.a), circuit);
  EXPECT_EQ(r.current(r.b), circuit);
}

TEST(TurnPaths, OfTheOtherEndAreNotTakenForDirectOnes) {
  for (const bool named : {true, false}) {
    ByTurn r(false);
    const auto circuit = r.link.join(r.a, r.b, PathKind::circuit, 2);
    r.try_from_a(circuit);
    r.link.run(500ms);
    ASSERT_EQ(r.current(r.a), circuit);
    if (named) r.na().sessions.note_relay(r.at_a, r.relayed.endpoint);
    r.nb().sessions.try_path(r.link.now, r.at_b, r.sends);
    r.link.drain();
    r.link.run(1s);
    if (named) {
      EXPECT_EQ(r.current(r.a), circuit);
    } else {
      EXPECT_EQ(r.current(r.a).endpoint, r.relayed.endpoint) << "who was not told cannot know";
    }
  }
}

TEST(TurnPaths, StandInForACircuitThatDied) {
  ByTurn r(true);
  r.nb().sessions.note_relay(r.at_b, r.relayed.endpoint);
  const auto circuit = r.link.join(r.a, r.b, PathKind::circuit, 2);
  r.try_from_a(circuit);
  r.try_from_a(r.sends);
  r.link.run(500ms);
  ASSERT_EQ(r.current(r.a), circuit);
  r.link.cut(circuit);
  r.link.say(r.a, r.at_a, Channel::sip, Bytes(10));
  r.link.run(3s);
  EXPECT_EQ(r.current(r.a), r.sends);
  EXPECT_EQ(r.current(r.b), r.relayed);
  EXPECT_EQ(r.nb().messages.size(), 1U);
}

TEST(TurnPaths, OfOneSessionSayNothingOfAnother) {
  ByTurn r(true);
  const auto at = r.link.direct(r.a).endpoint;
  r.link.route(r.b, {PathKind::turn, at, 0, false}, r.a, r.link.direct(r.b));
  r.nb().sessions.note_relay(r.at_b, at);  // the peer lies: this is where it is itself
  r.try_from_a(r.link.direct(r.b));
  r.link.run(500ms);
  EXPECT_EQ(r.current(r.b).kind, PathKind::turn) << "its own session, its own loss";
  const auto other = r.link.connect(r.b, r.a);
  r.link.run(500ms);
  EXPECT_EQ(r.nb().sessions.current_path(other), r.link.direct(r.a));
}

TEST(Paths, MoveToADirectOneThatTheResponderTried) {
  Relayed r;
  r.nb().sessions.try_path(r.link.now, r.at_b, r.link.direct(r.a));
  r.link.drain();
  r.link.run(1s);
  EXPECT_EQ(r.na().sessions.current_path(r.at_a), r.link.direct(r.b));
  EXPECT_EQ(r.nb().sessions.current_path(r.at_b), r.link.direct(r.a));
}

TEST(Paths, PreferACircuitToForwardingAndDirectToBoth) {
  Relayed r;
  const auto circuit = r.link.join(r.a, r.b, PathKind::circuit, 2);
  r.try_from_a(circuit);
  r.link.run(500ms);
  EXPECT_EQ(r.na().sessions.current_path(r.at_a), circuit);
  EXPECT_EQ(r.nb().sessions.current_path(r.at_b), circuit);
  r.try_from_a(r.link.direct(r.b));
  r.link.run(500ms);
  EXPECT_EQ(r.na().sessions.current_path(r.at_a), r.link.direct(r.b));
  const auto second = r.link.join(r.a, r.b, PathKind::circuit, 3);
  r.try_from_a(second);
  r.link.run(500ms);
  EXPECT_EQ(r.na().sessions.current_path(r.at_a), r.link.direct(r.b));
  EXPECT_EQ(r.na().sessions.proven_paths(r.at_a).size(), 4U);
}

// What is sent about another path meanwhile says nothing of where the initiator sends.
TEST(Paths, TheResponderFollowsAPingThatAProbeOvertook) {
  Relayed r;
  const auto circuit = r.link.join(r.a, r.b, PathKind::circuit, 2);
  const auto second = r.link.join(r.a, r.b, PathKind::circuit, 3);
  std::vector<Bytes> held;
  bool moved = false;
  r.link.tap = [&](Wire& wire) {
    if (wire.from != r.a || wire.path != circuit || r.na().sessions.current_path(r.at_a) != circuit) return false;
    if (!moved) held.push_back(wire.bytes);
    return true;
  };
  r.try_from_a(circuit);
  ASSERT_TRUE(r.link.run_until([&] { return !held.empty(); }, 1s));
  moved = true;
  r.nb().sessions.try_path(r.link.now, r.at_b, second);
  r.link.drain();
  ASSERT_TRUE(r.link.run_until([&] { return r.nb().sessions.session_on(second).has_value(); }, 1s));
  ASSERT_EQ(r.nb().sessions.current_path(r.at_b), r.forward);
  for (auto& packet : held) r.link.inject(r.b, circuit, std::move(packet));
  r.link.run(100ms);
  EXPECT_EQ(r.nb().sessions.current_path(r.at_b), circuit);
}

TEST(Paths, ThatDoNotAnswerGetThreeChallengesOf64Bytes) {
  Relayed r;
  const auto victim = elsewhere(1);
  r.try_from_a(victim);
  r.link.run(3s);
  const auto sent = r.link.bytes_out[{r.a, victim}];
  EXPECT_EQ(sent, 3U * kChallengePacket);
  r.try_from_a(victim);  // it rests
  r.link.run(1s);
  const auto again = r.link.bytes_out[{r.a, victim}];
  EXPECT_EQ(again, sent);
  EXPECT_TRUE(r.na().changed.empty());
  EXPECT_FALSE(r.na().sessions.session_on(victim));
}

// security.md, check 12: who sends on genuine packets from elsewhere moves nothing and gains nothing.
TEST(Paths, AForgedMoveGetsNotAByteOverWhatItBrought) {
  Relayed r;
  const auto victim = elsewhere(2);
  std::uint64_t brought = 0;
  r.link.tap = [&](Wire& wire) {
    if (wire.to != r.b) return false;
    brought += wire.bytes.size();
    auto bytes = wire.bytes;
    r.nb().sessions.handle_packet(r.link.now, victim, bytes);
    return true;
  };
  for (int i = 0; i < 5; ++i) {
    r.link.say(r.a, r.at_a, Channel::sip, Bytes(50));
    r.link.say(r.b, r.at_b, Channel::chat, Bytes(5000));
    r.link.run(100ms);
  }
  const auto sent = r.link.bytes_out[{r.b, victim}];
  EXPECT_GT(brought, 0U);
  EXPECT_LE(sent, brought);
  EXPECT_TRUE(r.nb().changed.empty());
  EXPECT_EQ(r.nb().sessions.current_path(r.at_b), r.forward);
  EXPECT_EQ(r.na().messages.size(), 5U);
}

// A relay between the two, at an address of its own: every packet of the one is sent on to the other from there, sooner
// than the genuine one comes, probes included. Frames arrive, but nothing goes its way while the old path answers.
TEST(Paths, ARelayThatSendsEverythingOnFromItsOwnAddressMovesNothing) {
  for (const bool kind_of_current_is_direct : {true, false}) {
    Relayed r;
    if (kind_of_current_is_direct) {
      r.try_from_a(r.link.direct(r.b));
      ASSERT_TRUE(r.link.run_until([&] { return r.na().changed.size() == 1 && r.nb().changed.size() == 1; }, 1s));
    }
    const auto before_a = r.na().sessions.current_path(r.at_a);
    const auto before_b = r.nb().sessions.current_path(r.at_b);
    const auto relay = elsewhere(7);
    r.link.route(r.a, relay, r.b, relay);
    r.link.route(r.b, relay, r.a, relay);
    std::uint64_t to_relay = 0;
    std::uint64_t from_relay = 0;
    bool inside = false;
    r.link.tap = [&](Wire& wire) {
      if (inside) return false;
      const bool by_relay = wire.path == relay;
      if (by_relay) to_relay += wire.bytes.size();
      inside = true;
      auto bytes = wire.bytes;
      from_relay += bytes.size();
      r.link.node(wire.to).sessions.handle_packet(r.link.now, relay, bytes);
      inside = false;
      return by_relay;
    };
    for (int i = 0; i < 50; ++i) {
      r.link.say(r.a, r.at_a, Channel::sip, Bytes(50));
      r.link.say(r.b, r.at_b, Channel::chat, Bytes(500));
      r.link.run(100ms);
    }
    EXPECT_EQ(r.na().sessions.current_path(r.at_a), before_a);
    EXPECT_EQ(r.nb().sessions.current_path(r.at_b), before_b);
    EXPECT_FALSE(r.na().sessions.session_on(relay)) << "not proven: no voice is believed from there";
    EXPECT_FALSE(r.nb().sessions.session_on(relay));
    EXPECT_GT(from_relay, 0U);
    EXPECT_LE(to_relay, from_relay);
    EXPECT_EQ(r.nb().messages.size(), 50U);
    EXPECT_EQ(r.na().messages.size(), 50U);
    EXPECT_TRUE(r.na().downs.empty() && r.nb().downs.empty());
  }
}

// One that can also forge the genuine source: it delivers the checks that come to it as if they came by the old path,
// and catches the responses there. Its path is proven then, yet the old one stays while it answers.
TEST(Paths, ARelayThatForgesSourcesTakesNothingFromAPathThatAnswers) {
  Relayed r;
  r.try_from_a(r.link.direct(r.b));
  ASSERT_TRUE(r.link.run_until([&] { return r.na().changed.size() == 1 && r.nb().changed.size() == 1; }, 1s));
  const auto relay = elsewhere(7);
  r.link.route(r.a, relay, r.b, r.link.direct(r.a));  // what goes to it goes on with the genuine source
  r.link.route(r.b, relay, r.a, r.link.direct(r.b));
  bool inside = false;
  r.link.tap = [&](Wire& wire) {
    if (inside) return false;
    inside = true;
    auto bytes = wire.bytes;
    r.link.node(wire.to).sessions.handle_packet(r.link.now, relay, bytes);
    inside = false;
    return false;
  };
  for (int i = 0; i < 50; ++i) {
    r.link.say(r.a, r.at_a, Channel::sip, Bytes(50));
    r.link.say(r.b, r.at_b, Channel::chat, Bytes(500));
    r.link.run(100ms);
  }
  EXPECT_EQ(r.na().sessions.current_path(r.at_a), r.link.direct(r.b));
  EXPECT_EQ(r.nb().sessions.current_path(r.at_b), r.link.direct(r.a));
  EXPECT_EQ(r.nb().messages.size(), 50U);
  EXPECT_TRUE(r.na().downs.empty() && r.nb().downs.empty());
}

TEST(Paths, FollowANatThatChangesItsMind) {
  for (const bool initiator_moves : {true, false}) {
    TestLink link;
    const auto a = link.add();
    const auto b = link.add();
    const auto id = link.connect(a, b);
    link.run(200ms);
    const auto mover = initiator_moves ? a : b;
    const auto stays = initiator_moves ? b : a;
    const auto session = initiator_moves ? id : link.node(b).ups[0].session;
    const auto other = initiator_moves ? link.node(b).ups[0].session : id;
    // From now on the mover's packets come from a new address, and the old one leads nowhere.
    const auto fresh = elsewhere(9);
    link.route(mover, link.direct(stays), stays, fresh);
    link.route(stays, fresh, mover, link.direct(stays));
    link.route(stays, link.direct(mover), stays, fresh);  // lost: comes back to the sender and opens nothing
    const auto begin = link.now;
    link.say(mover, session, Channel::sip, Bytes(10));
    link.say(stays, other, Channel::sip, Bytes(10));
    ASSERT_TRUE(link.run_until(
        [&] { return link.node(mover).messages.size() == 1 && link.node(stays).messages.size() == 1; }, 2s));
    EXPECT_LE(link.now - begin, Duration(500ms));
    link.run(60s);
    EXPECT_EQ(link.node(stays).sessions.current_path(other), fresh);
    ASSERT_EQ(link.node(stays).lost.size(), 1U);
    EXPECT_EQ(link.node(stays).lost[0].path, link.direct(mover));
    EXPECT_FALSE(link.node(stays).sessions.session_on(link.direct(mover)));
    EXPECT_TRUE(link.node(a).downs.empty() && link.node(b).downs.empty());
  }
}

TEST(Paths, FallBackWhenTheCurrentOneDies) {
  Relayed r;
  const auto circuit = r.link.join(r.a, r.b, PathKind::circuit, 2);
  r.try_from_a(circuit);
  r.try_from_a(r.link.direct(r.b));
  r.link.run(1s);
  ASSERT_EQ(r.na().sessions.current_path(r.at_a), r.link.direct(r.b));
  r.link.cut(r.link.direct(r.b));
  r.link.cut(r.link.direct(r.a));
  const auto begin = r.link.now;
  r.link.say(r.a, r.at_a, Channel::sip, Bytes(10));
  ASSERT_TRUE(r.link.run_until([&] { return r.nb().messages.size() == 1; }, 5s));
  EXPECT_LE(r.link.now - begin, Duration(2s));
  EXPECT_EQ(r.na().sessions.current_path(r.at_a), circuit);
  ASSERT_GE(r.na().lost.size(), 1U);
  EXPECT_EQ(r.na().lost[0].path, r.link.direct(r.b));
  r.link.run(40s);
  EXPECT_EQ(r.nb().sessions.current_path(r.at_b), circuit);
  EXPECT_TRUE(r.na().downs.empty() && r.nb().downs.empty());
}

TEST(Paths, QuietOnesAreKeptAliveAndMissedWhenGone) {
  Relayed r;
  r.try_from_a(r.link.direct(r.b));
  r.link.run(300s);
  EXPECT_EQ(r.na().sessions.proven_paths(r.at_a).size(), 2U);
  r.link.cut(r.forward);
  r.link.run(60s);
  EXPECT_EQ(r.na().sessions.proven_paths(r.at_a).size(), 1U);
  ASSERT_EQ(r.na().lost.size(), 1U);
  EXPECT_EQ(r.na().lost[0].path, r.forward);
  EXPECT_FALSE(r.na().sessions.session_on(r.forward));
  EXPECT_TRUE(r.na().downs.empty());
}

TEST(Paths, DroppingTheCurrentOneMovesToTheNext) {
  Relayed r;
  r.try_from_a(r.link.direct(r.b));
  r.link.run(500ms);
  r.na().sessions.drop_path(r.link.now, r.at_a, r.link.direct(r.b));
  r.link.drain();
  r.link.run(500ms);
  EXPECT_EQ(r.na().sessions.current_path(r.at_a), r.forward);
  EXPECT_EQ(r.nb().sessions.current_path(r.at_b), r.forward);
  // The last one stays.
  r.na().sessions.drop_path(r.link.now, r.at_a, r.forward);
  EXPECT_EQ(r.na().sessions.current_path(r.at_a), r.forward);
}

TEST(Paths, AreBoundedWhateverComes) {
  Relayed r;
  r.link.tap = [&, n = std::uint8_t{0}](Wire& wire) mutable {
    if (wire.to == r.b && wire.path == r.forward) wire.path = elsewhere(n++);
    return false;
  };
  for (int i = 0; i < 200; ++i) {
    r.link.say(r.a, r.at_a, Channel::sip, Bytes(50));
    r.link.run(5ms);
  }
  EXPECT_LT(r.nb().sessions.memory_bytes(), 40'000U);
  r.link.tap = nullptr;
  ASSERT_TRUE(r.link.run_until([&] { return r.nb().messages.size() == 200; }, 20s));
}

TEST(Paths, LoseNothingWhileTheyMoveUnderLoss) {
  Relayed r;
  r.link.loss = 0.2;
  const auto circuit = r.link.join(r.a, r.b, PathKind::circuit, 2);
  for (int i = 0; i < 60; ++i) {
    r.link.say(r.a, r.at_a, Channel::chat, Bytes(3000, static_cast<std::uint8_t>(i)));
    if (i == 10) r.try_from_a(circuit);
    if (i == 30) r.try_from_a(r.link.direct(r.b));
    if (i == 45) r.link.cut(circuit);
    r.link.run(30ms);
  }
  ASSERT_TRUE(r.link.run_until([&] { return r.nb().messages.size() == 60; }, 30s));
  for (int i = 0; i < 60; ++i) EXPECT_EQ(r.nb().messages[static_cast<std::size_t>(i)].bytes[0], i);
}

}  // namespace
}  // namespace linnet::overlay
