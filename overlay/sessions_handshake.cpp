// Sessions: handshake packets in, until a session stands.
#include <algorithm>

#include "overlay/sessions_impl.h"

namespace linnet::overlay {

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
  for (const auto index : removed) opening.erase(index);
  if (entry == nullptr) {
    ++counters.half_open_full;
    return;
  }
  const auto bound = prologue(config.version, config.network, transport_of(path));
  crypto::noise::Setup setup;
  setup.pattern = noise_name(packet.pattern);
  setup.role = crypto::noise::Role::responder;
  setup.prologue = bound;
  setup.static_pair = identity.session;
  setup.ephemeral_pair = suite.ephemeral_pair(crypto::Secret(rng.array<32>()));
  setup.psk = config.psk;
  entry->noise = std::make_unique<crypto::noise::Handshake>(suite, std::move(setup));
  entry->pattern = packet.pattern;
  entry->remote_index = packet.sender;
  entry->message2 = start_handshake(kMessage2, packet.pattern, entry->index, packet.sender);
  const auto read = entry->noise->read(packet.noise);
  Bytes said = copy(resetter.token(entry->index));
  if (greeting.size() <= max_greeting(packet.pattern)) append(said, greeting);
  if (!read || !entry->noise->write(said, entry->message2)) {
    ++counters.bad_mac;
    half_open.complete(*entry);  // the same packet will not cost us a key agreement again
    return;
  }
  append_macs(entry->message2, door.mac1(packet.pattern));
  opening[entry->index] = {};
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
  auto* pending = outgoing_by(packet->receiver);
  if (pending == nullptr) return;
  const auto id = pending->id();
  const bool probe = pending->probes();
  auto answer = pending->on_message2(now, path, *packet);
  if (!answer) {
    ++counters.bad_mac;
    return;
  }
  drop_outgoing(id);
  if (answer->start.remote == identity.session_key()) {  // a bare address that turned out to be our own
    events.push_back(SessionDown{id, DownReason::refused});
    return;
  }
  if (probe) {
    events.push_back(ProbeAnswered{id, answer->start.remote, std::move(answer->greeting), path, answer->start.rtt});
    events.push_back(SessionDown{id, DownReason::closed});
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
  auto* const* known = indexes.find(packet->receiver);
  if (known == nullptr && !opening.contains(packet->receiver)) return;
  if (!door.mac1_good(*packet)) {
    ++counters.bad_mac;
    return;
  }
  if (known != nullptr) {
    auto& session = **known;
    ++counters.replayed;
    // A copy that came by another way says nothing about the source that the first one bore.
    if (session.paths().current_path() == path) session.message3_again(now, packet->mac1, bytes.size());
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
  opening.erase(start.local_index);
  begin_session(std::move(start), std::move(*hello));
  for (auto& [way, packet_in] : early) on_data(way, packet_in);
}

void Sessions::Impl::begin_session(Session::Start start, Bytes payload) {
  const auto id = start.id;
  const auto index = start.local_index;
  const auto remote_index = start.remote_index;
  const bool initiator = start.initiator;
  SessionUp up{id, start.initiator, start.remote, std::move(payload), start.path};
  auto session = std::make_unique<Session>(context, now, std::move(start), std::move(up));
  if (initiator) begun.push_back({remote_index, id});
  auto& kept = *(sessions[id] = std::move(session));
  indexes[index] = &kept;
  touch(kept);
}

void Sessions::Impl::on_cookie(const Path& path, ByteView packet) {
  if (read_reset(packet)) return on_reset(path, packet);
  if (packet.size() != kCookiePacketBytes) {
    ++counters.malformed;
    return;
  }
  Reader in(packet);
  in.u16();
  auto* pending = outgoing_by(in.u32());
  if (pending == nullptr) return;
  pending->on_cookie(context, now, path, packet);
  pending->build(context, now);
  deadlines.set(pending->heap_slot, static_cast<std::uint64_t>(pending->id()), pending->next_timeout());
}

}  // namespace linnet::overlay
