// Supernodes for tests of the host cache: no keys are behind them.
#pragma once

#include "dht/contact.h"

namespace linnet::overlay::test {

inline dht::Contact host(std::uint32_t n, IpAddress ip) {
  dht::Contact out;
  out.endpoint = {ip, static_cast<std::uint16_t>(1000 + n % 60000), Transport::udp};
  Writer w;
  w.u32(n);
  std::copy(w.written().begin(), w.written().end(), out.device.bytes.begin());
  out.session.bytes = out.device.bytes;
  out.position = dht::position(out.endpoint.ip, out.device);
  return out;
}
inline dht::Contact lan_host(std::uint32_t n) { return host(n, IpAddress::v4(0x0a000000U + n)); }

}  // namespace linnet::overlay::test
