// Permissions and channels beside a naive twin: a list that is searched from the start and never forgets by itself.
#include "nat/turn_peers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "base/rng.h"

namespace linnet::nat::turn {
namespace {

struct Twin {
  std::map<IpAddress, Time> permissions;
  std::map<std::uint16_t, std::pair<Endpoint, Time>> channels;

  bool permitted(Time now, const IpAddress& ip) const {
    const auto found = permissions.find(ip);
    return found != permissions.end() && found->second > now;
  }
  bool permit(Time now, const IpAddress& ip) {
    // An ended one keeps its place until room is needed.
    if (!permissions.contains(ip) && permissions.size() == Peers::kMaxPermissions)
      std::erase_if(permissions, [now](const auto& p) { return p.second <= now; });
    if (!permissions.contains(ip) && permissions.size() == Peers::kMaxPermissions) return false;
    permissions[ip] = now + kPermissionLife;
    return true;
  }
  std::optional<std::uint16_t> to(Time now, const Endpoint& peer) const {
    for (const auto& [number, bound] : channels)
      if (bound.first == peer && bound.second > now) return number;
    return std::nullopt;
  }
  Peers::Bound bind(Time now, std::uint16_t number, const Endpoint& peer) {
    std::erase_if(channels, [now](const auto& c) { return c.second.second <= now; });
    const auto at = channels.find(number);
    const auto other = to(now, peer);
    const bool same = at != channels.end() && at->second.first == peer;
    if (!same && (at != channels.end() || other)) return Peers::Bound::mismatch;
    if (!same && channels.size() == Peers::kMaxChannels) return Peers::Bound::full;
    if (!permit(now, peer.ip)) return Peers::Bound::full;
    channels[number] = {peer, now + kChannelLife};
    return Peers::Bound::yes;
  }
};

TEST(TurnPeers, DecideAsTheNaiveTwinDoesForFortyHistories) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SeededRng rng(seed);
    Peers peers;
    Twin twin;
    Time now{std::chrono::seconds(1)};
    const auto variety = 4 + rng.below(60);  // few peers meet often, many fill the tables
    for (int step = 0; step < 3000; ++step) {
      const Endpoint peer{IpAddress::v4(198, 51, 100, static_cast<std::uint8_t>(rng.below(variety))),
                          static_cast<std::uint16_t>(1 + rng.below(3))};
      const auto number = static_cast<std::uint16_t>(0x4000 + rng.below(2 * variety));
      now += std::chrono::milliseconds(rng.below(20'000));
      switch (rng.below(4)) {
        case 0: ASSERT_EQ(peers.permit(now, peer.ip), twin.permit(now, peer.ip)) << seed << ' ' << step; break;
        case 1: ASSERT_EQ(peers.bind(now, number, peer), twin.bind(now, number, peer)) << seed << ' ' << step; break;
        default: break;
      }
      ASSERT_EQ(peers.permission(now, peer.ip) != nullptr, twin.permitted(now, peer.ip)) << seed << ' ' << step;
      const auto* to = peers.channel_to(now, peer);
      const auto expected = twin.to(now, peer);
      ASSERT_EQ(to != nullptr, expected.has_value()) << seed << ' ' << step;
      if (to != nullptr) {
        ASSERT_EQ(to->number, *expected);
      }
      const auto* channel = peers.channel(now, number);
      const auto at = twin.channels.find(number);
      ASSERT_EQ(channel != nullptr, at != twin.channels.end() && at->second.second > now) << seed << ' ' << step;
      if (channel != nullptr) {
        ASSERT_EQ(channel->peer(), at->second.first);
      }
    }
    ASSERT_LE(peers.memory_bytes(), 4096U - 512U);
  }
}

}  // namespace
}  // namespace linnet::nat::turn
