#include "node/io/net/routes.h"

#include <algorithm>

#include "node/io/net/resolver.h"

namespace linnet::io {
namespace {

// What a machine of a data centre is called by its neighbours; a name of nobody's (the domain is for private use).
std::string plausible_name(const IpAddress& ip) {
  if (!ip.is_v4()) return "";
  auto text = ip.to_string();
  std::replace(text.begin(), text.end(), '.', '-');
  return "ip-" + text + ".internal";
}

}  // namespace

Routes::Routes(const std::string& proxy, const std::string& no_proxy)
    : proxy_(proxy.empty() ? std::nullopt : overlay::Proxy::parse(proxy)), except_(no_proxy) {
  if (!proxy_) return;
  if (const auto ip = IpAddress::parse(proxy_->host)) proxy_at_ = Endpoint{*ip, proxy_->port, Transport::tcp};
}

std::string Routes::proxy_name() const {
  return proxy_ && !IpAddress::parse(proxy_->host) ? proxy_->host + ":" + std::to_string(proxy_->port) : "";
}

void Routes::proxy_found(const std::vector<Endpoint>& at) {
  if (at.empty()) return;
  proxy_at_ = at.front();
  proxy_at_->transport = Transport::tcp;
}

std::vector<Endpoint> Routes::stand_in(const std::vector<std::string>& names) {
  constexpr std::size_t kMost = 1024;
  std::vector<Endpoint> out;
  if (!proxy_) return out;
  for (const auto& text : names) {
    const auto name = Endpoint::parse(text) ? std::nullopt : parse_host_port(text);
    if (!name || IpAddress::parse(name->host)) continue;
    auto at = std::find(names_.begin(), names_.end(), name->host);
    if (at == names_.end() && names_.size() >= kMost) break;
    if (at == names_.end()) at = names_.insert(at, name->host);
    out.push_back(overlay::placeholder(static_cast<std::uint16_t>(at - names_.begin()), name->port));
  }
  return out;
}

std::optional<ByteStream::Through> Routes::by_proxy(const overlay::ProxyTarget& target) const {
  if (!proxy_ || !proxy_at_ || except_.covers(target)) return std::nullopt;
  return ByteStream::Through{*proxy_, *proxy_at_, target};
}

std::optional<ByteStream::Dial> Routes::to(const Endpoint& endpoint) const {
  const bool named = overlay::is_placeholder(endpoint.ip);
  ByteStream::Dial out{endpoint, std::nullopt, plausible_name(endpoint.ip)};
  if (named) {
    const std::size_t number = static_cast<std::size_t>(endpoint.ip.bytes[14]) << 8 | endpoint.ip.bytes[15];
    if (number >= names_.size()) return std::nullopt;
    out.server_name = names_[number];
  }
  if (endpoint.socket != overlay::kByProxy) return named ? std::nullopt : std::optional(std::move(out));
  out.through = by_proxy({named ? out.server_name : "", endpoint});
  return out.through ? std::optional(std::move(out)) : std::nullopt;
}

std::vector<Endpoint> ports_of_convention(const std::vector<Endpoint>& bound) {
  std::vector<Endpoint> out;
  const auto there = [](const std::vector<Endpoint>& list, const Endpoint& at) {
    return std::any_of(list.begin(), list.end(), [&](const Endpoint& e) { return same_place(e, at); });
  };
  for (const auto& local : bound) {
    if (local.ip.is_loopback()) continue;
    for (const auto port : {overlay::kTlsPort, overlay::kWebPort}) {
      const Endpoint at{local.ip, port, Transport::tcp};
      if (!there(bound, at) && !there(out, at)) out.push_back(at);
    }
  }
  return out;
}

}  // namespace linnet::io
