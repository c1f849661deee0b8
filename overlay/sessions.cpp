#include "overlay/sessions.h"

#include <unordered_map>

#include "overlay/deadline_heap.h"
#include "overlay/half_open.h"
#include "overlay/handshake.h"
#include "overlay/session.h"

namespace linnet::overlay {

struct Sessions::Impl {
  Impl(SessionsConfig c, const crypto::Suite& s, Rng& r, const crypto::Identity& i)
      : config(std::move(c)),
        suite(s),
        rng(r),
        identity(i),
        half_open(config.max_half_open),
        door(config, s, r, i.session_key()),
        context{config, suite, rng, identity, counters, events, out, paths, open, reassembly} {}

  // Whose packets carry this index.
  enum class Kind : std::uint8_t { outgoing, half_open, session };
  struct Owner {
    Kind kind;
    SessionId id;
  };

  std::uint32_t new_index();
  Session* find(SessionId id);  // open ones
  const Session* find(SessionId id) const { return const_cast<Impl*>(this)->find(id); }
  void touch(Session& session);
  void flush();
  void schedule(Session& session);
  void remove(Session& session);
  void drop_outgoing(SessionId id);
  void expire_half_open(Time now);
  std::size_t live() const { return sessions.size() + outgoing.size() + half_open.waiting(); }

  void on_message1(const Path& path, ByteView packet);
  void answer_message1(const Path& path, const HandshakePacket& packet);
  void send_message2(HalfOpen& entry, const Path& path, std::size_t received);
  void on_message2(const Path& path, ByteView packet);
  void on_message3(const Path& path, ByteView packet);
  void finish_responder(HalfOpen& entry, const Path& path, const HandshakePacket& packet, std::size_t size);
  void on_cookie(const Path& path, ByteView packet);
  void on_data(const Path& path, MutableBytes packet);
  void begin_session(Session::Start start, Bytes payload);

  SessionsConfig config;
  const crypto::Suite& suite;
  Rng& rng;
  const crypto::Identity& identity;
  Bytes greeting;
  Counters counters;
  std::deque<SessionsEvent> events;
  std::deque<PacketOut> out;
  PathIndex paths;
  std::size_t open = 0;
  std::size_t reassembly = 0;
  HalfOpenTable half_open;
  Door door;
  SessionContext context;

