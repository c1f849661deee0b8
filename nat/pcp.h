// Port Control Protocol (RFC 6887): the messages of a client. ANNOUNCE and MAP, with PREFER_FAILURE as its only
// option; others are read past.
#pragma once

#include <chrono>
#include <optional>

#include "base/bytes.h"
#include "base/endpoint.h"

namespace linnet::nat::pcp {

inline constexpr std::uint16_t kServerPort = 5351;
inline constexpr std::uint16_t kClientPort = 5350;  // announcements come here, by multicast
inline constexpr std::uint8_t kVersion = 2;
inline constexpr std::size_t kMaxMessage = 1100;  // section 7

enum class Opcode : std::uint8_t { announce = 0, map = 1 };
enum class Protocol : std::uint8_t { tcp = 6, udp = 17 };

// Section 7.4.
enum class Code : std::uint8_t {
  success = 0,
  unsupported_version = 1,
  not_authorized = 2,
  malformed_request = 3,
  unsupported_opcode = 4,
  unsupported_option = 5,
  malformed_option = 6,
  network_failure = 7,
  no_resources = 8,
  unsupported_protocol = 9,
  user_exceeded_quota = 10,
  cannot_provide_external = 11,
  address_mismatch = 12,
  excessive_remote_peers = 13,
};

using Nonce = ByteArray<12>;

// Section 11.1. Internal port and protocol name the mapping, the nonce its owner.
struct Map {
  Nonce nonce{};
  Protocol protocol = Protocol::udp;
  std::uint16_t internal = 0;
  Endpoint external;  // suggested or assigned; transport as in `protocol`
};

struct MapRequest {
  IpAddress client;                  // the source of the datagram: the server compares them
  std::chrono::seconds lifetime{0};  // 0: delete
  Map map;
  bool prefer_failure = false;  // the suggested port or none (section 13.2)
};

struct Response {
  std::uint8_t version = kVersion;  // of a refusal by version: the highest the server has
  Opcode opcode{};
  Code code{};
  std::chrono::seconds lifetime{0};  // of the mapping; of an error: how long it will last
  std::chrono::seconds epoch{0};     // of the server: starts again when it forgot its mappings
  std::optional<Map> map;
};

Bytes write(const MapRequest& request);
// What a server writes: for tests and their model of a router.
Bytes write(const Response& response);
Result<MapRequest> read_map_request(ByteView bytes);

// A datagram of port 5351. Fault::unsupported: an opcode we never send. A refusal by version may have any form of which
// version, bit and code are readable (section 9).
Result<Response> read_response(ByteView bytes);

}  // namespace linnet::nat::pcp
