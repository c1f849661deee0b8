// A leaf remembers a few supernodes near its place: those of one network do not push out all others.
#include <gtest/gtest.h>

#include <algorithm>

#include "dht/place.h"
#include "overlay/attach.h"
#include "tests/overlay/net.h"

namespace linnet::overlay::test {
namespace {

TEST(Attach, ManyOfOneNetworkDoNotPushOutThoseOfOthers) {
  Net net;
  auto& node = net.add("s1", Role::supernode);
  SessionsConfig config;
  config.network = node.config.network;
  Sessions sessions(config, net.suite, *node.rng, node.identity);
  const Context c{net.now, kWall, node.config, net.suite, *node.rng, node.identity, sessions};
  const auto at = [&](const IpAddress& ip) {
    const auto id = crypto::make_identity(net.suite, *node.rng, crypto::Address(), kWall);
    dht::Contact out;
    out.endpoint = {ip, 4400, Transport::udp};
    out.device = id.device_key();
    out.session = id.session_key();
    out.signature = crypto::sign_session_key(net.suite, id.device, node.config.network, out.session);
    out.position = dht::position(ip, out.device);
    return out;
  };
  // Of 40 networks the one whose place is nearest ours has 60 supernodes, each of the others one.
  const auto target = dht::id_of(crypto::user_key(node.identity.address));
  std::vector<dht::Contact> others;
  for (std::uint8_t i = 0; i < 40; ++i) others.push_back(at(IpAddress::v4(9, i, 7, 1)));
  std::sort(others.begin(), others.end(),
            [&](const auto& a, const auto& b) { return dht::nearer(target, a.position, b.position); });
  auto ip = others[0].endpoint.ip;
  std::vector<dht::Contact> told(others.begin() + 1, others.begin() + 6);
  for (ip.bytes[15] = 1; ip.bytes[15] <= 60; ++ip.bytes[15]) told.push_back(at(ip));
  Attachments attachments;
  attachments.learn(c, told, IpAddress::v4(8, 8, 8, 8));
  EXPECT_EQ(attachments.known().size(), Attachments::kKnown);
  const auto known = [&](const dht::Contact& k) {
    const auto& all = attachments.known();
    return std::find(all.begin(), all.end(), k) != all.end();
  };
  for (std::size_t i = 1; i < 6; ++i) EXPECT_TRUE(known(others[i])) << i;
  // As more are told they make room, but for two.
  attachments.learn(c, {others.begin() + 6, others.end()}, IpAddress::v4(8, 8, 8, 8));
  const auto& all = attachments.known();
  EXPECT_EQ(all.size(), Attachments::kKnown);
  EXPECT_EQ(std::count_if(all.begin(), all.end(),
                          [&](const auto& k) { return dht::one_place(k.position, others[0].position); }),
            2);
}

}  // namespace
}  // namespace linnet::overlay::test
