// A router in virtual time that opens ports: PCP, NAT-PMP, neither, or a liar; for tests of nat/port_map*.
#pragma once

#include <map>

#include "nat/port_mapper.h"

namespace linnet::nat::test {

struct ModelRouter {
  bool pcp = true;
  bool nat_pmp = true;
  bool announces_version = true;  // refuses version 2 with version 0, as RFC 6886 says
  IpAddress external = IpAddress::v4(203, 0, 113, 5);
  std::chrono::seconds most{3600};
  std::optional<pcp::Code> refuses;
  std::uint16_t taken = 0;  // an external port that somebody else has
  bool knows_options = true;        // else PREFER_FAILURE is stepped over
  std::uint16_t refuses_below = 0;  // external ports
  Time up{};                // since when it runs
  int requests = 0;
  struct Held {
    pcp::Nonce nonce{};
    std::uint16_t external = 0;
    Time until{};
  };
  std::map<std::pair<Transport, std::uint16_t>, Held> table;  // by internal port

  void restart(Time now) {
    up = now;
    table.clear();
  }
  std::chrono::seconds epoch(Time now) const { return std::chrono::duration_cast<std::chrono::seconds>(now - up); }

  // The answer to a datagram, if there is one.
  std::optional<Bytes> handle(Time now, ByteView bytes) {
    ++requests;
    if (bytes[0] == pcp::kVersion) {
      if (pcp) return answer_pcp(now, bytes);
      if (!nat_pmp || !announces_version) return std::nullopt;
      Writer out;
      out.u8(0).u8(128).u16(1).u32(static_cast<std::uint32_t>(epoch(now).count()));
      return out.take();
    }
    return nat_pmp ? answer_pmp(now, bytes) : std::nullopt;
  }

 private:
  std::optional<Bytes> answer_pcp(Time now, ByteView bytes) {
    const auto request = pcp::read_map_request(bytes);
    if (!request) return std::nullopt;
    pcp::Response out;
    out.opcode = pcp::Opcode::map;
    out.epoch = epoch(now);
    out.map = request->map;
    const auto transport = request->map.external.transport;
    const std::pair key{transport, request->map.internal};
    const bool low = request->lifetime.count() != 0 && request->map.external.port < refuses_below;
    if (refuses || low) {
      out.code = refuses.value_or(pcp::Code::not_authorized);
      out.lifetime = std::chrono::seconds(60);
      return pcp::write(out);
    }
    const auto known = table.find(key);
    if (known != table.end() && known->second.until > now && known->second.nonce != request->map.nonce) {
      out.code = pcp::Code::not_authorized;
      out.lifetime = std::chrono::duration_cast<std::chrono::seconds>(known->second.until - now);
      return pcp::write(out);
    }
    if (request->lifetime.count() == 0) {
      table.erase(key);
      return pcp::write(out);
    }
    auto port = request->map.external.port;
    if (port == 0) port = request->map.internal;
    if (port == taken && knows_options && request->prefer_failure) {
      out.code = pcp::Code::cannot_provide_external;
      out.lifetime = std::chrono::seconds(60);
      return pcp::write(out);
    }
    if (port == taken) ++port;
    out.lifetime = std::min(request->lifetime, most);
    out.map->external = {external, port, transport};
    table[key] = {request->map.nonce, port, now + out.lifetime};
    return pcp::write(out);
  }

  std::optional<Bytes> answer_pmp(Time now, ByteView bytes) {
    natpmp::Response out;
    out.epoch = epoch(now);
    if (bytes.size() == 2) {
      out.address = external;
      return natpmp::write(out);
    }
    const auto request = natpmp::read_map_request(bytes);
    if (!request) return std::nullopt;
    out.opcode = request->opcode;
    out.internal = request->internal;
    const auto transport = request->opcode == natpmp::Opcode::map_udp ? Transport::udp : Transport::tcp;
    if (request->lifetime.count() == 0) {
      table.erase({transport, request->internal});
      return natpmp::write(out);
    }
    out.external = request->external == 0 ? request->internal : request->external;
    if (out.external == taken) ++out.external;
    out.lifetime = std::min(request->lifetime, most);
    table[{transport, request->internal}] = {{}, out.external, now + out.lifetime};
    return natpmp::write(out);
  }
};

}  // namespace linnet::nat::test
