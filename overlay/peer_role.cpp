// Peer: the role changes while it runs. What calls rest on, sessions and circuits, goes on through both changes.
#include <algorithm>

#include "overlay/peer_impl.h"

namespace linnet::overlay {
namespace {

using Stage = Promotion::Stage;

constexpr std::size_t kRecordsAtOnce = 128;  // handed over, in a step
constexpr std::size_t kNear = Attachments::kKnown;

}  // namespace

SessionsLimits sessions_limits(const PeerConfig& config) {
  const bool serves = config.role == Role::supernode;  // a leaf answers nobody whom it does not know
  return {serves, serves ? 3 * config.max_leaves + 4096 : SessionsConfig().max_sessions};
}

// The role as such: what asks for it and what it publishes follows later.
void Peer::Impl::make_role(const Context& c, const Endpoint& self) {
  role = std::make_unique<SupernodeRole>(config, suite, rng, identity, self);
  role->dht().handle_wall(c.now, clock.own_at(c.now).value_or(c.wall));
  greeting_of = {};
  contacts_seen = 0;
  joining.reset();
}

void Peer::Impl::drop_role(const Context& c) {
  role.reset();
  leaps_seen = network_clock().leaps();
  sessions.set_greeting({});
  joining.reset();
  publish_alone_at = kNever;
  look_at_holders = kNever;
  for (const auto& find : std::exchange(own_finds, {})) finder.on_records(c, std::nullopt, {find.request, true, {}});
  for (const auto& store : std::exchange(own_stores, {})) publisher.on_result(c, store.request, 0);
  on_attachments(c);
}

void Peer::Impl::set_role(Role to) {
  config.role = to;
  config.max_leaves = promotion->max_leaves();
  const auto limits = sessions_limits(config);
  sessions.set_serving(limits.resets, limits.max_sessions);
}

void Peer::Impl::promote(const Context& c) {
  if (serving_links) stop_serving_links(c);
  promotion->begin(c.now);
  offer_standby(c);
  attachments.stop_seeking();
  set_role(Role::supernode);
  make_role(c, promotion->wished() ? *self_endpoint() : promotion->fit()->place);
  role->dht().take_over(clock);
  leaps_seen = network_clock().leaps();
  for (const auto& contact : attachments.known()) role->dht().add_hint(c.now, contact);
  for (const auto& host : cache.candidates(Bootstrap::kFromCache, rng)) role->dht().add_hint(c.now, host.contact);
  publish_alone_at = c.now + Promotion::kJoin;  // sooner when the lookup for our place has ended
}

void Peer::Impl::joined(const Context& c) {
  if (role->dht().contact_count() == 0 && !promotion->wished()) return end_role(c);
  promotion->joined(c.now, config.record_life);
  introduce();
  const auto& self = role->dht().self().endpoint;
  if (config.second_port != 0) partners = std::make_unique<Partners>(self, config.second_port);
  publisher.set_homes(c, {{self, identity.session_key(), 0}}, true);
  emit(RoleChanged{Role::supernode});
}

// We seek homes before the role goes, so that our own person is found all the time.
void Peer::Impl::begin_handing_over(const Context& c) {
  promotion->hand_over(c.now);
  publish_alone_at = kNever;
  joining.reset();
  if (partners) partners->leave(c, attachments);
  partners.reset();
  const auto near = role->dht().nearest(dht::id_of(crypto::user_key(identity.address)), kNear);
  role->retire();
  set_role(Role::leaf);
  introduce();
  attachments.seek_homes(c, near);
}

// Far from where somebody would be called: fewer than an eighth of the leaves that are wanted, four times as many
// supernodes as are few. Load is no reason: who has much to do stays.
bool Peer::Impl::hardly_needed() const {
  constexpr std::size_t kShare = 8;
  constexpr std::size_t kMany = 4 * SupernodeRole::kFewSupernodes;
  return role->leaves().size() < std::max<std::size_t>(1, config.leaves_wanted / kShare) &&
         role->circuits().size() == 0 && role->dht().contact_count() + 1 >= kMany;
}

void Peer::Impl::hand_over(const Context& c) {
  role->tell_leaves(c);
  const bool records = role->dht().hand_over(c.now, kRecordsAtOnce);
  const bool leaves = role->told_leaves() && role->leaves().size() == 0;
  const bool ours = attachments.settled() && publisher.settled();
  if (!promotion->over(c.now) && !(records && leaves && ours)) return;
  role->tell_circuits_end(c);
  promotion->close(c.now, role->circuits().size() > 0);
}

void Peer::Impl::end_role(const Context& c) {
  if (promotion->stage() == Stage::joining) begin_handing_over(c);
  tell_relayed(c.now, Duration(0));
  config.relayed = role->circuits().month();
  config.floors = role->dht().floors();
  clock.take_over(role->dht().network_clock());
  role->end(c, attachments);
  const bool was = promotion->end(c.now);
  drop_role(c);
  introduce();
  if (was) emit(RoleChanged{Role::leaf});
  heed_wish(c);
}

void Peer::Impl::offer_standby(const Context& c) {
  attachments.set_standby(c, promotion->offers() ? promotion->fit()->leaves : 0);
}

// After anything happened.
void Peer::Impl::look_at_promotion(const Context& c) {
  if (!promotion || !running || leaving_by != kNever) return;
  offer_standby(c);
  const bool full = attachments.any_full() && !attachments.any_serves();
  if (promotion->all_full(c, full)) promote(c);
}

void Peer::Impl::on_serve(const Context& c, const Supernode& from) {
  if (!promotion || !from.tag() || !promotion->offers() || leaving_by != kNever) return;
  promotion->called(c.now);
  promote(c);
}

void Peer::Impl::promotion_timeouts(const Context& c) {
  if (!promotion || leaving_by != kNever) return;
  promotion->rested(c.now);
  if (promotion->stage() == Stage::joining && publish_alone_at <= c.now) {
    publish_alone_at = kNever;
    joined(c);
  }
  if (promotion->idle_look_due(c.now) && promotion->superfluous(c, hardly_needed())) begin_handing_over(c);
  if (promotion->old_homes_over(c.now)) attachments.detach(c);
  if (promotion->look_due(c.now)) look_at_old_homes(c);
  if (promotion->stage() == Stage::handing_over && promotion->step_due(c.now)) hand_over(c);
  if (promotion->stage() == Stage::closing && promotion->over(c.now)) end_role(c);
}

// A call may rest on a circuit there for longer than we are known there.
void Peer::Impl::look_at_old_homes(const Context& c) {
  bool rests = false;
  for (const auto& s : attachments.all()) {
    if (!links.any_circuit_at(s.way)) continue;
    attachments.touch(c.now, s.way);
    rests = true;
  }
  promotion->look_again(c.now, rests);
}

void Peer::Impl::set_fit(Time now, std::optional<Fit> fit) {
  const bool configured = !promotion && role && !serving_links;
  if (configured && !fit) {  // its owner has changed his mind
    promotion = std::make_unique<Promotion>(config);
    promotion->serves_already(now);
  }
  if (!promotion) return;
  promotion->wish(false);
  promotion->set_fit(std::move(fit));
  if (!running || leaving_by != kNever) return;
  const auto c = at(now);
  const bool serves = role && !serving_links && !promotion->ends();
  if (serves && !promotion->fit()) {
    begin_handing_over(c);
  } else if (serves) {
    config.max_leaves = promotion->max_leaves();
    role->set_most_leaves(config.max_leaves);
    follow_place(now);
  }
  pump(now);
}

void Peer::Impl::serve(Time now) {
  if (!promotion) return;  // a supernode by its settings
  promotion->wish(true);
  promotion->set_fit(Fit{{}, static_cast<std::uint32_t>(config.max_leaves)});
  heed_wish(at(now));
  pump(now);
}

// As soon as it can be: the last role may be about to end, or no address may be known yet.
void Peer::Impl::heed_wish(const Context& c) {
  const bool serves = role && !serving_links;
  if (!promotion || !promotion->wished() || serves || !running || leaving_by != kNever) return;
  if (self_endpoint()) promote(c);
}

void Peer::serve(Time now) { impl_->serve(now); }

void Peer::set_fit(Time now, std::optional<Fit> fit) { impl_->set_fit(now, std::move(fit)); }

std::optional<StandbyReport> Peer::standby() const {
  if (!impl_->promotion) return std::nullopt;
  auto out = impl_->promotion->report();
  const auto& all = impl_->attachments.all();
  if (out.offered)
    out.at = static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [](const auto& s) { return s.tag(); }));
  return out;
}

}  // namespace linnet::overlay
