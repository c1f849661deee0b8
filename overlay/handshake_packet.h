// Handshake and cookie packets (types 4 to 7).
//
//   4 | pattern | sender index (4)                      | Noise message 1 | mac1 (16) | mac2 (16)
//   5 | pattern | sender index (4) | receiver index (4) | Noise message 2 | mac1 (16) | mac2 (16)
//   6 | pattern | sender index (4) | receiver index (4) | Noise message 3 | mac1 (16) | mac2 (16)
//   7 | 0       | receiver index (4) | nonce (16) | sealed cookie (32)
//
// mac1 is keyed by the responder's SK, for XX by the network id. mac2 is keyed by a cookie and zero without one
// (WireGuard paper, section 5.4). Message 1 always has kMessage1Bytes: what it causes is never longer.
#pragma once

#include <optional>

#include "base/endpoint.h"
#include "base/rng.h"
#include "crypto/guard.h"
#include "crypto/noise.h"
#include "overlay/frame.h"

namespace linnet::overlay {

inline constexpr std::uint8_t kMessage1 = 4;
inline constexpr std::uint8_t kMessage2 = 5;
inline constexpr std::uint8_t kMessage3 = 6;
inline constexpr std::uint8_t kCookiePacket = 7;
inline constexpr std::size_t kMessage1Bytes = 1000;
inline constexpr std::size_t kMacsBytes = 32;
inline constexpr std::size_t kResetTokenBytes = 16;  // message 2 begins with it (reset.h)
inline constexpr std::size_t kCookiePacketBytes = 1 + 1 + 4 + 16 + 32;

enum class Pattern : std::uint8_t { xk = 0, xx = 1, xk_psk3 = 2, xx_psk3 = 3 };
std::string_view noise_name(Pattern pattern);
bool knows_responder(Pattern pattern);
Pattern pattern_for(bool remote_known, bool psk);

struct HandshakePacket {
  std::uint8_t type = 0;
  Pattern pattern{};
  std::uint32_t sender = 0;
  std::uint32_t receiver = 0;  // not in message 1
  ByteView noise;
  ByteView under_mac1;
  ByteView under_mac2;
  crypto::Mac mac1{};
  crypto::Mac mac2{};
};
Result<HandshakePacket> read_handshake(ByteView packet);

// The head of a packet; the Noise message is appended to it, then the macs.
Bytes start_handshake(std::uint8_t type, Pattern pattern, std::uint32_t sender, std::uint32_t receiver);
void append_macs(Bytes& packet, const crypto::Mac1& mac1);
// Puts mac2 into a packet that has its macs.
void set_mac2(const crypto::Suite& suite, const crypto::Mac& cookie, Bytes& packet);
crypto::Mac mac1_of(ByteView packet);

// Version, network and kind of transport (0: datagrams, 1: TCP) are bound into the handshake.
Bytes prologue(std::uint8_t version, const crypto::NetworkId& network, Transport transport);

// The zero bytes in message 1 that bring it to kMessage1Bytes.
std::size_t message1_padding(Pattern pattern);
// What fits into message 2 and message 3.
std::size_t max_greeting(Pattern pattern);
inline constexpr std::size_t kMaxHello = kMaxInner - 10 - 48 - crypto::kTagBytes - kMacsBytes;

// A cookie sealed so that only who sent the message 1 with this mac1 can use it. `responder_key`: what keyed mac1.
Bytes write_cookie(const crypto::Suite& suite, Rng& rng, ByteView responder_key, std::uint32_t receiver,
                   const crypto::Mac& mac1, const crypto::Mac& cookie);
Result<crypto::Mac> read_cookie(const crypto::Suite& suite, ByteView responder_key, const crypto::Mac& mac1,
                                ByteView packet);

}  // namespace linnet::overlay
