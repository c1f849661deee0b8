// Check 11 of the plan: a hundred thousand initiations a second, counted in virtual time, and calls are set up all the
// same.
#include <gtest/gtest.h>

#include "crypto/guard.h"
#include "overlay/forward.h"
#include "overlay/handshake_packet.h"
#include "overlay/hello.h"
#include "tests/overlay/net.h"

namespace linnet::overlay::test {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

// 10,000 sources, each in a /24 of its own.
Endpoint source(std::uint64_t n) {
  const auto i = static_cast<std::uint32_t>(n % 10'000);
  return {IpAddress::v4(0x08000000U + (i << 8) + 1 + static_cast<std::uint32_t>(n / 10'000 % 200)), 1000,
          Transport::udp};
}

struct Flood : testing::Test {
  static constexpr int kCallers = 25;

  void SetUp() override {
    net.start(net.add("s1", Role::supernode));
    net.start(net.add("s2", Role::supernode, {"s1"}));
    net.start(net.add("s3", Role::supernode, {"s1"}));
    net.run(seconds(1));
    net.start(net.add("bob", Role::leaf, {"s1", "s2", "s3"}));
    for (int i = 0; i < kCallers; ++i) net.start(net.add("c" + std::to_string(i), Role::leaf, {"s1", "s2", "s3"}));
    ASSERT_TRUE(net.run_to(
        [&] { return std::all_of(net.nodes().begin(), net.nodes().end(), [](const auto& n) { return online(*n); }); }));
    net.run(seconds(2));
    const auto& bob = net.at("bob");
    homes = look_up(net, net.at("c0"), bob.identity.address)->devices.at(0).body.homes;
    prepare();
  }

  // Message 1 as a stranger would send it, with valid mac1, to this key. Different ones, so that no table takes them
  // for copies.
  std::vector<Bytes> initiations(const crypto::SessionKey& key, std::size_t n) {
    std::vector<Bytes> out;
    SessionsConfig config;
    config.network = crypto::network_id("linnet");
    config.max_sessions = n + 1;
    SeededRng chance(5);
    const auto identity = crypto::make_identity(net.suite, chance, *crypto::Address::parse("m@demo.example"), kWall);
    Sessions stranger(config, net.suite, chance, identity);
    for (std::size_t i = 0; i < n; ++i) {
      (void)stranger.connect(net.now, {key, {Path{PathKind::direct, source(i), 0, false}}, {}, seconds(10)});
      out.push_back(stranger.poll_packet()->bytes);
    }
    return out;
  }
  void prepare() {
    constexpr std::size_t kDifferent = 20'000;
    for (const auto* name : {"s1", "s2", "s3"}) {
      to_supernodes.push_back(initiations(net.at(name).identity.session_key(), kDifferent / 2));
    }
    to_bob = initiations(net.at("bob").identity.session_key(), kDifferent);
    mac1.emplace(net.suite, net.at("bob").identity.session_key());
  }

  // One of a hundred thousand a second: in turn garbage, valid to a supernode, valid to bob through FORWARD, and
  // garbage inside a FORWARD whose own mac1 is good.
  void attack(std::uint64_t n) {
    static constexpr const char* kNames[] = {"s1", "s2", "s3"};
    const auto which = n / 4 % 3;
    auto& supernode = net.at(kNames[which]);
    const auto round = n / 12;
    Bytes packet;
    if (n % 4 == 0) {
      packet.resize(kMessage1Bytes);
      rng.fill(packet);
      packet[0] = kMessage1;
      packet[1] = 0;
    } else if (n % 4 == 1) {
      packet = to_supernodes[which][round % to_supernodes[which].size()];
    } else {
      const auto home =
          std::find_if(homes.begin(), homes.end(), [&](const auto& h) { return h.endpoint == supernode.endpoint; });
      Bytes inner = to_bob[n / 4 % to_bob.size()];
      if (n % 4 == 3) inner[100] ^= 1;
      packet = write_to_leaf(*mac1, home == homes.end() ? 1 : home->tag, rng.u64(), inner);
    }
    supernode.peer->handle_datagram(net.now, Datagram{source(n), packet});
    net.drain(supernode);
  }

  // Floods for so long, doing the rest of the world's work in between.
  void flood(Duration span, const std::function<void()>& between) {
    constexpr auto kStep = milliseconds(1);
    for (const auto until = net.now + span; net.now < until;) {
      for (int i = 0; i < 100; ++i) attack(sent++);
      net.run(kStep);
      between();
    }
  }
  std::size_t memory() {
    std::size_t out = 0;
    for (const auto* name : {"s1", "s2", "s3", "bob"}) out += net.at(name).peer->memory_bytes();
    return out;
  }

  Net net{1, crypto::typed_suite()};
  SeededRng rng{3};
  std::vector<dht::Home> homes;
  std::vector<std::vector<Bytes>> to_supernodes;
  std::vector<Bytes> to_bob;
  std::optional<crypto::Mac1> mac1;
  std::uint64_t sent = 0;
};

TEST_F(Flood, OfInitiationsLeavesCallsBeAndMemoryBounded) {
  flood(milliseconds(500), [] {});
  const auto before = memory();
  struct Call {
    std::string caller;
    FindId find{};
    std::optional<SessionId> link;
    bool up = false;
  };
  std::vector<Call> calls;
  int started = 0;
  const auto begin = net.now;
  std::size_t most = before;
  flood(seconds(4), [&] {
    if (started < kCallers && net.now - begin >= milliseconds(60) * started) {
      auto& caller = net.at("c" + std::to_string(started++));
      const auto find = caller.peer->find(net.now, net.at("bob").identity.address, std::nullopt, true);
      ASSERT_TRUE(find);
      net.drain(caller);
      calls.push_back({caller.name, *find, std::nullopt});
    }
    for (auto& call : calls) {
      auto& caller = net.at(call.caller);
      if (!call.link) {
        for (const auto& found : caller.all<Found>()) {
          if (found.find != call.find || found.devices.empty()) continue;
          const auto link = caller.peer->connect(net.now, found.address, found.devices[0], true);
          if (link) call.link = *link;
          net.drain(caller);
        }
      } else if (!call.up) {
        for (const auto& up : caller.all<LinkUp>()) call.up = call.up || up.link == *call.link;
      }
    }
    most = std::max(most, memory());
  });
  const auto up = std::count_if(calls.begin(), calls.end(), [](const Call& c) { return c.up; });
  EXPECT_EQ(calls.size(), static_cast<std::size_t>(kCallers));
  EXPECT_GE(up, kCallers);  // 99 % of 25 is all of them
  EXPECT_LE(most - before, 16U * 1024 * 1024);
  EXPECT_GE(sent, 450'000U);
  RecordProperty("up", static_cast<int>(up));
  RecordProperty("kilobytes", static_cast<int>((most - before) / 1024));
  // The leaves that were there are there.
  for (const auto& n : net.nodes()) EXPECT_TRUE(online(*n)) << n->name;
}

// Supernodes ask it for a cookie then; what it begins with is a bare address, and nobody knows it.
TEST_F(Flood, LetsALeafJoinAndBeFound) {
  flood(milliseconds(500), [] {});
  auto& late = net.add("late", Role::leaf, {"s1"});
  net.start(late);
  std::optional<Time> since;
  const auto begin = net.now;
  flood(seconds(4), [&] {
    if (!since && online(late)) since = net.now;
  });
  ASSERT_TRUE(since);
  EXPECT_LE(*since - begin, seconds(2));
  EXPECT_EQ(attached(late), 3U);
  const auto found = look_up(net, net.at("bob"), late.identity.address);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->devices.size(), 1U);
}

}  // namespace
}  // namespace linnet::overlay::test
