// A supernode behind a router that opened it a port (protocol.md sections 2 and 6).
#include <gtest/gtest.h>

#include "tests/overlay/net.h"

namespace linnet::overlay::test {
namespace {

using namespace std::chrono_literals;

const Endpoint kOutside{IpAddress::v4(44, 7, 7, 7), 31'000, Transport::udp};

// Two supernodes at global addresses, and one that listens at 192.168.1.11 and is seen at its router's port.
Node& world(Net& net) {
  const auto at = [&](const char* name, const char* place, const std::vector<std::string>& others) -> Node& {
    auto& node = net.add(name, Role::supernode, others);
    net.move(node, *Endpoint::parse(place));
    node.config.listen = {node.endpoint};
    net.start(node);
    net.run(1s);
    return node;
  };
  at("s1", "44.1.1.1:4400", {});
  at("s2", "44.2.2.2:4400", {"s1"});
  auto& inside = net.add("inside", Role::supernode, {"s1"});
  net.move(inside, kOutside);  // where it is seen; it listens elsewhere
  inside.config.listen = {*Endpoint::parse("192.168.1.11:4400")};
  net.start(inside);
  net.run(5s);
  return inside;
}

bool known_to(const Node& who, const Node& whom, const Endpoint& at) {
  const auto all = who.peer->dht()->nearest(whom.peer->dht()->self().position, 16);
  return std::any_of(all.begin(), all.end(),
                     [&](const dht::Contact& c) { return c.device == whom.identity.device_key() && c.endpoint == at; });
}

TEST(SupernodeBehindARouter, IsNotToldOfBeforeItsPortIsProven) {
  Net net;
  auto& inside = world(net);
  EXPECT_EQ(inside.peer->place()->to_string(), "192.168.1.11:4400");
  EXPECT_FALSE(known_to(net.at("s1"), inside, kOutside));
}

TEST(SupernodeBehindARouter, IsKnownByThePortOnceItIsProvenAndStandsWhereItsAddressPutsIt) {
  Net net;
  auto& inside = world(net);
  inside.peer->set_outside(net.now, kOutside);
  net.drain(inside);
  EXPECT_EQ(inside.peer->place(), kOutside);
  EXPECT_NE(inside.last<PlaceChanged>(), nullptr);
  EXPECT_EQ(inside.peer->dht()->self().position, dht::position(kOutside.ip, inside.identity.device_key()));
  EXPECT_TRUE(net.run_to([&] { return known_to(net.at("s1"), inside, kOutside); }));
  EXPECT_TRUE(net.run_to([&] { return known_to(net.at("s2"), inside, kOutside); }, 30s));
}

TEST(SupernodeBehindARouter, ServesLeavesThere) {
  Net net;
  auto& inside = world(net);
  inside.peer->set_outside(net.now, kOutside);
  net.drain(inside);
  ASSERT_TRUE(net.run_to([&] { return known_to(net.at("s1"), inside, kOutside); }));
  auto& alice = net.add("alice", Role::leaf, {"s1"});
  net.start(alice);
  ASSERT_TRUE(net.run_to([&] { return inside.peer->leaf_count() > 0; }, 60s));
  ASSERT_TRUE(net.run_to([&] { return online(alice); }));
}

TEST(SupernodeBehindARouter, ItsPersonIsFoundAtThePort) {
  Net net;
  auto& inside = world(net);
  inside.peer->set_outside(net.now, kOutside);
  net.drain(inside);
  auto& alice = net.add("alice", Role::leaf, {"s1", "s2"});
  net.start(alice);
  ASSERT_TRUE(net.run_to([&] { return online(alice); }));
  const auto named = [&] {
    const auto found = look_up(net, alice, inside.identity.address);
    return found && !found->devices.empty() && found->devices[0].body.homes.at(0).endpoint == kOutside;
  };
  net.run(20s);
  EXPECT_TRUE(named());
}

TEST(SupernodeBehindARouter, FollowsAnotherPortAndTheLossOfIt) {
  Net net;
  auto& inside = world(net);
  inside.peer->set_outside(net.now, kOutside);
  auto other = kOutside;
  other.port = 32'000;
  inside.peer->set_outside(net.now, other);
  EXPECT_EQ(inside.peer->place(), other);
  inside.peer->set_outside(net.now, std::nullopt);
  EXPECT_EQ(inside.peer->place()->to_string(), "192.168.1.11:4400");
  net.drain(inside);
  EXPECT_EQ(inside.all<PlaceChanged>().size(), 3U);
}

TEST(SupernodeBehindARouter, OneWithAGlobalAddressOfItsOwnKeepsIt) {
  Net net;
  world(net);
  auto& s1 = net.at("s1");
  s1.peer->set_outside(net.now, kOutside);
  EXPECT_EQ(s1.peer->place(), s1.endpoint);
}

TEST(SupernodeBehindARouter, ALeafOfItsOwnNetworkLearnsWhereOthersFindIt) {
  Net net;
  auto& inside = net.add("inside", Role::supernode);
  net.start(inside);  // at 10.0.1.1
  auto& near = net.add("near", Role::leaf, {"inside"});
  net.start(near);
  ASSERT_TRUE(net.run_to([&] { return online(near); }));
  inside.peer->set_outside(net.now, kOutside);
  net.drain(inside);
  const auto told = [&] {
    const auto all = near.peer->supernodes();
    return std::any_of(all.begin(), all.end(), [](const SupernodeInfo& s) { return same_place(s.endpoint, kOutside); });
  };
  EXPECT_TRUE(net.run_to(told, 3min)) << "its record is to name a home that others reach";
}

}  // namespace
}  // namespace linnet::overlay::test
