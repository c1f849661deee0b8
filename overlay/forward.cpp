#include "overlay/forward.h"

#include <algorithm>

namespace linnet::overlay {
namespace {

bool session_packet(ByteView inner) { return !inner.empty() && inner[0] >= 4 && inner[0] <= 8; }

bool frames(ByteView inner) { return !inner.empty() && inner[0] == 8; }

// Checks of the way from end to end (docs/protocol/traversal.md).
bool stun(ByteView inner) { return !inner.empty() && inner[0] <= 3; }

Result<ForwardPacket> read_to_leaf(MutableBytes packet) {
  if (packet.size() < kToLeafHeader) return fail(Fault::truncated);
  Reader in(packet.subspan(2));
  ToLeaf out;
  out.mac1 = in.array<16>();
  out.tag = in.u64();
  out.token = in.u64();
  out.covered = packet.subspan(18);
  out.inner = packet.subspan(kToLeafHeader);
  if (!session_packet(out.inner)) return fail(Fault::malformed);
  return out;
}

Result<ForwardPacket> read_tagged(ForwardKind kind, MutableBytes packet) {
  if (packet.size() < kTaggedHeader) return fail(Fault::truncated);
  Reader in(packet.subspan(2));
  Tagged out{kind, in.u64(), packet.subspan(kTaggedHeader)};
  if (!session_packet(out.inner)) return fail(Fault::malformed);
  return out;
}

}  // namespace

Result<Tagged> read_circuit(MutableBytes packet) {
  if (packet.size() < kCircuitHeader || packet[0] != kForwardType) return fail(Fault::truncated);
  if (packet[1] != static_cast<std::uint8_t>(ForwardKind::circuit)) return fail(Fault::unsupported);
  Reader in(packet.subspan(2));
  const std::uint64_t high = in.u16();
  Tagged out{ForwardKind::circuit, high << 32 | in.u32(), packet.subspan(kCircuitHeader)};
  if (!frames(out.inner) && !voice_packet(out.inner) && !stun(out.inner)) return fail(Fault::malformed);
  return out;
}

Result<ForwardPacket> read_forward(MutableBytes packet) {
  if (packet.size() < 2 || packet[0] != kForwardType) return fail(Fault::truncated);
  switch (const auto kind = static_cast<ForwardKind>(packet[1])) {
    case ForwardKind::to_leaf: return read_to_leaf(packet);
    case ForwardKind::down:
    case ForwardKind::up:
    case ForwardKind::back: return read_tagged(kind, packet);
    case ForwardKind::circuit: {
      const auto circuit = read_circuit(packet);
      return circuit ? Result<ForwardPacket>(*circuit) : fail(circuit.error());
    }
  }
  return fail(Fault::unsupported);
}

Bytes write_to_leaf(const crypto::Mac1& mac1, std::uint64_t tag, std::uint64_t token, ByteView inner) {
  Writer out(kToLeafHeader + inner.size());
  out.u8(kForwardType).u8(static_cast<std::uint8_t>(ForwardKind::to_leaf)).zeros(16).u64(tag).u64(token).bytes(inner);
  auto bytes = out.take();
  const auto mac = mac1.compute(ByteView(bytes).subspan(18));
  std::copy(mac.begin(), mac.end(), bytes.begin() + 2);
  return bytes;
}

Bytes write_tagged(ForwardKind kind, std::uint64_t id, ByteView inner) {
  Writer out(kTaggedHeader + inner.size());
  out.u8(kForwardType).u8(static_cast<std::uint8_t>(kind));
  if (kind == ForwardKind::circuit) {
    out.u16(static_cast<std::uint16_t>(id >> 32)).u32(static_cast<std::uint32_t>(id));
  } else {
    out.u64(id);
  }
  out.bytes(inner);
  return out.take();
}

bool SourceTable::make_room(Time now, const IpAddress& newcomer) {
  std::erase_if(sources_, [&](const Source& s) { return now - s.heard > kIdle; });
  const auto neighbour = [&](const Source& s) { return s.endpoint.ip.prefix() == newcomer.prefix(); };
  const auto neighbours = static_cast<std::size_t>(std::count_if(sources_.begin(), sources_.end(), neighbour));
  const bool crowded = neighbours >= kPerPrefix;
  if (!crowded && sources_.size() < kCapacity) return true;
  auto out = sources_.end();
  for (auto it = sources_.begin(); it != sources_.end(); ++it) {
    if ((crowded && !neighbour(*it)) || (it->stays && now - it->heard < kQuiet)) continue;
    if (out == sources_.end() || it->heard < out->heard) out = it;
  }
  if (out == sources_.end()) return false;
  sources_.erase(out);
  return true;
}

bool SourceTable::knows(const Endpoint& source, std::uint64_t token) const {
  return std::any_of(sources_.begin(), sources_.end(),
                     [&](const Source& s) { return s.token == token && s.endpoint == source; });
}

bool SourceTable::stranger(Time now) {
  const auto elapsed = static_cast<double>(micros(now - strangers_at_)) / 1e6;
  strangers_at_ = now;
  strangers_ = static_cast<float>(std::min(2 * kStrangersPerSecond, strangers_ + elapsed * kStrangersPerSecond));
  if (strangers_ < 1) return false;
  strangers_ -= 1;
  return true;
}

std::uint64_t SourceTable::tag_for(Time now, Rng& rng, const Endpoint& source, std::uint64_t token,
                                   std::size_t received, std::uint8_t type, bool proven) {
  constexpr std::uint8_t kMessage3 = 6;
  for (auto& s : sources_) {
    if (s.token != token || s.endpoint != source) continue;
    s.heard = now;
    s.received += received;
    s.proven = s.proven || proven;
    s.stays = s.stays || (s.sent > 0 && (type == kMessage3 || type == 8));
    return s.tag;
  }
  if (!make_room(now, source.ip)) return 0;
  const std::uint64_t tag = rng.u64() | 1;  // never 0
  sources_.push_back({tag, token, source, now, received, 0, false, proven});
  return tag;
}

Result<SourceTable::Target> SourceTable::answer(Time now, std::uint64_t tag, std::size_t bytes) {
  const auto it = std::find_if(sources_.begin(), sources_.end(), [&](const Source& s) { return s.tag == tag; });
  if (it == sources_.end() || now - it->heard > kIdle) return fail(Fault::not_found);
  if (it->sent + bytes > (it->proven ? kAmplification : 1) * it->received) return fail(Fault::refused);
  it->sent += bytes;
  return Target{it->endpoint, it->token};
}

}  // namespace linnet::overlay
