#include "nat/turn_peers.h"

#include <algorithm>

#include "nat/stun.h"

namespace linnet::nat::turn {
namespace {

bool looks_like_stun(ByteView d) {
  return d.size() >= stun::kHeaderBytes && d[0] < 4 && d[4] == 0x21 && d[5] == 0x12 && d[6] == 0xa4 && d[7] == 0x42;
}
// The two class bits of the type (RFC 8489, section 5).
stun::Class class_of(ByteView d) { return static_cast<stun::Class>((d[0] & 1) << 1 | (d[1] >> 4 & 1)); }

std::uint32_t part_of_id(ByteView d) {
  std::uint32_t out = 0;
  std::memcpy(&out, d.data() + 8, sizeof out);
  return out;
}

template <class T>
void push(std::vector<T>& to, T value, std::size_t most) {
  if (to.size() == to.capacity()) to.reserve(std::min(most, std::max<std::size_t>(2, 2 * to.size())));
  to.push_back(std::move(value));
}

}  // namespace

bool Permission::may_send(ByteView data) {
  if (answered || !looks_like_stun(data)) return true;
  if (checks == 0) return false;
  --checks;
  if (class_of(data) == stun::Class::request) {
    asked[1] = asked[0];
    asked[0] = part_of_id(data);
  }
  return true;
}

// A peer that checks us gets its answer and a check of ours for each of its own: no more goes to it than comes from it.
void Permission::received(ByteView data) {
  if (answered || !looks_like_stun(data)) return;
  const auto what = class_of(data);
  if (what == stun::Class::request) checks = static_cast<std::uint8_t>(std::min(checks + 2, int{kChecks}));
  const auto id = part_of_id(data);
  const bool ours = id != 0 && (id == asked[0] || id == asked[1]);
  answered = ours && (what == stun::Class::success || what == stun::Class::error);
}

Permission* Peers::permission(Time now, const IpAddress& ip) {
  for (auto& one : permissions_) {
    if (one.ip == ip) return one.until > now ? &one : nullptr;
  }
  return nullptr;
}

bool Peers::room_for(Time now, std::size_t more) {
  if (permissions_.size() + more <= kMaxPermissions) return true;
  std::erase_if(permissions_, [now](const Permission& p) { return p.until <= now; });
  return permissions_.size() + more <= kMaxPermissions;
}

bool Peers::permit(Time now, const IpAddress& ip) {
  const auto known = std::find_if(permissions_.begin(), permissions_.end(), [&](auto& p) { return p.ip == ip; });
  if (known != permissions_.end()) {
    // What it answered stays known, and what it did not answer too: a new permission is no new start.
    known->until = now + kPermissionLife;
    return true;
  }
  if (!room_for(now, 1)) return false;
  Permission fresh;
  fresh.ip = ip;
  fresh.until = now + kPermissionLife;
  push(permissions_, fresh, kMaxPermissions);
  return true;
}

std::size_t Peers::hint_of(const Endpoint& peer) {
  return (peer.port ^ peer.port >> 6 ^ peer.ip.bytes[15] ^ peer.ip.bytes[14]) % kHints;
}

Channel* Peers::find(std::uint16_t number) {
  auto& hint = by_number_[number % kHints];
  if (hint < channels_.size() && channels_[hint].number == number) return &channels_[hint];
  for (std::size_t i = 0; i < channels_.size(); ++i) {
    if (channels_[i].number != number) continue;
    hint = static_cast<std::uint8_t>(i);
    return &channels_[i];
  }
  return nullptr;
}

Channel* Peers::find(const Endpoint& peer) {
  auto& hint = by_peer_[hint_of(peer)];
  const auto is = [&](const Channel& c) { return c.port == peer.port && c.ip == peer.ip; };
  if (hint < channels_.size() && is(channels_[hint])) return &channels_[hint];
  for (std::size_t i = 0; i < channels_.size(); ++i) {
    if (!is(channels_[i])) continue;
    hint = static_cast<std::uint8_t>(i);
    return &channels_[i];
  }
  return nullptr;
}

const Channel* Peers::channel(Time now, std::uint16_t number) {
  const auto* found = find(number);
  return found != nullptr && found->until > now ? found : nullptr;
}

const Channel* Peers::channel_to(Time now, const Endpoint& peer) {
  const auto* found = find(peer);
  return found != nullptr && found->until > now ? found : nullptr;
}

void Peers::forget_channels(Time now) {
  std::erase_if(channels_, [now](const Channel& c) { return c.until <= now; });
}

Peers::Bound Peers::bind(Time now, std::uint16_t number, const Endpoint& peer) {
  forget_channels(now);
  auto* const by_number = find(number);
  if (by_number != find(peer)) return Bound::mismatch;
  if (by_number == nullptr && channels_.size() >= kMaxChannels) return Bound::full;
  if (!permit(now, peer.ip)) return Bound::full;
  if (by_number != nullptr) {
    by_number->until = now + kChannelLife;
  } else {
    push(channels_, Channel{peer.ip, peer.port, number, now + kChannelLife}, kMaxChannels);
  }
  return Bound::yes;
}

}  // namespace linnet::nat::turn