  Time now{};
  std::uint64_t next_id = 1;
  std::unordered_map<SessionId, std::unique_ptr<Session>> sessions;
  std::unordered_map<SessionId, std::unique_ptr<Outgoing>> outgoing;
  std::unordered_map<std::uint32_t, Owner> indexes;
  DeadlineHeap deadlines;
  std::deque<SessionId> dirty;
};

std::uint32_t Sessions::Impl::new_index() {
  for (;;) {
    const auto index = rng.u32();
    if (index != 0 && !indexes.contains(index)) return index;
  }
}

Session* Sessions::Impl::find(SessionId id) {
  const auto at = sessions.find(id);
  return at == sessions.end() || !at->second->open() ? nullptr : at->second.get();
}

void Sessions::Impl::touch(Session& session) {
  if (session.dirty) return;
  session.dirty = true;
  dirty.push_back(session.id());
}

void Sessions::Impl::flush() {
  while (out.empty() && !dirty.empty()) {
    const auto at = sessions.find(dirty.front());
    dirty.pop_front();
    if (at == sessions.end()) continue;
    auto& session = *at->second;
    session.dirty = false;
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
  sessions.erase(session.id());
}

void Sessions::Impl::drop_outgoing(SessionId id) {
  const auto at = outgoing.find(id);
  if (at == outgoing.end()) return;
  deadlines.remove(at->second->heap_slot);
  outgoing.erase(at);
}

void Sessions::Impl::expire_half_open(Time at) {
  std::vector<std::uint32_t> removed;
  half_open.expire(at, removed);
  for (const auto index : removed) indexes.erase(index);
}

void Sessions::Impl::on_message1(const Path& path, ByteView bytes) {
  const auto packet = read_handshake(bytes);
  if (!packet || packet->pattern != pattern_for(knows_responder(packet->pattern), config.psk.has_value())) {
    ++counters.malformed;
    return;
  }
  if (!door.mac1_good(*packet)) {
    ++counters.bad_mac;
    return;
  }
  expire_half_open(now);
  if (auto* known = half_open.by_mac1(packet->mac1)) {
    ++counters.replayed;
    if (known->done) return;
    half_open.refresh(now, *known);
    send_message2(*known, path, bytes.size());
    return;
  }
  const bool loaded = half_open.waiting() >= config.cookies_over || half_open.crowded();
  switch (door.ask(now, path, *packet, loaded)) {
    case Door::Verdict::refuse: ++counters.refused; return;
    case Door::Verdict::cookie:
      ++counters.cookies_sent;
      out.push_back({path, door.cookie_packet(now, path, *packet)});
      return;
    case Door::Verdict::enter: break;
  }
  answer_message1(path, *packet);
}

void Sessions::Impl::answer_message1(const Path& path, const HandshakePacket& packet) {
  std::vector<std::uint32_t> removed;
  auto* entry = live() >= config.max_sessions ? nullptr : half_open.add(now, new_index(), packet.mac1, removed);
  for (const auto index : removed) indexes.erase(index);
  if (entry == nullptr) {
    ++counters.half_open_full;
    return;
  }
  const auto bound = prologue(config.version, config.network);
  crypto::noise::Setup setup;
  setup.pattern = noise_name(packet.pattern);
  setup.role = crypto::noise::Role::responder;
  setup.prologue = bound;
  setup.static_pair = identity.session;
  setup.ephemeral_pair = suite.ephemeral_pair(crypto::Secret(rng.array<32>()));
  setup.psk = config.psk;
  entry->noise.emplace(suite, std::move(setup));
  entry->pattern = packet.pattern;
  entry->remote_index = packet.sender;
  entry->message2 = start_handshake(kMessage2, packet.pattern, entry->index, packet.sender);
  const auto read = entry->noise->read(packet.noise);
  const bool greet = greeting.size() <= max_greeting(packet.pattern);
  if (!read || !entry->noise->write(greet ? ByteView(greeting) : ByteView(), entry->message2)) {
    ++counters.bad_mac;
    half_open.complete(*entry);  // the same packet will not cost us a key agreement again
    return;
  }
  append_macs(entry->message2, door.mac1(packet.pattern));
  indexes[entry->index] = {Kind::half_open, SessionId{}};
  send_message2(*entry, path, kMessage1Bytes);
}

void Sessions::Impl::send_message2(HalfOpen& entry, const Path& path, std::size_t received) {
  auto way = std::find_if(entry.ways.begin(), entry.ways.end(), [&](const auto& w) { return w.path == path; });
  if (way == entry.ways.end()) {
    if (entry.ways.size() >= Outgoing::kMaxPaths) return;
    HalfOpen::Way fresh;
    fresh.path = path;
    way = entry.ways.insert(entry.ways.end(), fresh);
  }
  way->received += received;
  way->sent += entry.message2.size();
  way->answered_at = now;
  ++way->answers;
  out.push_back({path, entry.message2});
}

void Sessions::Impl::on_message2(const Path& path, ByteView bytes) {
  const auto packet = read_handshake(bytes);
  if (!packet) {
    ++counters.malformed;
    return;
  }
  const auto owner = indexes.find(packet->receiver);
  if (owner == indexes.end() || owner->second.kind != Kind::outgoing) return;
  const auto id = owner->second.id;
  auto answer = outgoing.at(id)->on_message2(now, path, *packet);
  if (!answer) {
    ++counters.bad_mac;
    return;
  }
  drop_outgoing(id);
  if (answer->start.remote == identity.session_key()) {  // a bare address that turned out to be our own
    indexes.erase(packet->receiver);
    events.push_back(SessionDown{id, DownReason::refused});
    return;
  }
  begin_session(std::move(answer->start), std::move(answer->greeting));
}

void Sessions::Impl::on_message3(const Path& path, ByteView bytes) {
  const auto packet = read_handshake(bytes);
  if (!packet) {
    ++counters.malformed;
    return;
  }
  const auto owner = indexes.find(packet->receiver);
  if (owner == indexes.end()) return;
  if (!door.mac1_good(*packet)) {
    ++counters.bad_mac;
    return;
  }
  if (owner->second.kind == Kind::session) {
    auto& session = *sessions.at(owner->second.id);
    ++counters.replayed;
    session.message3_again(now, packet->mac1, bytes.size());
    touch(session);
    return;
  }
  auto* entry = half_open.by_index(packet->receiver);
  if (entry == nullptr || entry->pattern != packet->pattern || entry->remote_index != packet->sender) {
    ++counters.malformed;
    return;
  }
  finish_responder(*entry, path, *packet, bytes.size());
}

void Sessions::Impl::finish_responder(HalfOpen& entry, const Path& path, const HandshakePacket& packet,
                                      std::size_t size) {
  auto hello = entry.noise->read(packet.noise);
  if (!hello) {
    ++counters.bad_mac;
    return;
  }
  Session::Start start;
  start.id = SessionId{next_id++};
  start.local_index = entry.index;
  start.remote_index = packet.sender;
  start.remote = *entry.noise->remote_static();
  start.split = entry.noise->split();
  start.binding = entry.noise->handshake_hash();
  start.path = path;
  start.received = size;
  start.message3_mac = packet.mac1;
  entry.tell(now, start);
  auto early = half_open.complete(entry);
  begin_session(std::move(start), std::move(*hello));
  for (auto& [way, packet_in] : early) on_data(way, packet_in);
}

void Sessions::Impl::begin_session(Session::Start start, Bytes payload) {
  const auto id = start.id;
  const auto index = start.local_index;
  SessionUp up{id, start.initiator, start.remote, std::move(payload), start.path};
  auto session = std::make_unique<Session>(context, now, std::move(start), std::move(up));
  indexes[index] = {Kind::session, id};
  auto& kept = *(sessions[id] = std::move(session));
  touch(kept);
}

void Sessions::Impl::on_cookie(const Path& path, ByteView packet) {
  if (packet.size() != kCookiePacketBytes) {
    ++counters.malformed;
    return;
  }
  Reader in(packet);
  in.u16();
  const auto owner = indexes.find(in.u32());
  if (owner == indexes.end() || owner->second.kind != Kind::outgoing) return;
  auto& pending = *outgoing.at(owner->second.id);
  pending.on_cookie(context, now, path, packet);
  pending.build(context, now);
  deadlines.set(pending.heap_slot, static_cast<std::uint64_t>(pending.id()), pending.next_timeout());
}

void Sessions::Impl::on_data(const Path& path, MutableBytes packet) {
  const auto header = read_data_header(packet);
  const auto owner = header ? indexes.find(header->receiver) : indexes.end();
  if (owner != indexes.end() && owner->second.kind == Kind::half_open)
    return half_open.hold(header->receiver, path, packet);
  if (owner == indexes.end() || owner->second.kind != Kind::session) {
    ++counters.malformed;
    return;
  }
  auto& session = *sessions.at(owner->second.id);
  session.receive(context, now, path, *header, packet);
  touch(session);
}

Sessions::Sessions(SessionsConfig config, const crypto::Suite& suite, Rng& rng, const crypto::Identity& identity)
    : impl_(std::make_unique<Impl>(std::move(config), suite, rng, identity)) {}
Sessions::~Sessions() = default;

void Sessions::set_greeting(Bytes greeting) { impl_->greeting = std::move(greeting); }

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
    if (const auto at = impl.sessions.find(id); at != impl.sessions.end()) {
      auto& session = *at->second;
      impl.deadlines.remove(session.heap_slot);  // until its packets are out
      session.on_timeout(impl.context, now);
      impl.touch(session);
      continue;
    }
    auto& pending = *impl.outgoing.at(id);
    if (pending.given_up(now)) {
      impl.indexes.erase(pending.index());
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
  auto packet = std::move(impl_->out.front());
  impl_->out.pop_front();
  return packet;
}

std::optional<SessionsEvent> Sessions::poll_event() {
  if (impl_->events.empty()) return std::nullopt;
  auto event = std::move(impl_->events.front());
  impl_->events.pop_front();
  return event;
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
  impl.indexes[index] = {Impl::Kind::outgoing, id};
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
  if (const auto at = impl_->outgoing.find(session); at != impl_->outgoing.end()) {
    impl_->indexes.erase(at->second->index());
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

void Sessions::drop_path(Time now, SessionId session, const Path& path) {
  impl_->now = now;
  if (auto* s = impl_->find(session)) {
    s->drop_path(impl_->context, now, path);
    impl_->touch(*s);
  }
}

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

std::optional<SessionId> Sessions::session_on(const Path& path) const { return impl_->paths.find(path); }

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

std::size_t Sessions::size() const { return impl_->open; }

std::size_t Sessions::memory_bytes() const {
  std::size_t bytes = sizeof *this + sizeof(Impl) + impl_->half_open.memory_bytes();
  for (const auto& [id, session] : impl_->sessions) bytes += 160 + session->memory_bytes();
  for (const auto& [id, pending] : impl_->outgoing) bytes += 160 + pending->memory_bytes();
  for (const auto& packet : impl_->out) bytes += sizeof packet + packet.bytes.capacity();
  return bytes;
}

const Sessions::Counters& Sessions::counters() const { return impl_->counters; }

}  // namespace linnet::overlay
