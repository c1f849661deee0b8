// Peer: where others find a supernode, which may be a port that a router opened, and who is asked to dial us.
#include <algorithm>

#include "overlay/peer_impl.h"

namespace linnet::overlay {
namespace {

constexpr std::size_t kAskable = 16;                         // as Peer::supernodes() names them
constexpr Duration kDialPatience = std::chrono::seconds(5);  // for a session to stand

}  // namespace

// A global IPv4 address of our own, else one that a router opened, else the most reachable of the others.
std::optional<Endpoint> Peer::Impl::self_endpoint() const {
  if (promotion && role && !serving_links && promotion->fit() && !promotion->wished()) return promotion->fit()->place;
  const auto better = [](const Endpoint& e) {
    return e.ip.is_global() ? 0 : e.ip.is_private() ? 1 : e.ip.is_loopback() ? 2 : 3;
  };
  std::optional<Endpoint> out;
  for (const auto& e : config.listen) {
    if (e.ip.is_unspecified() || e.ip.is_link_local()) continue;
    if (!out || better(e) < better(*out)) out = e;
  }
  const bool own = out && out->ip.is_global() && (out->ip.is_v4() || !outside || !outside->ip.is_v4());
  return outside && !own ? outside : out;
}

// Our place in the DHT follows from our address: we take another one, and say so to who asks from now on.
void Peer::Impl::follow_place(Time now) {
  if (!role || serving_links || ends_role() || leaving_by != kNever) return heed_wish(at(now));
  const auto place = self_endpoint();
  if (!place || *place == role->dht().self().endpoint) return;
  role->dht().move_to(now, *place);
  greeting_of = {};
  introduce();
  emit(PlaceChanged{});
  if (!running || publish_alone_at != kNever) return;  // it publishes soon
  publisher.set_homes(at(now), {{*place, identity.session_key(), 0}}, true);
}

void Peer::Impl::set_outside(Time now, std::optional<Endpoint> by_router) {
  if (outside == by_router) return;
  outside = std::move(by_router);
  follow_place(now);
}

void Peer::Impl::ask_dial(const Context& c, const Endpoint& supernode, const control::DialAsk& ask) {
  if (!running || leaving_by != kNever) return;
  if (const auto session = attachments.session_at(supernode)) {
    (void)sessions.send(c.now, *session, Channel::control, control::write(ask));
    return;
  }
  if (!role || dial_wishes.size() >= kDialWishes) return;
  for (const auto& contact : role->dht().nearest(role->dht().self().position, kAskable)) {
    if (!same_place(contact.endpoint, supernode)) continue;
    dial_wishes.push_back({contact.session, ask, c.now + kDialPatience});
    attachments.reach(c, contact.endpoint, contact.session);
    return;
  }
}

void Peer::Impl::say_dials(const Context& c) {
  std::erase_if(dial_wishes, [&](const DialWish& wish) {
    const auto session = attachments.session_with(wish.to);
    if (session) (void)sessions.send(c.now, *session, Channel::control, control::write(wish.ask));
    return session || c.now >= wish.until;
  });
}

void Peer::Impl::set_second_port(std::uint16_t port) {
  config.second_port = port;
  if (role && !serving_links && !ends_role() && !partners && port != 0)
    partners = std::make_unique<Partners>(role->dht().self().endpoint, port);
}

void Peer::set_outside(Time now, std::optional<Endpoint> outside) {
  impl_->set_outside(now, std::move(outside));
  impl_->pump(now);
}

void Peer::ask_dial(Time now, const Endpoint& supernode, const control::DialAsk& ask) {
  impl_->ask_dial(impl_->at(now), supernode, ask);
  impl_->pump(now);
}

void Peer::set_second_port(Time now, std::uint16_t port) {
  impl_->set_second_port(port);
  impl_->pump(now);
}

std::optional<Endpoint> Peer::place() const {
  if (!impl_->role || impl_->serving_links) return std::nullopt;
  return impl_->role->dht().self().endpoint;
}

}  // namespace linnet::overlay
