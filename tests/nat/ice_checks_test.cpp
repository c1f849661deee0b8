// Checks that wait for their answers are few, and none is forgotten.
#include <gtest/gtest.h>

#include <deque>

#include "nat/ice_agent.h"

namespace linnet::nat::ice {
namespace {

using namespace std::chrono_literals;

Endpoint host(Base base) { return {IpAddress::v4(10, 0, 0, static_cast<std::uint8_t>(base + 1)), 4400}; }

// One agent with eight sockets; a peer at any address answers after two seconds while it wants to.
struct ManyPairs {
  ManyPairs() {
    EXPECT_TRUE(agent.set_remote(now, theirs));
    for (Base base = 0; base < 8; ++base) agent.add_host(now, base, host(base));
  }
  void name(int n) {
    const Endpoint at{IpAddress::v4(192, 0, 2, static_cast<std::uint8_t>(n)), 4400};
    (void)agent.add_remote(now, {Type::host, at, {}, 0, 0, 1000U + static_cast<std::uint32_t>(n), std::to_string(n)});
  }
  void run_for(Duration time) {
    for (const auto end = now + time; now < end; now += 50ms) {
      agent.handle_timeout(now);
      while (auto out = agent.poll_transmit()) {
        const auto m = *stun::Message::parse(out->bytes);
        if (!silent && m.message_class() == stun::Class::request) wire.emplace_back(now + 2s, std::move(*out));
      }
      for (; !wire.empty() && wire.front().first <= now; wire.pop_front()) {
        const auto& asked = wire.front().second;
        const auto bytes = write_success(*stun::Message::parse(asked.bytes), host(asked.base), theirs);
        agent.handle(now, asked.base, asked.to, *stun::Message::parse(bytes));
      }
    }
  }

  SeededRng rng{1};
  Time now{1h};
  Agent agent{AgentConfig{}, rng};
  Credentials theirs = make_credentials(rng);
  std::deque<std::pair<Time, Outgoing>> wire;
  bool silent = false;
};

TEST(IceChecks, WhatMakesRoomForANewerOneGivesItsPairBack) {
  ManyPairs all;
  for (int n = 1; n <= 12; ++n) all.name(n);
  all.run_for(8s);
  ASSERT_EQ(all.agent.pairs().count(State::succeeded), 96U);
  const auto bytes =
      write_check(all.rng.array<12>(), {Role::controlling, 5, 1, true}, all.theirs, all.agent.credentials());
  all.agent.handle(all.now, 0, {IpAddress::v4(192, 0, 2, 1), 4400}, *stun::Message::parse(bytes));
  ASSERT_TRUE(all.agent.selected());
  all.silent = true;
  all.wire.clear();
  for (int i = 0; i < 4; ++i) {
    all.agent.suspect(all.now);
    all.run_for(4s);
    if (i == 1) all.name(13);
    all.run_for(2500ms);
  }
  all.run_for(5min);
  EXPECT_EQ(all.agent.pairs().count(State::in_progress), 0U);
  EXPECT_EQ(all.agent.pairs().count(State::failed), all.agent.pairs().pairs().size());
}

}  // namespace
}  // namespace linnet::nat::ice
