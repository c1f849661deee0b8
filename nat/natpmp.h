// NAT Port Mapping Protocol (RFC 6886): what a client sends and reads. IPv4 alone, older than PCP and on the same port.
#pragma once

#include <chrono>

#include "base/bytes.h"
#include "base/endpoint.h"

namespace linnet::nat::natpmp {

inline constexpr std::uint8_t kVersion = 0;

enum class Opcode : std::uint8_t { external_address = 0, map_udp = 1, map_tcp = 2 };
// Section 3.5.
enum class Code : std::uint16_t {
  success = 0,
  unsupported_version = 1,
  not_authorized = 2,
  network_failure = 3,
  out_of_resources = 4,
  unsupported_opcode = 5,
};

struct MapRequest {
  Opcode opcode = Opcode::map_udp;  // or map_tcp
  std::uint16_t internal = 0;
  std::uint16_t external = 0;        // suggested
  std::chrono::seconds lifetime{0};  // 0: delete
};

struct Response {
  Opcode opcode{};
  Code code{};
  std::chrono::seconds epoch{0};
  IpAddress address;           // of external_address
  std::uint16_t internal = 0;  // of the others, as all that follows
  std::uint16_t external = 0;
  std::chrono::seconds lifetime{0};
};

Bytes write_address_request();
Bytes write(const MapRequest& request);
// What a server writes: for tests and their model of a router.
Bytes write(const Response& response);
Result<MapRequest> read_map_request(ByteView bytes);
Result<Response> read_response(ByteView bytes);

}  // namespace linnet::nat::natpmp
