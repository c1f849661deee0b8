// The door: the first byte of a datagram picks one room (RFC 7983); what leaves is wrapped for its path.
#include "overlay/peer_impl.h"

namespace linnet::overlay {
namespace {

constexpr std::size_t kMaxOut = 8192;
constexpr std::size_t kMaxVoiceBehind = 4096;  // events that the owner has not taken

}  // namespace

void Peer::Impl::handle(Time now, const Datagram& datagram) {
  ++counters.datagrams_in;
  counters.bytes_in += datagram.bytes.size();
  if (!running) return;
  if (datagram.bytes.empty()) {
    ++counters.malformed;
    return;
  }
  const auto c = at(now);
  const auto first = datagram.bytes[0];
  if (first >= 4 && first <= 8) {
    if (!open_to(datagram.from.ip) && (first == 4 || first == 6) && !attachments.serves(datagram.from)) {
      ++counters.dropped;  // a leaf is called through its supernodes: an answer would tell a stranger where we are
      return;
    }
    if (role && first == 4) greet(now);
    sessions.handle_packet(now, Path{PathKind::direct, datagram.from, 0, false}, datagram.bytes);
  } else if (first == dht::kRequestType || first == dht::kAnswerType) {
    if (open_to(datagram.from.ip)) {
      role->dht().handle_datagram(now, datagram);
    } else {
      ++counters.dropped;
    }
  } else if (first == kForwardType) {
    if (!handle_forward(c, datagram)) return;
  } else if (first >= 128 && first <= 191) {
    return deliver_voice(c, Path{PathKind::direct, datagram.from, 0, false}, datagram.bytes);
  } else {
    ++counters.dropped;
    return;
  }
  pump(now);
}

std::optional<Forward> Peer::Impl::forward(Time now, const Endpoint& from, MutableBytes packet) {
  if (!role || !running) return std::nullopt;
  const auto on = role->forward(now, from, packet);
  if (!on) return on;
  ++counters.datagrams_in;
  counters.bytes_in += packet.size();
  if (on->dropped) {
    ++counters.dropped;
    return on;
  }
  ++counters.forwarded;
  ++counters.datagrams_out;
  counters.bytes_out += packet.size();
  return on;
}

// True when a room of ours got it: what is passed on changes nothing here.
bool Peer::Impl::handle_forward(const Context& c, const Datagram& datagram) {
  const auto packet = read_forward(datagram.bytes);
  if (!packet) {
    ++counters.malformed;
    return false;
  }
  std::optional<Transmit> onward;
  if (const auto* to_leaf = std::get_if<ToLeaf>(&*packet)) {
    if (open_to(datagram.from.ip)) {
      onward = role->bridge_on(c, datagram.from, *to_leaf, datagram.bytes);
      if (!onward) onward = role->pass_down(c, datagram.from, *to_leaf);
    }
  } else {
    const auto& tagged = std::get<Tagged>(*packet);
    if (tagged.kind == ForwardKind::down) {
      return deliver_inner(c, Path{PathKind::forward, datagram.from, tagged.id, true}, tagged.inner);
    }
    if (tagged.kind == ForwardKind::back) {
      if (const auto path = forwards.path_of(datagram.from, tagged.id)) return deliver_inner(c, *path, tagged.inner);
      if (role) onward = role->bridge_back(c, datagram.from, tagged, datagram.bytes);
    } else if (tagged.kind == ForwardKind::up) {
      if (role) onward = role->pass_back(c, datagram.from, tagged);
    } else {
      const auto on = role ? role->forward(c.now, datagram.from, datagram.bytes) : std::nullopt;
      if (!on) return deliver_inner(c, Path{PathKind::circuit, datagram.from, tagged.id, false}, tagged.inner);
      if (!on->dropped) onward = Transmit{on->to, copy(datagram.bytes), on->mark};
    }
  }
  if (!onward || outbox.size() >= kMaxOut) {
    ++counters.dropped;
    return false;
  }
  ++counters.forwarded;
  outbox.push_back(std::move(*onward));
  return false;
}

bool Peer::Impl::deliver_inner(const Context& c, const Path& path, MutableBytes inner) {
  const bool from_supernode = path.kind == PathKind::forward && !path.answering;  // that one is known by our token
  if (!from_supernode && !attachments.serves(path.endpoint)) {
    ++counters.dropped;  // only supernodes that we have a session with pass things on to us
  } else if (inner[0] >= 128) {
    deliver_voice(c, path, inner);
  } else if (inner[0] <= 3) {
    deliver_stun(path, inner);
  } else {
    sessions.handle_packet(c.now, path, inner);
    return true;
  }
  return false;
}

void Peer::Impl::deliver_voice(const Context& c, const Path& path, ByteView packet) {
  const auto on = links.on(c, path);
  if (!on || events.size() >= kMaxVoiceBehind) {
    ++counters.dropped;
    return;
  }
  // Whoever passed on a packet once could keep silence from being noticed.
  if (on->known) links.voice_heard(c.now, on->link);
  emit(LinkVoice{on->link, copy(packet), on->path});
}

void Peer::Impl::voice_out(const Path& path, ByteView packet) {
  auto bytes = bare(path) ? copy(packet) : write_tagged(ForwardKind::circuit, path.id, packet);
  outbox.push_back({path.endpoint, std::move(bytes), Mark::expedited});
}

// What it is worth is for its own tag to say; the circuit only says which link it is about.
void Peer::Impl::deliver_stun(const Path& path, ByteView packet) {
  const auto link = links.with_circuit(path);
  if (!link || events.size() >= kMaxVoiceBehind) {
    ++counters.dropped;
    return;
  }
  emit(LinkStun{*link, path, copy(packet)});
}

std::optional<Transmit> Peer::Impl::wrap(PacketOut packet) {
  const auto& path = packet.path;
  switch (path.kind) {
    case PathKind::direct:
    case PathKind::turn: return Transmit{path.endpoint, std::move(packet.bytes)};
    case PathKind::circuit: return Transmit{path.endpoint, write_tagged(ForwardKind::circuit, path.id, packet.bytes)};
    case PathKind::forward: break;
  }
  if (path.answering) return Transmit{path.endpoint, write_tagged(ForwardKind::up, path.id, packet.bytes)};
  return forwards.wrap(path, packet.bytes);
}

void Peer::Impl::flush() {
  while (auto packet = sessions.poll_packet()) {
    if (auto t = wrap(std::move(*packet))) outbox.push_back(std::move(*t));
  }
}

std::optional<Transmit> Peer::Impl::poll_transmit() {
  const auto count = [&](Transmit t) {
    ++counters.datagrams_out;
    counters.bytes_out += t.bytes.size();
    return t;
  };
  if (!outbox.empty()) {
    return count(outbox.take());
  }
  while (auto packet = sessions.poll_packet()) {
    if (auto t = wrap(std::move(*packet))) return count(std::move(*t));
    ++counters.dropped;
  }
  if (role) {
    if (auto t = role->dht().poll_transmit()) return count(std::move(*t));
  }
  return std::nullopt;
}

}  // namespace linnet::overlay
