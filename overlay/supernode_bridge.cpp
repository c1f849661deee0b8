// SupernodeRole: one hop more (bridges.h).
#include "overlay/handshake_packet.h"
#include "overlay/supernode_role.h"

namespace linnet::overlay {

// Whose address is proven: what is carried for it is not sent by somebody else in its name.
std::optional<Bridges::Client> SupernodeRole::bridge_client(const Context& c, SessionId session) const {
  const auto path = c.sessions.current_path(session);
  if (!path || path->kind != PathKind::direct || !c.sessions.reached(session)) return std::nullopt;
  return Bridges::Client{session, path->endpoint};
}

void SupernodeRole::on_forward_open(const Context& c, SessionId session, const control::ForwardOpen& message) {
  const auto client = bridge_client(c, session);
  const auto far = dht_.contact_by_session(message.at);
  if (!client || !far || !make_bridges().open(c.now, *client, *far, message.tag, message.token)) ++counters_.refused;
}

void SupernodeRole::on_bridged(const Context& c, SessionId session, const control::CircuitOpen& message) {
  const auto client = bridge_client(c, session);
  const auto far = dht_.contact_by_session(*message.at);
  if (client && far && make_bridges().open_circuit(c.now, *client, *far, message.tag, message.nonce)) return;
  ++counters_.refused;
  say(c, session, control::CircuitClosed{message.nonce, far ? control::CircuitEnd::full : control::CircuitEnd::nobody});
}

void SupernodeRole::settle_bridges(const Context& c, Attachments& attachments) {
  if (!bridges_) return;
  for (const auto session : std::exchange(bridges_left_, {})) bridges_->on_down(c, attachments, session);
  bridges_->handle_timeout(c, attachments, circuits_);
  bridges_->settle(c, attachments, circuits_);
  while (const auto out = bridges_->poll()) {
    if (owns(out->client)) say(c, out->client, out->message);
  }
}

bool SupernodeRole::on_far(const Context& c, Attachments& attachments, const Supernode& from,
                           const control::Message& message) {
  count_month(c.now, c.wall);
  if (!bridges_) return false;
  if (const auto* ready = std::get_if<control::CircuitReady>(&message))
    return bridges_->on_ready(c, attachments, circuits_, from, *ready);
  if (const auto* closed = std::get_if<control::CircuitClosed>(&message))
    return bridges_->on_closed(c, attachments, circuits_, from, *closed);
  return false;
}

// What stood there is gone; the clients are told.
void SupernodeRole::on_far_down(const Context& c, SessionId session) {
  tell_closed(c, circuits_.close_session(session));
}

bool SupernodeRole::may_forward(const Context& c, const Endpoint& from, ByteView inner,
                                crypto::PrefixLimiter& openings) {
  const bool opening = inner[0] == kMessage1 && !from.ip.is_loopback();
  if (limiter_.allow(c.now, from.ip) && (!opening || openings.allow(c.now, from.ip))) return true;
  ++counters_.limited;
  return false;
}

std::optional<Transmit> SupernodeRole::bridge_on(const Context& c, const Endpoint& from, const ToLeaf& packet,
                                                 ByteView whole) {
  const auto far = bridges_ ? bridges_->onward(c.now, from, packet.tag, packet.token) : std::nullopt;
  if (!far || !may_forward(c, from, packet.inner, bridged_openings_)) return std::nullopt;
  ++counters_.forwarded;
  return Transmit{*far, copy(whole)};
}

std::optional<Transmit> SupernodeRole::bridge_back(const Context& c, const Endpoint& from, const Tagged& packet,
                                                   ByteView whole) {
  const auto client = bridges_ ? bridges_->back(c.now, from, packet.id) : std::nullopt;
  if (!client) return std::nullopt;
  ++counters_.forwarded;
  return Transmit{*client, copy(whole)};
}

}  // namespace linnet::overlay
