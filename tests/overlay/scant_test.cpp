// What a call on a scant line still asks, and what voice is taken from where.
#include <gtest/gtest.h>

#include <array>

#include "tests/overlay/net.h"

namespace linnet::overlay::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Voice both ways by a circuit; each end asks as a call does that hears nothing (node/voice_guard.h).
struct ScantCall : ::testing::Test {
  struct End {
    Node* node = nullptr;
    SessionId link{};
    std::size_t heard = 0;
    Time last{}, asked = Time::min();
    Duration silence{};
  };

  void SetUp() override {
    small_world(net);
    ASSERT_TRUE(net.run_to([&] { return online(net.at("alice")) && online(net.at("bob")); }));
    net.run(seconds(3));
    const auto pair = link_up(net, net.at("alice"), net.at("bob"));
    ASSERT_TRUE(pair.up);
    ends = {End{&net.at("alice"), pair.a}, End{&net.at("bob"), pair.b}};
    const auto by_circuit = [](const End& end) {
      const auto path = end.node->peer->path(end.link);
      return path && path->kind == PathKind::circuit;
    };
    ASSERT_TRUE(net.run_to([&] { return by_circuit(ends[0]) && by_circuit(ends[1]); }));
    net.run(seconds(3));
    for (auto& end : ends) {
      end.node->peer->keep(net.now, end.link, true);
      end.node->peer->set_room(net.now, end.link, Room::scant);
      end.last = net.now;
    }
  }
  void talk(Duration length) {
    for (const Time until = net.now + length; net.now < until;) {
      for (auto& end : ends) {
        end.node->peer->send_voice(net.now, end.link, Bytes(80, 0x80));
        net.drain(*end.node);
      }
      net.run(milliseconds(20));
      for (auto& end : ends) listen(end);
    }
  }
  void listen(End& end) {
    if (const auto n = end.node->all<LinkVoice>().size(); n > end.heard) {
      end.heard = n;
      end.last = net.now;
    }
    const auto silent = net.now - end.last;
    end.silence = std::max(end.silence, silent);
    if (silent < milliseconds(1200) || silent > seconds(3) || net.now < end.asked + seconds(1)) return;
    end.asked = net.now;
    end.node->peer->ask_both(net.now, end.link, milliseconds(2500), true);
    net.drain(*end.node);
  }
  void forget_nat(End& end) {
    auto to = end.node->endpoint;
    to.port ^= 0x40;
    net.move(*end.node, to);
  }

  Net net{1};
  std::array<End, 2> ends;
};

TEST_F(ScantCall, HasItsVoiceBackSoonWhenTheCallersNatForgets) {
  talk(seconds(4));
  forget_nat(ends[0]);
  talk(seconds(20));
  for (const auto& end : ends) EXPECT_LT(end.silence, seconds(3));
}

TEST_F(ScantCall, HasItsVoiceBackSoonWhenTheCalledEndsNatForgets) {
  talk(seconds(4));
  forget_nat(ends[1]);
  talk(seconds(20));
  for (const auto& end : ends) EXPECT_LT(end.silence, seconds(3));
}

// alice's frames reach bob straight, and his answers are lost: he has heard her there, and proven nothing.
struct HalfOpenCall : ScantCall {
  void SetUp() override {
    ScantCall::SetUp();
    net.block = [this](const Endpoint& from, const Endpoint& to) {
      return from == bob().endpoint && to == alice().endpoint;
    };
    net.seen = [this](const Endpoint& from, const Endpoint& to, ByteView bytes) {
      if (from == alice().endpoint && to == bob().endpoint) of_alice = copy(bytes);
    };
    open_direct(net, alice(), ends[0].link, bob(), ends[1].link);
    net.run(milliseconds(20));
    ASSERT_EQ(bob().peer->path(ends[1].link)->kind, PathKind::circuit);
    net.seen = nullptr;
  }
  Node& alice() { return *ends[0].node; }
  Node& bob() { return *ends[1].node; }
  Bytes of_alice;  // the last one
  // What bob's peer takes for his link's voice.
  std::size_t heard_from(const Endpoint& from, const Bytes& bytes = Bytes(80, 0x80)) {
    const auto before = bob().all<LinkVoice>().size();
    net.send(from, bob().endpoint, bytes);
    net.run(milliseconds(5));
    return bob().all<LinkVoice>().size() - before;
  }
};

TEST_F(HalfOpenCall, VoiceIsTakenFromWhereThePeersFramesCameAndFromNobodyElse) {
  ASSERT_EQ(heard_from(alice().endpoint), 1U);
  const auto* voice = bob().last<LinkVoice>();
  EXPECT_EQ(voice->link, ends[1].link);
  EXPECT_EQ(voice->by, (Path{PathKind::direct, alice().endpoint, 0, false}));

  auto beside = alice().endpoint;
  beside.port ^= 1;
  const Endpoint stranger{IpAddress::v4(203, 0, 113, 5), 4400, Transport::udp};
  for (const auto& from : {beside, stranger}) EXPECT_EQ(heard_from(from), 0U) << from.to_string();
  EXPECT_EQ(net.to_nobody, 0U) << "nobody is answered";

  bob().peer->keep(net.now, ends[1].link, false);
  EXPECT_EQ(heard_from(alice().endpoint), 0U) << "there is no call any more";
}

TEST_F(HalfOpenCall, WhatStrangersSendMakesNoAddressOneOfThePeers) {
  ASSERT_FALSE(of_alice.empty());
  const Endpoint stranger{IpAddress::v4(203, 0, 113, 5), 4400, Transport::udp};
  SeededRng rng(5);
  for (int first = 0; first < 256; ++first) {
    Bytes junk(60);
    rng.fill(junk);
    junk[0] = static_cast<std::uint8_t>(first);
    net.send(stranger, bob().endpoint, junk);
  }
  net.send(stranger, bob().endpoint, of_alice);  // heard already
  for (std::size_t bit = 0; bit < of_alice.size() * 8; bit += 7) {
    auto changed = of_alice;
    changed[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    net.send(stranger, bob().endpoint, changed);
  }
  net.run(milliseconds(5));
  EXPECT_EQ(heard_from(stranger), 0U);
  EXPECT_EQ(net.to_nobody, 0U);
  EXPECT_TRUE(bob().all<LinkDown>().empty());
}

// Else whoever passed on one packet could keep a way that died in use.
TEST_F(HalfOpenCall, VoiceByAPathThatIsNotProvenHidesNoSilence) {
  alice().peer->send_voice(net.now, ends[0].link, Bytes(80, 0x80));  // by the circuit
  net.drain(alice());
  net.run(milliseconds(20));
  ASSERT_FALSE(bob().all<LinkVoice>().empty());
  std::size_t heard = 0;
  for (const Time until = net.now + seconds(3); net.now < until;) {
    bob().peer->send_voice(net.now, ends[1].link, Bytes(80, 0x80));
    net.drain(bob());
    heard += heard_from(alice().endpoint);
    net.run(milliseconds(15));
  }
  EXPECT_GT(heard, 0U);
  EXPECT_FALSE(bob().all<LinkSilent>().empty());
}

}  // namespace
}  // namespace linnet::overlay::test
