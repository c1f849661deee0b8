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

}  // namespace
}  // namespace linnet::overlay::test
