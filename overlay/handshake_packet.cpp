#include "overlay/handshake_packet.h"

#include <algorithm>

namespace linnet::overlay {

namespace {

constexpr std::size_t kHead1 = 6;
constexpr std::size_t kHead23 = 10;
constexpr std::size_t kKey = 32;

std::size_t message1_overhead(Pattern pattern) {
  // XK seals the payload; XX does not, unless the psk of a later message makes e a key already (Noise, section 9.2).
  const std::size_t tag = pattern == Pattern::xx ? 0 : crypto::kTagBytes;
  return kHead1 + kKey + tag + kMacsBytes;
}

crypto::Secret cookie_key(ByteView responder_key, const crypto::Mac& mac1, ByteView nonce) {
  return crypto::Secret(crypto::hash256({view("linnet-1 cookie"), responder_key, mac1, nonce}).bytes);
}

}  // namespace

std::string_view noise_name(Pattern pattern) {
  switch (pattern) {
    case Pattern::xk: return "XK";
    case Pattern::xx: return "XX";
    case Pattern::xk_psk3: return "XKpsk3";
    case Pattern::xx_psk3: return "XXpsk3";
  }
  return {};
}

bool knows_responder(Pattern pattern) { return pattern == Pattern::xk || pattern == Pattern::xk_psk3; }

Pattern pattern_for(bool remote_known, bool psk) {
  if (psk) return remote_known ? Pattern::xk_psk3 : Pattern::xx_psk3;
  return remote_known ? Pattern::xk : Pattern::xx;
}

Result<HandshakePacket> read_handshake(ByteView packet) {
  if (packet.size() > kMaxInner) return fail(Fault::too_big);
  Reader in(packet);
  HandshakePacket out;
  out.type = in.u8();
  const auto pattern = in.u8();
  out.sender = in.u32();
  if (out.type != kMessage1) out.receiver = in.u32();
  if (!in.ok() || in.remaining() < kKey + kMacsBytes) return fail(Fault::truncated);
  if (out.type < kMessage1 || out.type > kMessage3) return fail(Fault::malformed);
  if (pattern > static_cast<std::uint8_t>(Pattern::xx_psk3)) return fail(Fault::unsupported);
  out.pattern = static_cast<Pattern>(pattern);
  if (out.type == kMessage1 && packet.size() != kMessage1Bytes) return fail(Fault::malformed);
  out.noise = in.bytes(in.remaining() - kMacsBytes);
  out.mac1 = in.array<16>();
  out.mac2 = in.array<16>();
  out.under_mac1 = packet.first(packet.size() - kMacsBytes);
  out.under_mac2 = packet.first(packet.size() - 16);
  return out;
}

Bytes start_handshake(std::uint8_t type, Pattern pattern, std::uint32_t sender, std::uint32_t receiver) {
  Writer out(kMessage1Bytes);
  out.u8(type).u8(static_cast<std::uint8_t>(pattern)).u32(sender);
  if (type != kMessage1) out.u32(receiver);
  return out.take();
}

void append_macs(Bytes& packet, const crypto::Mac1& mac1) {
  const auto mac = mac1.compute(packet);
  append(packet, mac);
  packet.resize(packet.size() + 16);
}

void set_mac2(const crypto::Suite& suite, const crypto::Mac& cookie, Bytes& packet) {
  const auto at = packet.size() - 16;
  const auto mac = suite.mac(cookie, {ByteView(packet).first(at)});
  std::copy(mac.begin(), mac.end(), packet.begin() + static_cast<std::ptrdiff_t>(at));
}

crypto::Mac mac1_of(ByteView packet) {
  crypto::Mac mac{};
  const auto at = packet.subspan(packet.size() - kMacsBytes, 16);
  std::copy(at.begin(), at.end(), mac.begin());
  return mac;
}

Bytes prologue(std::uint8_t version, const crypto::NetworkId& network, Transport transport) {
  Writer out;
  out.bytes(view("linnet-1 session")).u8(version).bytes(network).u8(static_cast<std::uint8_t>(transport));
  return out.take();
}

std::size_t message1_padding(Pattern pattern) { return kMessage1Bytes - message1_overhead(pattern); }

std::size_t max_greeting(Pattern pattern) {
  const std::size_t identity = knows_responder(pattern) ? 0 : kKey + crypto::kTagBytes;
  return kMessage1Bytes - kHead23 - kKey - identity - crypto::kTagBytes - kMacsBytes - kResetTokenBytes;
}

Bytes write_cookie(const crypto::Suite& suite, Rng& rng, ByteView responder_key, std::uint32_t receiver,
                   const crypto::Mac& mac1, const crypto::Mac& cookie) {
  const auto nonce = rng.array<16>();
  Writer out(kCookiePacketBytes);
  out.u8(kCookiePacket).u8(0).u32(receiver).bytes(nonce);
  auto packet = out.take();
  suite.seal(cookie_key(responder_key, mac1, nonce), 0, mac1, cookie, packet);
  return packet;
}

Result<crypto::Mac> read_cookie(const crypto::Suite& suite, ByteView responder_key, const crypto::Mac& mac1,
                                ByteView packet) {
  if (packet.size() != kCookiePacketBytes) return fail(Fault::malformed);
  Reader in(packet);
  in.bytes(6);
  const auto nonce = in.array<16>();
  auto sealed = in.array<32>();
  const auto plain = suite.open_in_place(cookie_key(responder_key, mac1, nonce), 0, mac1, sealed);
  if (!plain) return fail(plain.error());
  crypto::Mac cookie{};
  std::copy(plain->begin(), plain->end(), cookie.begin());
  return cookie;
}

}  // namespace linnet::overlay
