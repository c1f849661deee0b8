#include "node/outside.h"

#include <algorithm>

#include "overlay/ways.h"

namespace linnet::node {
namespace {

bool leads_here(const OpenPort& port) {
  return port.reached == true && port.external.transport == Transport::udp && port.external.ip.is_v4() &&
         port.external.ip.is_global();
}

}  // namespace

void Outside::set(std::vector<OpenPort> open) {
  open_ = std::move(open);
  const auto before = place_;
  const auto same = [&](const OpenPort& p) { return leads_here(p) && p.external == before; };
  auto at = std::find_if(open_.begin(), open_.end(), same);
  if (at == open_.end()) at = std::find_if(open_.begin(), open_.end(), leads_here);
  place_ = at == open_.end() ? std::nullopt : std::optional(at->external);
  lost_ = !place_ && (lost_ || before);
}

std::vector<Endpoint> Outside::streams() const {
  std::vector<Endpoint> out;
  for (const auto& port : open_) {
    if (port.external.transport != Transport::tcp || port.reached != true) continue;
    if (port.external.port == overlay::kTlsPort) out.push_back(overlay::over(Transport::tls, port.external));
  }
  return out;
}

std::string Outside::why(const Endpoint& told, const std::vector<Endpoint>& listen) const {
  const auto there = [&](const OpenPort& p) { return leads_here(p) && p.external == told; };
  const auto by = std::find_if(open_.begin(), open_.end(), there);
  if (by != open_.end() && by->by == nat::MappedBy::static_nat) return "the outer address of a 1:1 NAT, and proven";
  if (by != open_.end()) return "opened by the router (" + std::string(nat::to_string(by->by)) + "), and proven";
  const bool own = std::find(listen.begin(), listen.end(), told) != listen.end();
  if (told.ip.is_global()) return own ? "its own address" : "";
  const std::string lost = lost_ ? "the port that the router had opened is lost: " : "";
  for (const auto& port : open_) {
    if (port.external.transport == Transport::udp && port.external.ip.is_v4()) return lost + why_unproven(port);
  }
  return lost + "no router opens a port: only its own network reaches it";
}

}  // namespace linnet::node
