// Whom a TURN client writes to through its allocation, and whom it hears (RFC 8656, sections 9 to 12).
#include <algorithm>

#include "nat/turn_client.h"

namespace linnet::nat::turn {
namespace {

using stun::Attr;

constexpr Duration kInUse = std::chrono::minutes(4);
constexpr Duration kStillUsed = std::chrono::seconds(30);  // used within it: is not put out of the table
constexpr std::uint16_t kLastOfRfc8656 = 0x4fff;

}  // namespace

// A peer's private addresses mean nothing where the server stands, unless that is a private network too.
bool AllocationClient::reachable(const Endpoint& peer) const {
  if (!given_ || peer.port == 0 || (peer.ip.is_v4() ? !given_->v4 : !given_->v6)) return false;
  if (peer.ip.is_unspecified() || peer.ip.is_multicast() || peer.ip.is_link_local()) return false;
  if (peer.ip.is_loopback()) return server_.ip.is_loopback();
  return peer.ip.is_global() || !server_.ip.is_global();
}

AllocationClient::Permission* AllocationClient::permission(const IpAddress& ip) {
  const auto at =
      std::find_if(permissions_.begin(), permissions_.end(), [&](const Permission& p) { return p.ip == ip; });
  return at == permissions_.end() ? nullptr : &*at;
}

// Null: all of them are in use.
AllocationClient::Permission* AllocationClient::permission_for(Time now, const IpAddress& ip) {
  if (auto* known = permission(ip)) return known;
  if (permissions_.size() >= kMaxPermissions) {
    const auto oldest = std::min_element(permissions_.begin(), permissions_.end(),
                                         [](const Permission& a, const Permission& b) { return a.used < b.used; });
    if (now - oldest->used < kStillUsed) return nullptr;
    permissions_.erase(oldest);
  }
  permissions_.push_back({ip, Stage::idle, kNever, kNever, now});
  return &permissions_.back();
}

AllocationClient::Channel* AllocationClient::channel(const Endpoint& peer) {
  const auto at =
      std::find_if(channels_.begin(), channels_.end(), [&](const Channel& c) { return same_place(c.peer, peer); });
  return at == channels_.end() ? nullptr : &*at;
}

void AllocationClient::send(Time now, const Endpoint& peer, ByteView data) {
  auto* may = state_ == ClientState::ready && reachable(peer) ? permission_for(now, peer.ip) : nullptr;
  if (may == nullptr || may->stage == Stage::refused) {
    ++dropped_;
    return;
  }
  may->used = now;
  if (may->stage == Stage::standing) return transmit_to(now, peer, data);
  if (held_.size() >= kMaxHeld) {
    held_.pop_front();
    ++dropped_;
  }
  held_.push_back({peer, copy(data)});
  if (may->stage != Stage::idle) return;
  may->stage = Stage::asking;
  ask(now, Kind::permission, {peer.ip, 0});
}

void AllocationClient::transmit_to(Time now, const Endpoint& peer, ByteView data) {
  if (out_.size() >= kMaxOut || data.size() > 0xffff - 64) {
    ++dropped_;
    return;
  }
  ++sent_;
  if (!on_stream()) keepalive_ = now + kKeepalive;
  auto* by = channel(peer);
  if (by != nullptr && by->stage == Stage::standing) {
    by->used = now;
    Bytes packet(Room::kBefore);
    append(packet, data);
    packet.resize(packet.size() + Room::kBehind);
    const auto framed = write_channel_data({packet.data() + Room::kBefore, data.size()}, by->number, on_stream());
    out_.push_back(copy(framed));
    return;
  }
  stun::Builder out(stun::Class::indication, stun::Method::send, rng_.array<12>());
  out_.push_back(out.endpoint(Attr::xor_peer_address, peer).bytes(Attr::data, data).take());
}

std::optional<AllocationClient::FromPeer> AllocationClient::on_channel_data(Time now, MutableBytes packet) {
  const auto frame = read_channel_data(packet);
  const auto at = !frame ? channels_.end() : std::find_if(channels_.begin(), channels_.end(), [&](const Channel& c) {
    return c.number == frame->number;
  });
  if (at == channels_.end()) {
    ++dropped_;
    return std::nullopt;
  }
  return hear(now, at->peer, frame->data);
}

std::optional<AllocationClient::FromPeer> AllocationClient::on_indication(Time now, const stun::Message& message,
                                                                          MutableBytes packet) {
  const auto peer = message.endpoint(Attr::xor_peer_address);
  const auto* data = message.attribute(Attr::data);
  if (message.method() != stun::Method::data || !peer || data == nullptr) {
    ++dropped_;
    return std::nullopt;
  }
  return hear(now, *peer, packet.subspan(data->offset, data->length));
}

// Section 11.4: a server that sends on what it was not asked for is not heard.
std::optional<AllocationClient::FromPeer> AllocationClient::hear(Time now, const Endpoint& peer, MutableBytes data) {
  const auto* may = permission(peer.ip);
  if (may == nullptr || may->stage != Stage::standing || !reachable(peer)) {
    ++dropped_;
    return std::nullopt;
  }
  ++heard_;
  count_talk(now, peer);
  return FromPeer{peer, data};
}

void AllocationClient::count_talk(Time now, const Endpoint& peer) {
  auto* one = channel(peer);
  if (one == nullptr) {
    if (channels_.size() >= kMaxChannels) {
      const auto worst = std::min_element(channels_.begin(), channels_.end(), [](const Channel& a, const Channel& b) {
        return std::pair(a.stage != Stage::idle, a.used) < std::pair(b.stage != Stage::idle, b.used);
      });
      if (worst->stage != Stage::idle) return;
      channels_.erase(worst);
    }
    channels_.push_back({peer, 0, Stage::idle, kNever, kNever, now, 0});
    one = &channels_.back();
  }
  one->used = now;
  if (one->stage != Stage::idle || ++one->heard < kTalks) return;
  one->heard = 0;
  // No number is bound again within the time that the server may remember it (section 12): there are 4,096.
  if (one->number == 0) {
    one->number = next_channel_;
    next_channel_ = next_channel_ == kLastOfRfc8656 ? kFirstChannel : static_cast<std::uint16_t>(next_channel_ + 1);
  }
  one->stage = Stage::asking;
  ask(now, Kind::channel, peer, one->number);
}

void AllocationClient::on_permitted(Time now, const IpAddress& ip) {
  auto* one = permission(ip);
  if (one == nullptr) return;
  one->stage = Stage::standing;
  one->until = now + kPermission;
  one->renew = one->until - kBefore;
  for (auto n = held_.size(); n > 0; --n) {
    auto next = held_.take();
    if (next.peer.ip == ip) {
      transmit_to(now, next.peer, next.data);
    } else {
      held_.push_back(std::move(next));
    }
  }
}

void AllocationClient::on_bound(Time now, const Endpoint& peer) {
  auto* one = channel(peer);
  if (one == nullptr) return;
  one->stage = Stage::standing;
  one->until = now + kChannel;
  one->renew = one->until - kBefore;
}

// 403, or something else that is no reason to give up everything: not asked again for as long as a permission lasts. A
// renewal that failed ends what stood.
void AllocationClient::on_peer_refused(Time now, Kind kind, const Endpoint& about) {
  if (kind == Kind::channel) {
    if (auto* one = channel(about)) {
      one->stage = Stage::refused;
      one->until = now + kChannel;
      one->renew = kNever;
    }
    return;
  }
  auto* one = permission(about.ip);
  if (one == nullptr) return;
  one->stage = Stage::refused;
  one->until = now + kPermission;
  one->renew = kNever;
  for (auto n = held_.size(); n > 0; --n) {
    auto next = held_.take();
    if (next.peer.ip != about.ip) {
      held_.push_back(std::move(next));
    } else {
      ++dropped_;
    }
  }
}

// No answer: asked again when there is something to send.
void AllocationClient::forget_peer(Kind kind, const Endpoint& about) {
  if (kind == Kind::channel) {
    std::erase_if(channels_, [&](const Channel& c) { return same_place(c.peer, about); });
  } else {
    std::erase_if(permissions_, [&](const Permission& p) { return p.ip == about.ip; });
  }
}

void AllocationClient::renew_peers(Time now) {
  std::erase_if(permissions_, [&](const Permission& p) { return p.until <= now; });
  std::erase_if(channels_, [&](const Channel& c) { return c.until <= now; });
  for (auto& one : permissions_) {
    if (one.renew > now) continue;
    one.renew = kNever;
    if (now - one.used < kInUse) ask(now, Kind::permission, {one.ip, 0});
  }
  for (auto& one : channels_) {
    if (one.renew > now) continue;
    one.renew = kNever;
    if (now - one.used < kInUse) ask(now, Kind::channel, one.peer, one.number);
  }
}

Time AllocationClient::next_peer_timeout() const {
  Time next = kNever;
  for (const auto& one : permissions_) next = std::min({next, one.until, one.renew});
  for (const auto& one : channels_) next = std::min({next, one.until, one.renew});
  return next;
}

}  // namespace linnet::nat::turn
