// Peer: serving our own links while no supernode is there, and giving it up when one appears.
#include <algorithm>

#include "overlay/peer_impl.h"

namespace linnet::overlay {

bool Peer::Impl::lonely(const Context& c) {
  if (attachments.any_up()) return false;
  return bootstrap.patience_over(c.now) || (!attachments.any_connecting() && nobody_to_ask(c));
}

bool Peer::Impl::nobody_to_ask(const Context& c) {
  return bootstrap.candidates(c, cache).empty() && lan.candidates(c, false).empty();
}

// Whoever is on our links finds a supernode in us from now on; nobody else does.
void Peer::Impl::serve_links(const Context& c) {
  serving_links = true;
  make_role(c, Endpoint{IpAddress{}, config.port});
  leaps_seen = network_clock().leaps();
  publish_alone_at = c.now;
  lan.start(c.now);
}

void Peer::Impl::stop_serving_links(const Context& c) {
  serving_links = false;
  lan.stop();
  role->leave(c);
  drop_role(c);
}

// Also one that is a supernode by its settings, and has no address that means anything elsewhere.
void Peer::Impl::serve_own_links(Time now, bool may) {
  if (config.lan != LanMode::off) config.lan = may ? LanMode::serve : LanMode::listen;
  if (!running || leaving_by != kNever) return;
  if (!may && serving_links) {
    config.role = Role::leaf;
    const auto limits = sessions_limits(config);
    sessions.set_serving(limits.resets, limits.max_sessions);
    stop_serving_links(at(now));
  }
  pump(now);
}

void Peer::serve_own_links(Time now, bool may) { impl_->serve_own_links(now, may); }

// After anything happened.
void Peer::Impl::look_around(const Context& c) {
  if (!running || config.lan != LanMode::serve || config.role != Role::leaf || ends_role()) return;
  const bool attached = std::any_of(attachments.all().begin(), attachments.all().end(),
                                    [](const Supernode& s) { return s.tag().has_value(); });
  if (serving_links && attached) {
    stop_serving_links(c);
  } else if (!serving_links && !attached && lonely(c)) {
    serve_links(c);
  }
}

// Neighbours that serve their links as we do: each tests the other with a round trip of the DHT.
void Peer::Impl::meet_neighbours(const Context& c) {
  if (lan.ask_due(c.now) && !attachments.any_up()) ask_neighbours(c);
  if (!lan.due(c.now) || !serving_links) return;
  auto& dht = role->dht();
  if (met != dht.contact_count()) publisher.store_again(c);
  met = dht.contact_count();
  const auto known = [&](const dht::Contact& contact) {
    const auto near = dht.nearest(contact.position, 1);
    return !near.empty() && near.front().device == contact.device;
  };
  for (const auto& contact : lan.to_meet(known)) dht.add_hint(c.now, contact);
}

// It answered a handshake or a question, with the key that it announces.
bool Peer::Impl::has_met(const LanText& neighbour) const {
  if (attachments.session_with(neighbour.session) || links.up_with(neighbour.session)) return true;
  return role && role->dht().contact_by_session(neighbour.session);
}

void Peer::Impl::heard(const Context& c, const Neighbour& neighbour) {
  const auto known = [this](const LanText& text) { return has_met(text); };
  if (config.lan == LanMode::off || !lan.heard(c, neighbour, known)) return;
  if (config.role == Role::leaf) {
    if (!attachments.any_up()) lan.ask(c.now);
  } else if (const auto contact = Neighbours::lasting_contact(neighbour)) {
    if (neighbour.text.role == LanRole::supernode) role->dht().add_hint(c.now, *contact);
  }
  meet_neighbours(c);
}

void Peer::Impl::ask_neighbours(const Context& c) {
  for (const auto& one : lan.candidates(c, config.lan == LanMode::listen)) attachments.seek(c, one.endpoint, one.key);
}

std::optional<LanText> Peer::Impl::lan_text() const {
  if (config.lan == LanMode::off || !running) return std::nullopt;
  LanText out;
  out.network = config.network;
  out.device = identity.device_key();
  out.session = identity.session_key();
  out.signature = role ? role->dht().self().signature
                       : crypto::sign_session_key(suite, identity.device, config.network, identity.session_key());
  if (serving_links) {
    out.role = LanRole::lonely;
  } else if (config.role == Role::supernode) {
    out.role = LanRole::supernode;
  }
  for (const auto& s : attachments.all()) {
    if (!s.tag() || !s.contact || !s.contact->endpoint.ip.is_global()) continue;
    out.role = LanRole::served;
    if (out.supernodes.size() < LanText::kMaxSupernodes) out.supernodes.push_back(s.contact->endpoint);
  }
  return out;
}

}  // namespace linnet::overlay
