#include "overlay/neighbour.h"

#include <algorithm>

#include "overlay/context.h"

namespace linnet::overlay {
namespace {

constexpr std::string_view kTxtVersion = "1";
constexpr std::size_t kNetworkBytes = 8;  // of the network's id: enough to pass other networks by
constexpr std::string_view kRoles[] = {"lonely", "supernode", "served", "quiet"};

std::string network_text(const crypto::NetworkId& network) {
  return to_hex(ByteView(network.bytes).first(kNetworkBytes));
}

template <std::size_t N>
bool read_key(std::string_view text, ByteArray<N>& out) {
  if (text.size() != (N * 8 + 4) / 5) return false;
  const auto bytes = from_base32(text);
  if (!bytes || bytes->size() != N) return false;
  std::copy(bytes->begin(), bytes->end(), out.begin());
  return true;
}

std::vector<Endpoint> read_supernodes(std::string_view list) {
  std::vector<Endpoint> out;
  while (!list.empty() && out.size() < LanText::kMaxSupernodes) {
    const auto comma = list.find(',');
    const auto e = Endpoint::parse(list.substr(0, comma));
    if (e && e->port != 0 && e->ip.is_global()) out.push_back(*e);
    list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
  }
  return out;
}

}  // namespace

std::vector<std::string> write(const LanText& t) {
  std::vector<std::string> out{
      "v=" + std::string(kTxtVersion),   "n=" + network_text(t.network),
      "dk=" + to_base32(t.device.bytes), "sk=" + to_base32(t.session.bytes),
      "sg=" + to_base32(t.signature),    "r=" + std::string(kRoles[static_cast<std::size_t>(t.role)])};
  std::string supernodes;
  for (const auto& e : t.supernodes) supernodes += (supernodes.empty() ? "" : ",") + e.to_string();
  if (!supernodes.empty()) out.push_back("b=" + supernodes);
  return out;
}

Result<LanText> read_lan_text(const crypto::NetworkId& network, const std::vector<std::string>& strings) {
  LanText out;
  out.network = network;
  unsigned seen = 0;
  std::string_view version;
  for (const auto& s : strings) {
    const auto equals = s.find('=');
    if (equals == std::string::npos) continue;
    const auto key = std::string_view(s).substr(0, equals);
    const auto value = std::string_view(s).substr(equals + 1);
    if (key == "v") version = value;
    if (key == "n" && value != network_text(network)) return fail(Fault::mismatch);
    if (key == "n") seen |= 1;
    if (key == "dk" && read_key(value, out.device.bytes)) seen |= 2;
    if (key == "sk" && read_key(value, out.session.bytes)) seen |= 4;
    if (key == "sg" && read_key(value, out.signature)) seen |= 8;
    if (key == "b") out.supernodes = read_supernodes(value);
    if (key == "r") {
      const auto* at = std::find(std::begin(kRoles), std::end(kRoles), value);
      if (at != std::end(kRoles)) out.role = static_cast<LanRole>(at - std::begin(kRoles));
    }
  }
  if (version != kTxtVersion) return fail(Fault::unsupported);
  if (seen != 15) return fail(Fault::malformed);
  return out;
}

bool Neighbour::operator==(const Neighbour& other) const {
  return endpoints == other.endpoints && write(text) == write(other.text);
}

std::vector<Endpoint> Neighbours::Node::endpoints() const {
  std::vector<Endpoint> out;
  for (const auto& a : announcements) {
    for (const auto& e : a.endpoints) {
      if (out.size() < kMaxAddresses && std::find(out.begin(), out.end(), e) == out.end()) out.push_back(e);
    }
  }
  return out;
}

bool Neighbours::heard(const Context& c, const Neighbour& n, const Met& met) {
  if (n.text.session == c.identity.session_key() || n.endpoints.empty()) return false;
  if (n.endpoints.size() > Neighbour::kMaxEndpoints ||
      !crypto::verify_session_key(c.suite, n.text.device, c.config.network, n.text.session, n.text.signature)) {
    ++refused_;
    return false;
  }
  auto at = std::find_if(nodes_.begin(), nodes_.end(), [&](const Node& x) { return x.text.session == n.text.session; });
  if (at == nodes_.end()) {
    if (nodes_.size() >= kCapacity) {
      ++refused_;
      const auto least = std::find_if_not(nodes_.begin(), nodes_.end(), [&](const Node& x) { return met(x.text); });
      nodes_.erase(least == nodes_.end() ? nodes_.begin() : least);
    }
    at = nodes_.insert(nodes_.end(), Node{n.text, {}});
  }
  auto& known = at->announcements;
  if (std::find(known.begin(), known.end(), n) != known.end()) return false;
  if (known.size() >= kMaxAddresses) known.erase(known.begin());
  known.push_back(n);
  at->text = n.text;
  return true;
}

void Neighbours::lost(const Neighbour& n) {
  for (auto at = nodes_.begin(); at != nodes_.end(); ++at) {
    if (at->text.session != n.text.session) continue;
    std::erase(at->announcements, n);
    if (at->announcements.empty()) nodes_.erase(at);
    return;
  }
}

std::vector<Endpoint> Neighbours::endpoints_of(const crypto::SessionKey& key) const {
  for (const auto& node : nodes_) {
    if (node.text.session == key) return node.endpoints();
  }
  return {};
}

namespace {

dht::Contact contact_at(const LanText& text, const Endpoint& endpoint) {
  dht::Contact out;
  out.endpoint = endpoint;
  out.device = text.device;
  out.session = text.session;
  out.signature = text.signature;
  out.position = dht::position(endpoint.ip, text.device);
  return out;
}

}  // namespace

std::optional<dht::Contact> Neighbours::contact(const Node& node, std::size_t turn) {
  const auto endpoints = node.endpoints();
  if (endpoints.empty()) return std::nullopt;
  return contact_at(node.text, endpoints[turn % endpoints.size()]);
}

std::optional<dht::Contact> Neighbours::lasting_contact(const Neighbour& neighbour) {
  for (const auto& e : neighbour.endpoints) {
    if (!e.ip.is_link_local()) return contact_at(neighbour.text, e);
  }
  return std::nullopt;
}

}  // namespace linnet::overlay
