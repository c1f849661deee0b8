#include "overlay/sessions.h"

#include "overlay/sessions_impl.h"

namespace linnet::overlay {

std::uint32_t Sessions::Impl::new_index() {
  for (;;) {
    const auto random = rng.u32();
    const auto index = config.resets ? index_in_run(config.run, random) : random;
    if (index != 0 && !indexes.contains(index) && !opening.contains(index)) return index;
  }
}

Outgoing* Sessions::Impl::outgoing_by(std::uint32_t index) {
  const auto* id = opening.find(index);
  return id == nullptr || *id == SessionId{} ? nullptr : outgoing.find(*id)->get();
}

Session* Sessions::Impl::find(SessionId id) {
  const auto* at = sessions.find(id);
  return at == nullptr || !(*at)->open() ? nullptr : at->get();
}

void Sessions::Impl::touch(Session& session) {
  if (session.dirty()) return;
  session.set_dirty(true);
  dirty.push_back(session.id());
}

void Sessions::Impl::flush() {
  while (out.empty() && !dirty.empty()) {
    const auto* at = sessions.find(dirty.take());
    if (at == nullptr) continue;
    auto& session = **at;
    session.set_dirty(false);
    session.build(context, now);
    schedule(session);
  }
}

void Sessions::Impl::schedule(Session& session) {
  if (session.gone()) return remove(session);
  deadlines.set(session.heap_slot, static_cast<std::uint64_t>(session.id()), session.next_timeout(config));
}

void Sessions::Impl::remove(Session& session) {
  deadlines.remove(session.heap_slot);
  indexes.erase(session.local_index());
  std::erase_if(begun, [&](const Begun& b) { return b.id == session.id(); });
  sessions.erase(session.id());
}

void Sessions::Impl::drop_outgoing(SessionId id) {
  const auto* at = outgoing.find(id);
  if (at == nullptr) return;
  deadlines.remove((*at)->heap_slot);
  opening.erase((*at)->index());
  outgoing.erase(id);
}

void Sessions::Impl::expire_half_open(Time at) {
  std::vector<std::uint32_t> removed;
  half_open.expire(at, removed);
  for (const auto index : removed) opening.erase(index);
}

void Sessions::Impl::on_data(const Path& path, MutableBytes packet) {
  const auto header = read_data_header(packet);
  auto* const* known = header ? indexes.find(header->receiver) : nullptr;
  if (known == nullptr) return on_early(path, header, packet);
  auto& session = **known;
  session.receive(context, now, path, *header, packet);
  touch(session);
}

// Data before there is a session.
void Sessions::Impl::on_early(const Path& path, const Result<DataHeader>& header, ByteView packet) {
  const auto* id = header ? opening.find(header->receiver) : nullptr;
  if (id != nullptr && *id == SessionId{}) return half_open.hold(now, header->receiver, path, packet);
  ++counters.malformed;
  if (header && id == nullptr) on_unknown(path, *header);
}

// Somebody goes on with a session that we had before this run.
void Sessions::Impl::on_unknown(const Path& path, const DataHeader& header) {
  if (!config.resets || path.kind != PathKind::direct || !of_earlier_run(header.receiver, config.run)) return;
  auto answer = resetter.answer(now, path.endpoint.ip, header);
  if (answer) out.push_back({path, std::move(*answer)});
}

void Sessions::Impl::on_reset(const Path& path, ByteView packet) {
  const auto header = *read_reset(packet);
  for (const auto& b : begun) {
    if (b.remote_index != header.receiver) continue;
    auto& session = **sessions.find(b.id);
    if (session.forgotten(context, now, path, header, packet)) return touch(session);
  }
  ++counters.malformed;
}

Sessions::Sessions(SessionsConfig config, const crypto::Suite& suite, Rng& rng, const crypto::Identity& identity)
    : impl_(std::make_unique<Impl>(std::move(config), suite, rng, identity)) {}
Sessions::~Sessions() = default;

void Sessions::set_greeting(Bytes greeting) { impl_->greeting = std::move(greeting); }

void Sessions::set_serving(bool resets, std::size_t max_sessions) {
  impl_->config.resets = resets;
  impl_->config.max_sessions = max_sessions;
}

void Sessions::handle_packet(Time now, const Path& path, MutableBytes packet) {
  impl_->now = now;
  switch (packet.empty() ? 0 : packet[0]) {
    case kMessage1: return impl_->on_message1(path, packet);
    case kMessage2: return impl_->on_message2(path, packet);
    case kMessage3: return impl_->on_message3(path, packet);
    case kCookiePacket: return impl_->on_cookie(path, packet);
    case kDataPacket: return impl_->on_data(path, packet);
    default: ++impl_->counters.malformed;
  }
}

void Sessions::handle_timeout(Time now) {
  auto& impl = *impl_;
  impl.now = now;
  impl.expire_half_open(now);
  while (!impl.deadlines.empty() && impl.deadlines.top().at <= now) {
    const SessionId id{impl.deadlines.top().id};
    if (const auto* at = impl.sessions.find(id)) {
      auto& session = **at;
      impl.deadlines.remove(session.heap_slot);  // until its packets are out
      session.on_timeout(impl.context, now);
      impl.touch(session);
      continue;
    }
    auto& pending = **impl.outgoing.find(id);
    if (pending.given_up(now)) {
      impl.drop_outgoing(id);
      impl.events.push_back(SessionDown{id, DownReason::timed_out});
      continue;
    }
    pending.build(impl.context, now);
    impl.deadlines.set(pending.heap_slot, static_cast<std::uint64_t>(id), pending.next_timeout());
  }
}

Time Sessions::next_timeout() const {
  if (!impl_->dirty.empty()) return impl_->now;
  const auto session = impl_->deadlines.empty() ? kNever : impl_->deadlines.top().at;
  return std::min(session, impl_->half_open.next_timeout());
}

std::optional<PacketOut> Sessions::poll_packet() {
  impl_->flush();
  if (impl_->out.empty()) return std::nullopt;
  return impl_->out.take();
}

std::optional<SessionsEvent> Sessions::poll_event() {
  if (impl_->events.empty()) return std::nullopt;
  return impl_->events.take();
}

Result<SessionId> Sessions::connect(Time now, ConnectTo to) {
  auto& impl = *impl_;
  impl.now = now;
  if (impl.live() >= impl.config.max_sessions) return fail(Fault::full);
  const SessionId id{impl.next_id};
  const auto index = impl.new_index();
  auto started = Outgoing::start(impl.context, now, id, index, std::move(to));
  if (!started) return fail(started.error());
  ++impl.next_id;
  auto& pending = *(impl.outgoing[id] = std::make_unique<Outgoing>(std::move(*started)));
  impl.opening[index] = id;
  pending.build(impl.context, now);
  impl.deadlines.set(pending.heap_slot, static_cast<std::uint64_t>(id), pending.next_timeout());
  return id;
}

void Sessions::accept(Time now, SessionId session) {
  impl_->now = now;
  if (auto* s = impl_->find(session)) s->accept(impl_->context);
}

void Sessions::reject(Time now, SessionId session) {
  impl_->now = now;
  if (auto* s = impl_->find(session)) {
    s->close(impl_->context, now, frame::CloseReason::refused, DownReason::refused);
    impl_->touch(*s);
  }
}

void Sessions::close(Time now, SessionId session) {
  impl_->now = now;
  if (impl_->outgoing.contains(session)) {
    impl_->drop_outgoing(session);
    impl_->events.push_back(SessionDown{session, DownReason::closed});
  } else if (auto* s = impl_->find(session)) {
    s->close(impl_->context, now, frame::CloseReason::closed, DownReason::closed);
    impl_->touch(*s);
  }
}

Status Sessions::send(Time now, SessionId session, Channel channel, Bytes message) {
  impl_->now = now;
  auto* s = impl_->find(session);
  if (s == nullptr) return fail(Fault::not_found);
  if (auto ok = s->send(now, channel, message); !ok) return ok;
  impl_->touch(*s);
  return {};
}

void Sessions::try_path(Time now, SessionId session, const Path& path) {
  impl_->now = now;
  if (auto* s = impl_->find(session)) {
    s->try_path(impl_->context, now, path);
    impl_->touch(*s);
  }
}

void Sessions::ask_both(Time now, SessionId session, Duration lease, bool urgent) {
  impl_->now = now;
  if (auto* s = impl_->find(session)) {
    s->ask_both(impl_->context, now, {lease, urgent});
    impl_->touch(*s);
  }
}

void Sessions::use_path(Time now, SessionId session, const Path& path) {
  impl_->now = now;
  if (auto* s = impl_->find(session)) {
    s->use_path(impl_->context, now, path);
    impl_->touch(*s);
  }
}

void Sessions::drop_path(Time now, SessionId session, const Path& path) {
  impl_->now = now;
  if (auto* s = impl_->find(session)) {
    s->drop_path(impl_->context, now, path);
    impl_->touch(*s);
  }
}

void Sessions::set_keepalive(Time now, Duration every) {
  impl_->now = now;
  if (impl_->config.keepalive == every) return;
  impl_->config.keepalive = every;
  impl_->sessions.each([&](SessionId, auto& session) { impl_->touch(*session); });
}

void Sessions::set_keepalive(Time now, SessionId session, Duration every) {
  impl_->now = now;
  if (auto* s = impl_->find(session)) {
    s->set_keepalive(every);
    impl_->touch(*s);
  }
}

void Sessions::ask_whether_there(Time now, SessionId session) {
  impl_->now = now;
  if (auto* s = impl_->find(session)) {
    s->ask_whether_there(now);
    impl_->touch(*s);
  }
}

void Sessions::note_relay(SessionId session, const Endpoint& endpoint) {
  if (auto* s = impl_->find(session)) s->note_relay(endpoint);
}

void Sessions::set_slow(bool slow) { impl_->config.slow = slow; }
bool Sessions::slow() const { return impl_->config.slow; }

void Sessions::hide(SessionId session, bool hidden) {
  if (auto* s = impl_->find(session)) s->hide(hidden);
}

bool Sessions::reached(SessionId session) const {
  const auto* s = impl_->find(session);
  return s != nullptr && s->reached();
}

std::optional<Path> Sessions::current_path(SessionId session) const {
  const auto* s = impl_->find(session);
  return s == nullptr ? std::nullopt : std::optional(s->paths().current_path());
}

std::vector<Path> Sessions::proven_paths(SessionId session) const {
  std::vector<Path> out;
  if (const auto* s = impl_->find(session)) {
    for (const auto& path : s->paths().all()) {
      if (path.proven) out.push_back(path.path);
    }
  }
  return out;
}

bool Sessions::heard_by(SessionId session, const Path& path) const {
  const auto* s = impl_->find(session);
  const auto* state = s == nullptr ? nullptr : s->paths().find(path);
  return state != nullptr && state->received > 0;
}

std::optional<SessionId> Sessions::session_on(const Path& path) const { return impl_->paths.find(path); }

bool Sessions::tries(const Endpoint& endpoint) const {
  bool out = false;
  impl_->outgoing.each([&](SessionId, const auto& one) { out = out || one->tries(endpoint); });
  // A path that a session's owner wants proven: a stream is made for it.
  const Path straight{PathKind::direct, endpoint, 0, false};
  impl_->sessions.each([&](SessionId, const auto& one) {
    const auto* state = out ? nullptr : one->paths().find(straight);
    out = out || (state != nullptr && state->asked && state->probing);
  });
  return out;
}

std::optional<crypto::SessionKey> Sessions::remote(SessionId session) const {
  const auto* s = impl_->find(session);
  return s == nullptr ? std::nullopt : std::optional(s->remote());
}

std::optional<Duration> Sessions::rtt(SessionId session) const {
  const auto* s = impl_->find(session);
  return s == nullptr ? std::nullopt : s->rtt();
}

std::optional<Time> Sessions::last_heard(SessionId session) const {
  const auto* s = impl_->find(session);
  return s == nullptr ? std::nullopt : std::optional(s->last_heard());
}

Duration Sessions::answer_within(SessionId session) const {
  const auto* s = impl_->find(session);
  return s == nullptr ? RttEstimator::kInitial : s->answer_within(impl_->config);
}

bool Sessions::silent(Time now, SessionId session) const {
  const auto* s = impl_->find(session);
  if (s == nullptr) return true;
  return s->waiting_since() < now && now - s->waiting_since() > s->answer_within(impl_->config);
}

std::size_t Sessions::size() const { return impl_->open; }

std::size_t Sessions::memory_bytes() const {
  std::size_t bytes = sizeof *this + sizeof(Impl) + impl_->half_open.memory_bytes();
  bytes += (impl_->sessions.size() + impl_->outgoing.size()) * 32 + impl_->indexes.size() * 24;  // of the tables
  impl_->sessions.each([&](SessionId, const auto& session) { bytes += session->memory_bytes(); });
  impl_->outgoing.each([&](SessionId, const auto& pending) { bytes += pending->memory_bytes(); });
  bytes += impl_->paths.memory_bytes() + impl_->deadlines.memory_bytes();
  for (const auto& packet : impl_->out) bytes += sizeof packet + packet.bytes.capacity();
  return bytes;
}

const Sessions::Counters& Sessions::counters() const { return impl_->counters; }

}  // namespace linnet::overlay
