// Peer: what the host cache is told, and whom it asks.
#include <algorithm>

#include "overlay/peer_impl.h"

namespace linnet::overlay {

void Peer::Impl::feel(const Context& c) {
  if (feelers.next_timeout() > c.now || leaving_by != kNever) return;
  const bool others = attachments.any_up() || among_supernodes();
  const bool free = others && !strangers_spared && !serving_links && !attachments.any_connecting() && !sessions.slow();
  feelers.handle_timeout(c, free, cache, attachments.favourite());
}

void Peer::spare_strangers(bool spare) { impl_->strangers_spared = spare; }

void Peer::Impl::on(const Context& c, const ProbeAnswered& answered) {
  if (!feelers.owns(answered.session)) return;
  const auto contact = feelers.on_answer(c, answered);
  if (!contact) return;
  cache.succeeded(*contact, way_of(answered.path.endpoint), c.wall, answered.rtt.value_or(Duration(0)));
  emit(HostCacheChanged{});
}

void Peer::Impl::felt(const Context&) {
  if (const auto silent = feelers.on_down()) remember_failure(*silent);
}

// Who tells of others reaches few places, so it counts who told, not who knew first. Those that verified are among the
// known.
void Peer::Impl::remember(const control::Nodes& nodes, const IpAddress& by) {
  for (const auto& told : nodes.contacts) {
    const auto& known = attachments.known();
    const auto it = std::find(known.begin(), known.end(), told);
    if (it != known.end()) cache.heard_of(*it, by);
  }
}

void Peer::Impl::remember_homes(const Context& c) {
  for (const auto& s : attachments.all()) {
    if (s.tag() && s.contact) cache.serves(*s.contact, c.wall);
  }
}

// While nobody answers it may be our own network that is down.
void Peer::Impl::remember_failure(const Endpoint& where) {
  if (!attachments.any_up() && !among_supernodes()) return;
  cache.failed(where);
  emit(HostCacheChanged{});
}

}  // namespace linnet::overlay
