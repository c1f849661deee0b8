// How streams leave this machine: straight, or through the proxy that the settings or the environment name; and where a
// supernode listens for those that get out by no other port.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "node/io/net/byte_stream.h"
#include "overlay/ways.h"

namespace linnet::io {

class Routes {
 public:
  // `proxy`: as overlay::Proxy::parse() reads it, or empty. `no_proxy`: as NO_PROXY is written.
  Routes(const std::string& proxy, const std::string& no_proxy);

  bool proxied() const { return proxy_.has_value(); }
  // "proxy.example:3128", to be resolved; empty without one.
  std::string proxy_name() const;
  void proxy_found(const std::vector<Endpoint>& at);
  // Endpoints that stand for bootstrap nodes given by name: their names go to the proxy, for a network whose own
  // resolver knows nothing of the world.
  std::vector<Endpoint> stand_in(const std::vector<std::string>& names);

  // Through the proxy, if there is one that is to be used for this. Nothing as well while its name has no address.
  std::optional<ByteStream::Through> by_proxy(const overlay::ProxyTarget& target) const;
  // Nothing: no way there by this endpoint.
  std::optional<ByteStream::Dial> to(const Endpoint& endpoint) const;

 private:
  std::optional<overlay::Proxy> proxy_;
  overlay::NoProxy except_;
  std::optional<Endpoint> proxy_at_;
  std::vector<std::string> names_;  // of placeholders, by number
};

// 443 and 80 beside each of these that others reach, where that is not what they are.
std::vector<Endpoint> ports_of_convention(const std::vector<Endpoint>& bound);

}  // namespace linnet::io
