// The numbers of STUN (RFC 8489) and of what builds on it: ICE (RFC 8445), NAT behaviour discovery (RFC 5780), TURN
// (RFC 8656, RFC 6062).
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace linnet::nat::stun {

inline constexpr std::uint32_t kMagicCookie = 0x2112a442;
inline constexpr std::size_t kHeaderBytes = 20;
inline constexpr std::size_t kMaxMessage = 65'532;  // header included
inline constexpr std::uint16_t kPort = 3478;

using TransactionId = ByteArray<12>;

enum class Class : std::uint8_t { request = 0, indication = 1, success = 2, error = 3 };

enum class Method : std::uint16_t {
  binding = 0x001,
  allocate = 0x003,
  refresh = 0x004,
  send = 0x006,
  data = 0x007,
  create_permission = 0x008,
  channel_bind = 0x009,
  connect = 0x00a,
  connection_bind = 0x00b,
  connection_attempt = 0x00c,
};

// Below 0x8000 an agent that does not understand the attribute must not go on; from there it ignores it.
enum class Attr : std::uint16_t {
  mapped_address = 0x0001,
  change_request = 0x0003,  // RFC 5780
  username = 0x0006,
  message_integrity = 0x0008,
  error_code = 0x0009,
  unknown_attributes = 0x000a,
  channel_number = 0x000c,    // TURN
  lifetime = 0x000d,          // TURN
  xor_peer_address = 0x0012,  // TURN
  data = 0x0013,              // TURN
  realm = 0x0014,
  nonce = 0x0015,
  xor_relayed_address = 0x0016,       // TURN
  requested_address_family = 0x0017,  // TURN
  even_port = 0x0018,                 // TURN
  requested_transport = 0x0019,       // TURN
  dont_fragment = 0x001a,             // TURN
  message_integrity_sha256 = 0x001c,
  password_algorithm = 0x001d,
  userhash = 0x001e,
  xor_mapped_address = 0x0020,
  reservation_token = 0x0022,          // TURN
  priority = 0x0024,                   // ICE
  use_candidate = 0x0025,              // ICE
  padding = 0x0026,                    // RFC 5780
  response_port = 0x0027,              // RFC 5780
  connection_id = 0x002a,              // RFC 6062
  additional_address_family = 0x8000,  // TURN
  address_error_code = 0x8001,         // TURN
  password_algorithms = 0x8002,
  alternate_domain = 0x8003,
  icmp = 0x8004,  // TURN
  software = 0x8022,
  alternate_server = 0x8023,
  fingerprint = 0x8028,
  ice_controlled = 0x8029,   // ICE
  ice_controlling = 0x802a,  // ICE
  response_origin = 0x802b,  // RFC 5780
  other_address = 0x802c,    // RFC 5780
};

constexpr bool comprehension_required(Attr attr) { return static_cast<std::uint16_t>(attr) < 0x8000; }

enum class ErrorCode : std::uint16_t {
  try_alternate = 300,
  bad_request = 400,
  unauthenticated = 401,
  forbidden = 403,  // TURN
  unknown_attribute = 420,
  allocation_mismatch = 437,  // TURN
  stale_nonce = 438,
  address_family_not_supported = 440,   // TURN
  wrong_credentials = 441,              // TURN
  unsupported_transport = 442,          // TURN
  peer_address_family_mismatch = 443,   // TURN
  connection_already_exists = 446,      // RFC 6062
  connection_timeout_or_failure = 447,  // RFC 6062
  allocation_quota_reached = 486,       // TURN
  role_conflict = 487,                  // ICE
  server_error = 500,
  insufficient_capacity = 508,  // TURN
};

enum class PasswordAlgorithm : std::uint16_t { md5 = 1, sha256 = 2 };

// Bits of CHANGE-REQUEST (RFC 5780, section 7.2).
inline constexpr std::uint32_t kChangePort = 0x02;
inline constexpr std::uint32_t kChangeAddress = 0x04;

}  // namespace linnet::nat::stun
