// SupernodeRole: FORWARD, packet by packet.
#include "overlay/supernode_role.h"

namespace linnet::overlay {

std::optional<Transmit> SupernodeRole::pass_down(const Context& c, const Endpoint& from, const ToLeaf& packet) {
  auto* leaf = leaves_.by_tag(packet.tag);
  if (!leaf || !leaf->session) {
    ++counters_.unknown_tag;
    return std::nullopt;
  }
  if (!leaf->mac1.check(packet.covered, packet.mac1)) {
    ++counters_.bad_mac;
    return std::nullopt;
  }
  if (!may_forward(c, from, packet.inner, openings_)) return std::nullopt;
  // A flood of forged sources would drive those out who mean it: they have, or soon get, a session with us.
  const bool proven = c.sessions.session_on(Path{PathKind::direct, from, 0, false}).has_value();
  auto& sources = leaf->asked();
  const bool may = proven || sources.knows(from, packet.token) || sources.stranger(c.now);
  const auto size = kToLeafHeader + packet.inner.size();
  const auto tag = may ? sources.tag_for(c.now, c.rng, from, packet.token, size, packet.inner[0], proven) : 0;
  if (tag == 0) {
    ++counters_.limited;
    return std::nullopt;
  }
  ++counters_.forwarded;
  return Transmit{leaf->endpoint, write_tagged(ForwardKind::down, tag, packet.inner)};
}

std::optional<Transmit> SupernodeRole::pass_back(const Context& c, const Endpoint& from, const Tagged& packet) {
  auto* leaf = leaves_.by_endpoint(from);
  if (!leaf) {
    ++counters_.unknown_tag;
    return std::nullopt;
  }
  const auto target = leaf->asked().answer(c.now, packet.id, kTaggedHeader + packet.inner.size());
  if (!target) {
    ++(target.error() == Fault::refused ? counters_.limited : counters_.unknown_tag);
    return std::nullopt;
  }
  ++counters_.forwarded;
  return Transmit{target->source, write_tagged(ForwardKind::back, target->token, packet.inner)};
}

}  // namespace linnet::overlay
