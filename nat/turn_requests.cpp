// Requests about an allocation that stands: Refresh, CreatePermission, ChannelBind (RFC 8656, sections 8, 10 and 12).
#include <algorithm>

#include "nat/turn_server.h"

namespace linnet::nat::turn {

using stun::Attr;
using stun::Class;
using stun::ErrorCode;
using stun::Method;

// An IPv4 address in IPv6's clothes is nobody's address.
Result<Server::Peer> Server::peer_in(const Asked& asked, const stun::Message::Attribute& attribute) const {
  const auto at = read_place(asked.message, attribute);
  if (!at) return fail(Fault::malformed);
  const bool disguised = at->ip.is_v4() && attribute.length != 8;
  return Peer{*at, !disguised && config_.policy.allows(*at, asked.client.ip)};
}

std::optional<ErrorCode> Server::refused(const Allocation& allocation, const Peer& peer) {
  if (!peer.allowed) {
    ++counters_.refused_peers;
    return ErrorCode::forbidden;
  }
  if (allocation.relay_for(peer.at.ip).id == 0) return ErrorCode::peer_address_family_mismatch;
  return std::nullopt;
}

std::chrono::seconds Server::lifetime(const stun::Message& message) const {
  const auto asked = message.u32(Attr::lifetime);
  if (!asked) return kLifetime;
  return std::clamp(std::chrono::seconds(*asked), std::chrono::seconds(kLifetime), std::chrono::seconds(kMaxLifetime));
}

void Server::on_refresh(const Asked& asked) {
  auto* allocation = asked.allocation;
  const auto& m = asked.message;
  if (m.has(Attr::lifetime) && !m.u32(Attr::lifetime)) return refuse(asked, ErrorCode::bad_request);
  const bool ends = m.u32(Attr::lifetime) == 0U;
  if (allocation == nullptr || !allocation->open()) {
    return refuse(asked, ErrorCode::allocation_mismatch);
  }
  bool v4 = allocation->v4.id != 0, v6 = allocation->v6.id != 0;
  if (m.has(Attr::requested_address_family)) {
    const auto family = m.u8(Attr::requested_address_family);
    if (!family) return refuse(asked, ErrorCode::bad_request);
    v4 = v4 && family == kFamilyV4;
    v6 = v6 && family == kFamilyV6;
    if (!v4 && !v6) return refuse(asked, ErrorCode::peer_address_family_mismatch);
  }
  const auto granted = ends ? std::chrono::seconds(0) : lifetime(m);
  if (ends) {
    if (v4) close(allocation->v4);
    if (v6) close(allocation->v6);
    if (!allocation->open()) {
      remove(asked.client);
      credentials_.ended(asked.now, asked.client);
    }
  } else {
    allocation->lifetime = granted;
    allocation->until = asked.now + granted;
  }
  stun::Builder out(Class::success, Method::refresh, m.id());
  out.u32(Attr::lifetime, static_cast<std::uint32_t>(granted.count()));
  answer(asked, out);
}

// All or nothing (section 10.2).
void Server::on_create_permission(const Asked& asked) {
  auto* allocation = asked.allocation;
  if (allocation == nullptr || !allocation->open()) return refuse(asked, ErrorCode::allocation_mismatch);
  stun::FewOf<IpAddress, stun::kMaxAttributes> list;
  std::size_t fresh = 0;
  for (const auto& attribute : asked.message.attributes()) {
    if (attribute.type != Attr::xor_peer_address) continue;
    auto peer = peer_in(asked, attribute);
    if (!peer) return refuse(asked, ErrorCode::bad_request);
    // Its port says nothing here (section 10.1).
    peer->allowed = peer->allowed || (attribute.length == (peer->at.ip.is_v4() ? 8 : 20) &&
                                      config_.policy.allows(peer->at.ip, asked.client.ip));
    if (const auto why = refused(*allocation, *peer)) return refuse(asked, *why);
    const bool listed = std::find(list.begin(), list.end(), peer->at.ip) != list.end();
    if (!listed) list.add(peer->at.ip);
    if (!listed && allocation->peers.permission(asked.now, peer->at.ip) == nullptr) ++fresh;
  }
  if (list.empty()) return refuse(asked, ErrorCode::bad_request);
  if (!allocation->peers.room_for(asked.now, fresh)) return refuse(asked, ErrorCode::insufficient_capacity);
  for (const auto& ip : list) (void)allocation->peers.permit(asked.now, ip);
  stun::Builder out(Class::success, Method::create_permission, asked.message.id());
  answer(asked, out);
}

void Server::on_channel_bind(const Asked& asked) {
  auto* allocation = asked.allocation;
  if (allocation == nullptr || !allocation->open()) return refuse(asked, ErrorCode::allocation_mismatch);
  const auto number = asked.message.u16(Attr::channel_number);
  const auto* place = asked.message.attribute(Attr::xor_peer_address);
  const auto peer = place == nullptr ? fail(Fault::not_found) : peer_in(asked, *place);
  if (!number || !is_channel(*number) || !peer) return refuse(asked, ErrorCode::bad_request);
  if (const auto why = refused(*allocation, *peer)) return refuse(asked, *why);
  if (peer->at.port == 0) return refuse(asked, ErrorCode::bad_request);
  const auto bound = allocation->peers.bind(asked.now, *number, peer->at);
  if (bound == Peers::Bound::mismatch) return refuse(asked, ErrorCode::bad_request);
  if (bound == Peers::Bound::full) return refuse(asked, ErrorCode::insufficient_capacity);
  stun::Builder out(Class::success, Method::channel_bind, asked.message.id());
  answer(asked, out);
}

}  // namespace linnet::nat::turn
