#include "nat/turn_server.h"

#include <algorithm>

namespace linnet::nat::turn {

using stun::Attr;
using stun::Class;
using stun::ErrorCode;
using stun::Method;

std::size_t Server::Hash::operator()(const Endpoint& e) const noexcept {
  std::uint64_t a = 0;
  std::uint64_t b = 0;
  std::memcpy(&a, e.ip.bytes.data(), 8);
  std::memcpy(&b, e.ip.bytes.data() + 8, 8);
  const auto rest = std::uint64_t{e.port} << 16 | static_cast<std::uint64_t>(e.transport) << 8 | e.socket;
  // Two multiplications, so that who does not know the secret cannot aim at one bucket.
  auto h = (a ^ secret) * 0x9e3779b97f4a7c15U ^ (b + rest * 0xff51afd7ed558ccdU);
  h = (h ^ h >> 29 ^ secret) * 0xbf58476d1ce4e5b9U;
  return static_cast<std::size_t>(h ^ h >> 32);
}

Server::Server(ServerConfig config, Rng& rng)
    : config_(std::move(config)),
      rng_(rng),
      credentials_(config_.realm, config_.users, config_.secret, rng),
      allocations_(16, Hash{rng.u64()}),
      indication_(rng.array<12>()) {}

Allocation* Server::find(const Endpoint& client) {
  if (last_ != nullptr && last_->client == client) return last_;
  const auto found = allocations_.find(client);
  return found == allocations_.end() ? nullptr : last_ = found->second.get();
}

Onward Server::dropped() {
  ++counters_.dropped;
  return {};
}

bool Server::pay(std::size_t bytes) {
  if (config_.allowance == nullptr || config_.allowance->take(bytes)) return true;
  ++counters_.over_month;
  return false;
}

Onward Server::send(Time now, Allocation& from, const Endpoint& peer, MutableBytes data, bool dont_fragment) {
  const auto& relay = from.relay_for(peer.ip);
  auto* permission = from.peers.permission(now, peer.ip);
  if (relay.id == 0 || permission == nullptr || !permission->may_send(data)) return dropped();
  if (!pay(data.size())) return dropped();
  ++counters_.to_peers;
  counters_.bytes += data.size();
  return Onward{Onward::To::peer, dont_fragment, relay.id, peer, data};
}

Onward Server::from_client(Time now, const Endpoint& client, MutableBytes packet) {
  if (is_channel_data(packet)) {
    auto* allocation = find(client);
    const auto data = read_channel_data(packet);
    if (allocation == nullptr || !data) return dropped();
    const auto* channel = allocation->peers.channel(now, data->number);
    if (channel == nullptr) return dropped();
    return send(now, *allocation, channel->peer(), data->data, false);
  }
  if (packet.size() >= stun::kHeaderBytes && packet[0] == 0x00 && packet[1] == 0x16)
    return on_send_indication(now, client, packet);
  Onward out;
  out.to = Onward::To::core;
  return out;
}

// Section 11.2: whatever is wrong with it, nobody is told.
Onward Server::on_send_indication(Time now, const Endpoint& client, MutableBytes packet) {
  constexpr Attr kUnderstood[] = {Attr::xor_peer_address, Attr::data, Attr::dont_fragment};
  auto* allocation = find(client);
  const auto message = allocation == nullptr ? fail(Fault::not_found) : stun::Message::parse(packet);
  if (!message || !message->unknown_required(kUnderstood).empty()) return dropped();
  const auto* place = message->attribute(Attr::xor_peer_address);
  const auto* data = message->attribute(Attr::data);
  if (place == nullptr || data == nullptr) return dropped();
  const auto peer = read_place(*message, *place);
  // The permission says that its address is one that we send to; the port may be one of our own.
  const bool disguised = peer && peer->ip.is_v4() && place->length != 8;
  if (!peer || disguised || peer->port == 0 || config_.policy.is_own(*peer)) return dropped();
  return send(now, *allocation, *peer, packet.subspan(data->offset, data->length), message->has(Attr::dont_fragment));
}

Onward Server::from_peer(Time now, RelayId relay, const Endpoint& peer, Room datagram) {
  auto* allocation = relay < by_relay_.size() ? by_relay_[relay] : nullptr;
  auto* permission = allocation == nullptr ? nullptr : allocation->peers.permission(now, peer.ip);
  if (permission == nullptr || !pay(datagram.size)) return dropped();
  if (!permission->answered) permission->received(ByteView(datagram.data, datagram.size));
  ++counters_.to_clients;
  counters_.bytes += datagram.size;
  Onward out;
  out.to = Onward::To::client;
  out.endpoint = allocation->client;
  const auto* channel = allocation->peers.channel_to(now, peer);
  out.bytes = channel != nullptr
                  ? write_channel_data(datagram, channel->number, out.endpoint.transport != Transport::udp)
                  : write_data_indication(datagram, peer, indication_id());
  return out;
}

// Nobody answers an indication: it only has to differ.
stun::TransactionId Server::indication_id() {
  auto out = indication_;
  ++indications_;
  for (std::size_t i = 0; i < 8; ++i) out[4 + i] ^= static_cast<std::uint8_t>(indications_ >> (8 * i));
  return out;
}

void Server::handle_wall(Time now, Wall wall) { clock_ = {now, wall}; }

std::optional<Wall> Server::wall(Time now) const {
  if (!clock_) return std::nullopt;
  return clock_->wall + std::chrono::duration_cast<std::chrono::seconds>(now - clock_->at);
}

void Server::handle_request(Time now, const Endpoint& client, ByteView packet) {
  const auto message = stun::Message::parse(packet);
  if (!message || message->message_class() != Class::request || client.port == 0) {
    ++counters_.dropped;
    return;
  }
  const auto method = message->method();
  const auto handler = method == Method::allocate            ? &Server::on_allocate
                       : method == Method::refresh           ? &Server::on_refresh
                       : method == Method::create_permission ? &Server::on_create_permission
                       : method == Method::channel_bind      ? &Server::on_channel_bind
                                                             : nullptr;
  const auto who = credentials_.check(now, wall(now), client, *message);
  if (!who) return challenge(now, client, *message, who.error());
  const Asked asked{now, client, *message, *who, find(client)};
  if (who->expired && asked.allocation == nullptr) return challenge(now, client, *message, ErrorCode::unauthenticated);
  if (handler == nullptr) return refuse(asked, ErrorCode::bad_request);
  constexpr Attr kUnderstood[] = {Attr::username, Attr::userhash, Attr::message_integrity,
                                  Attr::message_integrity_sha256, Attr::realm, Attr::nonce, Attr::password_algorithm,
                                  Attr::channel_number, Attr::lifetime, Attr::xor_peer_address, Attr::data,
                                  Attr::requested_address_family, Attr::even_port, Attr::requested_transport,
                                  Attr::dont_fragment, Attr::reservation_token,
                                  // Of answers: known, and passed over here (RFC 8489, section 6.3).
                                  Attr::mapped_address, Attr::xor_mapped_address, Attr::xor_relayed_address,
                                  Attr::error_code, Attr::unknown_attributes};
  const auto unknown = message->unknown_required(kUnderstood);
  if (!unknown.empty()) return refuse(asked, ErrorCode::unknown_attribute, unknown);
  // Section 5: whose allocation it is.
  if (asked.allocation != nullptr && asked.allocation->owner.user != who->user)
    return refuse(asked, ErrorCode::wrong_credentials);
  (this->*handler)(asked);
}

// Without the words: they would make the answer longer than five times a bare request (security.md, check 10).
void Server::challenge(Time now, const Endpoint& client, const stun::Message& request, ErrorCode code) {
  ++counters_.unauthenticated;
  if (!client.ip.is_loopback() && !limiter_.allow(now, client.ip)) {
    ++counters_.limited;
    return;
  }
  stun::Builder out(Class::error, request.method(), request.id());
  const auto number = static_cast<std::uint16_t>(code);
  const ByteArray<4> wordless{0, 0, static_cast<std::uint8_t>(number / 100), static_cast<std::uint8_t>(number % 100)};
  out.bytes(Attr::error_code, wordless);
  if (code != ErrorCode::bad_request) credentials_.challenge(now, client, out);
  if (request.has(Attr::fingerprint)) out.fingerprint();
  send_to(client, out.take());
}

void Server::refuse(const Asked& asked, ErrorCode code, const stun::AttrList& unknown) {
  stun::Builder out(Class::error, asked.message.method(), asked.message.id());
  out.error(code);
  if (!unknown.empty()) out.unknown_attributes({unknown.begin(), unknown.end()});
  answer(asked, out);
}

void Server::answer(const Asked& asked, stun::Builder& out) {
  credentials_.sign(asked.who, out);
  if (asked.message.has(Attr::fingerprint)) out.fingerprint();
  send_to(asked.client, out.take());
}

void Server::send_to(const Endpoint& client, Bytes bytes) {
  if (out_.size() < kMaxWaiting) out_.push_back(Transmit{client, std::move(bytes)});
}

void Server::close(Relay& relay) {
  if (relay.id == 0) return;
  if (relay.id < by_relay_.size()) by_relay_[relay.id] = nullptr;
  events_.push_back(event::Close{relay.id});
  relay = {};
}

void Server::remove(const Endpoint& client) {
  const auto found = allocations_.find(client);
  if (found == allocations_.end()) return;
  auto& allocation = *found->second;
  close(allocation.v4);
  close(allocation.v6);
  last_ = nullptr;
  allocations_.erase(found);
}

void Server::client_gone(const Endpoint& client) { remove(client); }

void Server::handle_timeout(Time now) {
  if (now < next_timeout()) return;
  swept_ = now;
  std::vector<Endpoint> over;
  for (const auto& [client, allocation] : allocations_) {
    if (allocation->until <= now) over.push_back(client);
  }
  for (const auto& client : over) remove(client);
  for (auto& one : reservations_) {
    if (one.until <= now) close(one.relay);
  }
  std::erase_if(reservations_, [](const Reservation& one) { return one.relay.id == 0; });
}

std::optional<Transmit> Server::poll_transmit() {
  if (out_.empty()) return std::nullopt;
  return out_.take();
}

std::optional<Server::Event> Server::poll_event() {
  if (events_.empty()) return std::nullopt;
  return events_.take();
}

std::size_t Server::memory_bytes() const {
  std::size_t out = 0;
  for (const auto& [client, allocation] : allocations_)
    out += sizeof(Allocation) + sizeof(client) + 4 * sizeof(void*) + allocation->peers.memory_bytes();
  return out;
}

}  // namespace linnet::nat::turn
