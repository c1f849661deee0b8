#include "node/stun_door.h"

#include <algorithm>
#include <utility>

#include "node/sockets.h"

namespace linnet::node {

StunDoor::StunDoor(std::vector<Endpoint> sockets, std::optional<OneAddress> one_address)
    : sockets_(std::move(sockets)), plain_(nat::BindingServerConfig{}), partner_(std::move(one_address)) {
  for (const bool v4 : {true, false}) {
    const auto pair = discovery_pair(sockets_, v4);
    if (!pair) continue;
    const auto& [primary, other] = *pair;
    discovery_.emplace_back(std::vector<Endpoint>{primary, {primary.ip, other.port}, {other.ip, primary.port}, other},
                            nat::BindingServer(nat::BindingServerConfig{primary, other}));
  }
}

// An address of our own network, or of this machine alone, is no second address for somebody on the Internet.
const nat::BindingServer& StunDoor::server_for(const Endpoint& at, const Endpoint& from) const {
  for (const auto& [places, server] : discovery_) {
    const auto here = [&](const Endpoint& place) { return same_place(place, at); };
    if (std::any_of(places.begin(), places.end(), here) && (at.ip.is_global() || !from.ip.is_global())) return server;
  }
  return plain_;
}

std::optional<Transmit> StunDoor::answer(const Endpoint& from, const nat::stun::Message& request) const {
  const auto index = socket_of(sockets_, from);
  // Without a second address the server needs none of its own to answer from: the socket that was asked answers.
  const Endpoint at = index ? sockets_[*index] : Endpoint{};
  auto answer = server_for(at, from).answer(at, from, request);
  if (!answer) return std::nullopt;
  if (answer->from != at) {
    const auto by = std::find(sockets_.begin(), sockets_.end(), answer->from);
    if (by == sockets_.end()) return std::nullopt;
    answer->to.socket = static_cast<std::uint8_t>(by - sockets_.begin() + 1);
  }
  return Transmit{answer->to, std::move(answer->bytes)};
}

// By the socket of that port; the address may be the unspecified one.
std::optional<Transmit> StunDoor::by_socket(nat::BindingAnswer answer) const {
  const auto by = std::find_if(sockets_.begin(), sockets_.end(), [&](const Endpoint& at) {
    const bool open = at.ip.is_unspecified() || at.ip == IpAddress::v4(0);
    return at.port == answer.from.port && at.ip.is_v4() == answer.from.ip.is_v4() && (open || at.ip == answer.from.ip);
  });
  if (by == sockets_.end()) return std::nullopt;
  answer.to.socket = static_cast<std::uint8_t>(by - sockets_.begin() + 1);
  return Transmit{answer.to, std::move(answer.bytes)};
}

std::optional<Transmit> StunDoor::with_partner(std::uint16_t port, const Endpoint& from,
                                               const nat::stun::Message& request) {
  auto said = partner_.answer(port, from, request);
  if (said.order && orders_.size() < kMaxWaiting) orders_.push_back(*said.order);
  return said.answer ? by_socket(std::move(*said.answer)) : std::nullopt;
}

std::optional<PartnerDesk::Order> StunDoor::poll_order() {
  if (orders_.empty()) return std::nullopt;
  return orders_.take();
}

void StunDoor::not_sent(const PartnerDesk::Order& order) {
  if (out_.size() < kMaxWaiting)
    out_.push_back({order.client, nat::BindingServer::not_sent(order.transaction, order.fingerprint)});
}

bool StunDoor::send_for(Time now, const IpAddress& asker, const PartnerDesk::Order& order) {
  if (out_.size() >= kMaxWaiting) return false;
  auto answer = partner_.send_for(now, asker, order);
  auto out = answer ? by_socket(std::move(*answer)) : std::nullopt;
  if (!out) return false;
  out_.push_back(std::move(*out));
  return true;
}

bool StunDoor::take(Time now, const Datagram& datagram, bool serves,
                    const std::function<bool(const nat::stun::Message&)>& agents) {
  if (datagram.from.transport != Transport::udp || !nat::stun::is_stun(datagram.bytes)) return false;
  const auto message = nat::stun::Message::parse(datagram.bytes);
  if (message && agents && datagram.from.port != 0 && agents(*message)) return true;
  if (!serves || !message || datagram.from.port == 0 || out_.size() >= kMaxWaiting) {
    ++counters_.dropped;
    return true;
  }
  const auto index = socket_of(sockets_, datagram.from);
  const auto port = index ? sockets_[*index].port : std::uint16_t{0};
  const bool partnered = partner_.serves(port, datagram.from, *message);
  auto said = partnered ? std::nullopt : answer(datagram.from, *message);
  if (!partnered && !said) {
    ++counters_.dropped;
    return true;
  }
  if (!limiter_.allow(now, datagram.from.ip)) {
    ++counters_.limited;
    return true;
  }
  if (partnered) said = with_partner(port, datagram.from, *message);
  ++counters_.answered;
  if (said) out_.push_back(std::move(*said));
  return true;
}

std::optional<Transmit> StunDoor::poll_transmit() {
  if (out_.empty()) return std::nullopt;
  return out_.take();
}

}  // namespace linnet::node
