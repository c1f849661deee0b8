// One datagram as a router's answer of PCP and of NAT-PMP, and as a client's request: what is read and written again
// reads the same, and a mapper that waits for an answer goes on.
#include "nat/port_mapper.h"
#include "require.h"

using namespace linnet;
using namespace linnet::nat;

namespace {

void again(const pcp::Response& r) {
  if (r.version != pcp::kVersion) return;
  const auto second = pcp::read_response(pcp::write(r));
  fuzz::require(second.has_value() && second->code == r.code && second->lifetime == r.lifetime);
  fuzz::require(second->map.has_value() == r.map.has_value());
  if (r.map) fuzz::require(second->map->external == r.map->external && second->map->nonce == r.map->nonce);
}

void again(const natpmp::Response& r) {
  const auto second = natpmp::read_response(natpmp::write(r));
  fuzz::require(second.has_value() && second->code == r.code && second->external == r.external);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(data, size);
  if (const auto r = pcp::read_response(bytes)) again(*r);
  if (const auto r = natpmp::read_response(bytes)) again(*r);
  if (const auto r = pcp::read_map_request(bytes)) fuzz::require(pcp::read_map_request(pcp::write(*r)).has_value());
  if (const auto r = natpmp::read_map_request(bytes)) fuzz::require(natpmp::write(*r).size() == size);
  SeededRng rng(1);
  const Endpoint server{IpAddress::v4(192, 168, 1, 1), pcp::kServerPort, Transport::udp};
  const Time now{std::chrono::hours(1)};
  PortMapper mapper(rng, {});
  mapper.set_wishes(now, {{Transport::udp, 4400, 4400}});
  mapper.set_routers(now, {{server, IpAddress::v4(192, 168, 1, 7)}});
  mapper.handle_timeout(now);
  Bytes copied = copy(bytes);
  mapper.handle_announcement(now, {server, copied});
  mapper.handle_datagram(now, {server, copied});
  fuzz::require(mapper.mappings().size() <= 1 && mapper.next_timeout() != kNever);
  return 0;
}
