// What the rooms of a peer tell each other.
#include <algorithm>

#include "overlay/peer_impl.h"

namespace linnet::overlay {

void Peer::Impl::pump(Time now) {
  const auto c = at(now);
  // Each round may give the next one something to do; a peer that talks to itself is stopped here.
  for (int round = 0; round < 64 && pump_once(c); ++round) {
  }
  const bool up = attachments.any_up() || among_supernodes();
  bootstrap.connected(c, up, !up && attachments.any_connecting());
  look_at_clock(now);
  look_around(c);
  look_at_promotion(c);
  if (const auto block = publisher.sequences().announce()) emit(*block);
  update_state(c);
  leave_when_said(c);
}

bool Peer::Impl::pump_once(const Context& c) {
  bool busy = false;
  while (auto event = sessions.poll_event()) {
    std::visit([&](auto& e) { on(c, e); }, *event);
    busy = true;
  }
  while (auto event = role ? role->dht().poll_event() : std::nullopt) {
    on_dht(c, *event);
    busy = true;
  }
  if (role && !ends_role()) join(c);
  if (role) role->settle_bridges(c, attachments);
  while (auto dial = role ? role->poll_dial() : std::nullopt) emit(*dial);
  if (!dial_wishes.empty()) say_dials(c);
  settle_partners(c);
  if (attachments.take_changed()) {
    on_attachments(c);
    busy = true;
  }
  while (auto o = publisher.poll()) {
    order(c, *o);
    busy = true;
  }
  busy |= read_back_records(c);
  while (auto q = finder.poll_question()) {
    question(c, *q);
    busy = true;
  }
  while (auto found = finder.poll_found()) emit(std::move(*found));
  while (auto event = links.poll_event()) emit(std::move(*event));
  return busy;
}

void Peer::Impl::on(const Context& c, const SessionUp& up) {
  if (attachments.owns(up.session)) {
    if (const auto contact = attachments.on_up(c, up)) {
      cache.succeeded(*contact, way_of(up.path.endpoint), c.wall, sessions.rtt(up.session).value_or(Duration(0)));
      emit(HostCacheChanged{});
      if (role && !serving_links) role->dht().add_hint(c.now, *contact);
    }
    if (const auto time = attachments.take_time()) hear_time(c.now, time->from, time->who, time->said);
  } else if (links.owns(up.session)) {
    links.on_up(c, rooms(), up);
  } else if (!up.initiator) {
    on_hello(c, up);
  } else {
    sessions.close(c.now, up.session);  // nobody waits for it any more
  }
}

void Peer::Impl::on_hello(const Context& c, const SessionUp& up) {
  auto hello = read_hello(suite, config.network, up.remote, c.wall, up.hello);
  if (!hello) {
    ++counters.malformed;
    sessions.reject(c.now, up.session);
    return;
  }
  Status taken = fail(Fault::refused);
  if (leaving_by != kNever) {
    // Not for a second more.
  } else if (const auto* person = std::get_if<PersonHello>(&*hello)) {
    taken = links.on_person(c, up, *person);
  } else if (role) {
    std::get<ClientHello>(*hello).drop_unplaced();
    taken = role->on_client(c, up.session, std::get<ClientHello>(*hello));
    if (taken && up.path.endpoint.transport == Transport::udp) ++counters.came_in;
  }
  if (taken) {
    sessions.accept(c.now, up.session);
  } else {
    ++counters.dropped;
    sessions.reject(c.now, up.session);
  }
}

void Peer::Impl::on(const Context& c, const SessionDown& down) {
  if (feelers.owns(down.session)) return felt(c);
  if (attachments.owns(down.session)) {
    if (role) role->on_far_down(c, down.session);
    finder.on_session_down(c, down.session);
    const auto& lost = *attachments.by_session(down.session);
    const auto where = lost.contact ? lost.contact->endpoint : lost.endpoint;
    const auto contact = attachments.on_down(c, down);
    // Who forgot us is alive: it was started anew.
    if (down.reason == DownReason::closed || down.reason == DownReason::forgotten) return;
    remember_failure(where);
    if (role && contact) role->dht().contact_lost(c.now, contact->device);
  } else if (role && role->owns(down.session)) {
    role->on_session_down(c, down.session);
  } else {
    links.on_down(c, rooms(), down);
  }
}

void Peer::Impl::on(const Context& c, MessageIn& in) {
  if (links.owns(in.session)) return links.on_message(c, rooms(), std::move(in));
  const auto message = in.channel == Channel::control ? control::read(in.bytes) : fail(Fault::unsupported);
  if (!message) {
    ++counters.malformed;
  } else if (attachments.owns(in.session)) {
    on_supernode(c, in.session, *message);
  } else if (role) {
    role->on_message(c, in.session, *message);
  }
}

void Peer::Impl::on_supernode(const Context& c, SessionId session, const control::Message& message) {
  const auto* from = attachments.by_session(session);
  if (role && role->on_far(c, attachments, *from, message)) return;
  if (partners && partners->on_message(c, *from, message)) return;
  if (const auto* attached = std::get_if<control::Attached>(&message)) {
    attachments.on_attached(c, session, *attached);
  } else if (const auto* refused = std::get_if<control::AttachRefused>(&message)) {
    attachments.on_refused(c, session, *refused);
  } else if (const auto* nodes = std::get_if<control::Nodes>(&message)) {
    if (nodes->time) hear_time(c.now, from->way.ip, *from->key, *nodes->time);
    const auto by = from->way.ip;
    attachments.on_nodes(c, session, *nodes);
    remember(*nodes, by);
  } else if (const auto* records = std::get_if<control::Records>(&message)) {
    if (read_back.owns(records->request)) return on_read_back(c, *records);
    finder.on_records(c, session, *records);
  } else if (const auto* published = std::get_if<control::Published>(&message)) {
    std::erase(goodbyes, published->request);
    publisher.on_result(c, published->request, published->copies);
  } else if (const auto* ask = std::get_if<control::CircuitAsk>(&message)) {
    links.on_circuit_ask(c, rooms(), *from, *ask);
  } else if (const auto* ready = std::get_if<control::CircuitReady>(&message)) {
    links.on_circuit_ready(c, *from, *ready);
  } else if (const auto* closed = std::get_if<control::CircuitClosed>(&message)) {
    links.on_circuit_closed(c, rooms(), *from, *closed);
  } else if (const auto* seen = std::get_if<control::CircuitSeen>(&message)) {
    links.on_circuit_seen(*from, *seen);
  } else if (std::holds_alternative<control::Serve>(message)) {
    on_serve(c, *from);
  } else if (const auto* handover = std::get_if<control::Handover>(&message)) {
    attachments.on_handover(c, session, *handover);
  } else if (std::holds_alternative<control::Crowded>(message)) {
    if (!links.any_circuit_at(from->way)) attachments.on_crowded(c, session);
  } else {
    ++counters.malformed;  // a supernode says none of the others
  }
}

void Peer::Impl::on(const Context& c, const PathProven& proven) {
  if (role) role->on_proven(c, proven.session);
  links.on_path(rooms(), proven);
}

void Peer::Impl::on(const Context& c, const PathChanged& changed) {
  if (role && changed.to.kind == PathKind::direct) role->on_moved(changed.session, changed.to.endpoint);
  attachments.on_path(c, changed);
  links.on_path(c, rooms(), changed);
}

void Peer::Impl::on(const Context&, const PathAnswered& answered) {
  if (links.owns(answered.session)) emit(LinkAnswered{answered.session, answered.path, answered.rtt});
}

// Of many that died at once the others are found out with the first.
void Peer::Impl::on(const Context& c, const Unanswered& unanswered) {
  if (!attachments.owns(unanswered.session) || sessions.slow()) return;
  for (const auto& s : attachments.all()) {
    if (const auto session = s.session()) sessions.ask_whether_there(c.now, *session);
  }
}

void Peer::Impl::on(const Context& c, const PathLost& lost) { links.on_path(c, rooms(), lost); }

void Peer::Impl::on(const Context& c, const BothWanted& wanted) { links.on_both(c, wanted); }

void Peer::Impl::on_dht(const Context& c, const dht::Event& event) {
  if (role->on_dht_event(c, event)) return;
  const auto take = [](std::vector<OwnLookup>& from, dht::LookupId lookup) -> std::optional<std::uint64_t> {
    const auto it = std::find_if(from.begin(), from.end(), [&](const OwnLookup& o) { return o.lookup == lookup; });
    if (it == from.end()) return std::nullopt;
    const auto request = it->request;
    from.erase(it);
    return request;
  };
  if (const auto* found = std::get_if<dht::RecordsFound>(&event)) {
    control::Records answer{0, false, {}, found->rounds};
    for (const auto& r : found->records) answer.records.push_back(r.wire);
    if (const auto request = take(own_finds, found->lookup)) {
      answer.request = *request;
      finder.on_records(c, std::nullopt, answer);
    }
  } else if (const auto* raised = std::get_if<dht::FloorRaised>(&event)) {
    emit(FloorRaised{raised->floor});
  } else if (const auto* stored = std::get_if<dht::Stored>(&event)) {
    std::erase(goodbye_stores, stored->lookup);
    if (const auto request = take(own_stores, stored->lookup)) {
      publisher.on_result(c, *request, stored->copies);
      if (look_at_holders == kNever) look_at_holders = c.now + c.jittered(kLookAtHolders);
    }
  } else if (const auto* nodes = std::get_if<dht::NodesFound>(&event)) {
    if (joining != nodes->lookup) return;
    joining.reset();
    for (const auto& contact : nodes->nodes)
      cache.succeeded(contact, Way::udp, c.wall, Duration(0));  // they answered us
    publish_alone_at = std::min(publish_alone_at, c.now);
    publisher.store_again(c);
  }
}

void Peer::Impl::on_attachments(const Context& c) {
  emit(SupernodesChanged{});
  remember_homes(c);
  if ((!role || ends_role()) && leaving_by == kNever)
    publisher.set_homes(c, attachments.record_homes(), attachments.settled());
  finder.supernodes_changed(c, attachments.for_questions(c, Finder::kWhom));
  links.supernodes_changed(c, rooms());
}

void Peer::Impl::order(const Context& c, const Publisher::Order& order) {
  if (asks_itself()) {
    if (const auto lookup = role->dht().publish(c.now, order.record, true)) {
      own_stores.push_back({*lookup, order.request});
    } else {
      publisher.on_result(c, order.request, 0);
    }
    return;
  }
  const auto sessions_up = attachments.for_publishing(c, config.homes);
  if (sessions_up.empty()) return publisher.on_result(c, order.request, 0);
  const auto session = sessions_up[order.attempt % sessions_up.size()];
  const control::Publish message{order.request, order.record.wire};
  if (!sessions.send(c.now, session, Channel::control, control::write(message)))
    publisher.on_result(c, order.request, 0);
}

void Peer::Impl::question(const Context& c, const Finder::Question& q) {
  if (!q.session) {
    dht::FindOptions options;
    options.paths = Finder::kPaths;
    options.pinned = q.pinned;
    const auto lookup = role ? role->dht().find_records(c.now, q.user, options) : fail(Fault::refused);
    if (lookup) {
      own_finds.push_back({*lookup, q.request});
    } else {
      finder.on_records(c, std::nullopt, {q.request, true, {}});
    }
    return;
  }
  const control::FindRecords message{q.request, q.user, q.pinned, q.share};
  if (!sessions.send(c.now, *q.session, Channel::control, control::write(message)))
    finder.on_session_down(c, *q.session);
}

void Peer::Impl::read_back_from(const Context& c, const ReadBack::Question& q) {
  const auto homes = attachments.for_publishing(c, config.homes);
  const control::FindRecords message{q.request, q.user, {}, {}};
  const bool said =
      homes.size() > 1 && sessions.send(c.now, homes[q.home % homes.size()], Channel::control, control::write(message));
  if (!said) read_back.on_answer(c, q.request, std::nullopt);
}

void Peer::Impl::on_read_back(const Context& c, const control::Records& answer) {
  const auto user = read_back.about(answer.request);
  const auto* own = user ? publisher.record(*user) : nullptr;
  if (own == nullptr || answer.busy) return read_back.on_answer(c, answer.request, std::nullopt);
  const bool there =
      std::any_of(answer.records.begin(), answer.records.end(), [&](const Bytes& wire) { return wire == own->wire; });
  read_back.on_answer(c, answer.request, there);
}

bool Peer::Impl::read_back_records(const Context& c) {
  bool busy = false;
  while (auto kept = publisher.poll_kept()) {
    if (!role) read_back.stored(c, kept->user, kept->home);
  }
  while (auto q = read_back.poll_question()) {
    read_back_from(c, *q);
    busy = true;
  }
  while (auto missing = read_back.poll_missing()) {
    publisher.store_through(c, missing->user, missing->home);
    ++counters.not_shown;
    busy = true;
  }
  return busy;
}

void Peer::Impl::settle_partners(const Context& c) {
  while (auto wanted = role ? role->poll_partner_wanted() : std::nullopt) emit(std::move(*wanted));
  if (!partners || leaving_by != kNever) return;
  partners->settle(c, attachments, role->dht());
  while (auto failed = partners->poll_failed()) emit(PartnerFailed{*failed});
  if (partners->take_changed()) emit(PartnerChanged{});
}

void Peer::Impl::update_state(const Context& c) {
  auto next = state;
  const bool neighbours = role && (role->dht().contact_count() > 0 || role->leaves().size() > 0);
  const bool serves = role && (!serving_links || neighbours);
  const bool served = serves || std::any_of(attachments.all().begin(), attachments.all().end(),
                                            [](const Supernode& s) { return s.tag().has_value(); });
  if (!running) return;
  if (served && publisher.stored()) {
    next = State::online;
  } else if (!attachments.any_up() && (serving_links || (!role && !attachments.any_full())) &&
             bootstrap.patience_over(c.now)) {
    next = State::alone;
  } else if (state == State::alone && attachments.any_up()) {
    next = State::starting;
  }
  if (next == state) return;
  state = next;
  emit(StateChanged{state});
}

}  // namespace linnet::overlay
