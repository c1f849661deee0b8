#include "node/io/net/turn_service.h"

#include <algorithm>

#include "node/io/clock.h"
#include "node/io/log.h"
#include "node/io/net/interfaces.h"

namespace linnet::io {
namespace {

using nat::turn::Onward;
using nat::turn::Server;

bool unspecified(const IpAddress& ip) { return ip.is_unspecified() || ip == IpAddress::v4(0); }

nat::turn::ServerConfig completed(nat::turn::ServerConfig config, const std::vector<Endpoint>& reachable) {
  const auto has = [&](bool v4) {
    return std::any_of(reachable.begin(), reachable.end(), [v4](const Endpoint& e) { return e.ip.is_v4() == v4; });
  };
  config.v4 = has(true);
  config.v6 = has(false);
  return config;
}

}  // namespace

TurnService::TurnService(Loop& loop, Rng& rng, UdpPorts& ports, TcpPorts* tcp, nat::turn::ServerConfig config,
                         PassedOn passed_on, Supernodes supernodes)
    : ports_(ports),
      tcp_(tcp),
      passed_on_(std::move(passed_on)),
      users_(config.users.size()),
      short_lived_(!config.secret.empty()),
      reachable_(ports.reachable()),
      server_(completed(std::move(config), reachable_), rng),
      relays_(loop, rng,
              {[this](Time at, nat::turn::RelayId relay, const Endpoint& peer, nat::turn::Room datagram) {
                 on_peer(at, relay, peer, datagram);
               },
               [this] {
                 sender_.flush();
                 streams_.flush();
                 passed_on_(read_at_);
               }}),
      reach_(loop, rng,
             {std::move(supernodes),
              [this] {
                server_.set_own(own_places());
                look_at_lan();
              }}),
      streams_(loop, TurnStreams::Limits{},
               {[this](Time at, const Endpoint& client, MutableBytes message) { on_stream(at, client, message); },
                [this] {
                  sender_.flush();
                  pump();
                  passed_on_(read_at_);
                },
                [this](const Endpoint& client) {
                  server_.client_gone(client);
                  pump();
                },
                [this](const Endpoint& client) { return server_.serves(client); }}),
      alarm_(loop.alarm([this] {
        server_.handle_timeout(now());
        pump();
      })) {
  reach_.set(relay_addresses());
  server_.set_own(own_places());
  ports_.join_trains();
  if (tcp_ != nullptr) tcp_->set_guests([this](StreamGuest guest) { streams_.take(std::move(guest)); });
}

TurnService::~TurnService() {
  if (tcp_ != nullptr) tcp_->set_guests({});
}

bool TurnService::take(Time read_at, const Datagram& datagram) {
  const auto& bytes = datagram.bytes;
  if (!nat::turn::is_channel_data(bytes) && !nat::turn::is_turn_message(bytes)) return false;
  go_on(read_at, server_.from_client(read_at, datagram.from, bytes), datagram.from, bytes);
  return true;
}

void TurnService::passed() {
  if (!sender_.empty()) sender_.flush();
  pump();
}

void TurnService::on_stream(Time read_at, const Endpoint& client, MutableBytes message) {
  read_at_ = read_at;
  if (nat::turn::is_channel_data(message) || nat::turn::is_turn_message(message))
    return go_on(read_at, server_.from_client(read_at, client, message), client, message);
  const auto request = nat::stun::Message::parse(message);
  if (!request) return;
  if (const auto said = binding_.answer(client, client, *request)) streams_.send(client, said->bytes);
}

void TurnService::go_on(Time now, const Onward& onward, const Endpoint& client, ByteView packet) {
  switch (onward.to) {
    case Onward::To::nobody: return;
    case Onward::To::core: return server_.handle_request(now, client, packet);
    case Onward::To::client: return;
    case Onward::To::peer: break;
  }
  if (onward.dont_fragment) {
    sender_.flush();  // keeps the order
    (void)relays_.send_whole(onward.relay, onward.endpoint, onward.bytes);
  } else {
    sender_.add(relays_.descriptor(onward.relay), onward.endpoint, onward.bytes);
  }
}

void TurnService::on_peer(Time read_at, nat::turn::RelayId relay, const Endpoint& peer, nat::turn::Room datagram) {
  read_at_ = read_at;
  const auto onward = server_.from_peer(read_at, relay, peer, datagram);
  if (onward.to != Onward::To::client) return;
  if (onward.endpoint.transport != Transport::udp) return streams_.send(onward.endpoint, onward.bytes);
  if (const int fd = ports_.descriptor(onward.endpoint); fd >= 0) sender_.add(fd, onward.endpoint, onward.bytes);
}

void TurnService::pump() {
  while (const auto event = server_.poll_event()) {
    if (const auto* wanted = std::get_if<nat::turn::event::Open>(&*event)) open(*wanted);
    if (const auto* over = std::get_if<nat::turn::event::Close>(&*event)) relays_.close(over->relay);
  }
  bool udp = false;
  while (auto transmit = server_.poll_transmit()) {
    if (transmit->to.transport != Transport::udp) {
      streams_.send(transmit->to, transmit->bytes);
    } else {
      ports_.send(std::move(*transmit));
      udp = true;
    }
  }
  if (udp) ports_.flush();
  streams_.flush();
  alarm_->set(server_.next_timeout());
}

void TurnService::open(const nat::turn::event::Open& wanted) {
  using Port = TurnRelays::Port;
  Server::Opened out;
  const auto port = wanted.and_next ? Port::pair : wanted.even ? Port::even : Port::any;
  if (const auto at = wanted.v4 ? address_for(wanted.client, true) : std::nullopt) {
    const auto opened = relays_.open(*at, port);
    out.v4 = opened.relay;
    out.next = opened.next;
  }
  if (const auto at = wanted.v6 ? address_for(wanted.client, false) : std::nullopt) {
    const auto opened = relays_.open(*at, wanted.v4 ? Port::any : port);
    out.v6 = opened.relay;
    if (!wanted.v4) out.next = opened.next;
  }
  for (auto* relay : {&out.v4, &out.v6, &out.next}) relay->at.ip = told(relay->at.ip);
  server_.opened(now(), wanted.allocation, out);
}

// The address that the client came to, where we listen on that alone; else the best of the family: peers must reach it
// as the client does.
std::optional<IpAddress> TurnService::address_for(const Endpoint& client, bool v4) const {
  const auto came_to = client.transport == Transport::udp ? ports_.bound_for(client) : streams_.local(client);
  if (came_to && came_to->ip.is_v4() == v4 && !unspecified(came_to->ip)) return came_to->ip;
  const auto fits = [&](const Endpoint& e) {
    return e.ip.is_v4() == v4 && e.ip.is_loopback() == client.ip.is_loopback();
  };
  const auto best = std::find_if(reachable_.begin(), reachable_.end(), fits);
  if (best != reachable_.end()) return best->ip;
  const auto any = std::find_if(reachable_.begin(), reachable_.end(), [&](auto& e) { return e.ip.is_v4() == v4; });
  return any == reachable_.end() ? std::nullopt : std::optional(any->ip);
}

std::vector<Endpoint> TurnService::own_places() const {
  std::vector<Endpoint> bound = ports_.sockets();
  if (tcp_ != nullptr) {
    const auto streams = tcp_->bound();
    bound.insert(bound.end(), streams.begin(), streams.end());
  }
  std::vector<Endpoint> out;
  const auto machine = interface_addresses();
  for (const auto& at : bound) {
    out.push_back(at);
    if (!unspecified(at.ip)) continue;
    for (const auto& ip : machine)
      if (ip.is_v4() == at.ip.is_v4()) out.push_back(Endpoint{ip, at.port});
  }
  for (std::size_t i = 0, n = out.size(); i < n; ++i) {
    if (const auto ip = told(out[i].ip); ip != out[i].ip) out.push_back(Endpoint{ip, out[i].port});
  }
  return out;
}

void TurnService::addresses_changed() {
  reachable_ = ports_.reachable();
  reach_.set(relay_addresses());
  reach_.doubt();
  server_.set_own(own_places());
  look_at_lan();
}

void TurnService::set_told(std::optional<IpAddress> told) {
  if (told == told_) return;
  told_ = told;
  look_at_lan();
}

void TurnService::look_at_lan() {
  std::vector<IpAddress> reached;
  for (const auto& at : reachable_) reached.insert(reached.end(), {at.ip, told(at.ip)});
  std::vector<std::vector<nat::turn::Range>> links;
  if (told_ && !told_->is_global()) {
    for (const auto& link : multicast_interfaces()) {
      auto& own = links.emplace_back();
      for (const auto& p : link.prefixes) own.push_back({p.ip, p.length + (p.ip.is_v4() ? 96U : 0U)});
    }
  }
  auto ranges = nat::turn::lan_ranges(links, reached, told_.value_or(IpAddress{}));
  if (std::exchange(lan_, !ranges.empty()) != lan_)
    log_info(lan_ ? "TURN relays within this machine's own private network: nobody else knows this supernode."
                  : "TURN relays within private networks no more, but to those that are listed.");
  server_.set_lan_ranges(std::move(ranges));
}

// Of a machine that others reach its loopback is left out.
std::vector<Endpoint> TurnService::outward() const {
  auto out = reachable_;
  std::erase_if(out, [](const Endpoint& e) { return e.ip.is_link_local(); });
  const bool beyond = std::any_of(out.begin(), out.end(), [](const Endpoint& e) { return !e.ip.is_loopback(); });
  if (beyond) std::erase_if(out, [](const Endpoint& e) { return e.ip.is_loopback(); });
  return out;
}

std::vector<IpAddress> TurnService::relay_addresses() const {
  std::vector<IpAddress> out;
  for (const auto& at : outward())
    if (std::find(out.begin(), out.end(), at.ip) == out.end()) out.push_back(at.ip);
  return out;
}

// Streams at the same addresses, where we listen at that address or at all; all as others reach them.
std::vector<Endpoint> TurnService::served() const {
  const auto at = outward();
  std::vector<Endpoint> out;
  for (const auto& e : at) out.push_back({told(e.ip), e.port});
  const auto bound = tcp_ == nullptr ? std::vector<Endpoint>() : tcp_->bound();
  for (const auto& b : bound) {
    for (const auto& e : at) {
      const Endpoint stream{told(e.ip), b.port, Transport::tcp};
      const bool there =
          b.ip == e.ip || (b.ip.is_unspecified() && !e.ip.is_v4()) || (b.ip == IpAddress::v4(0) && e.ip.is_v4());
      if (there && std::find(out.begin(), out.end(), stream) == out.end()) out.push_back(stream);
    }
  }
  return out;
}

nat::turn::Status TurnService::status() const {
  return {server_.size(), streams_.size(), users_, short_lived_, served(), reach_.status(), server_.counters()};
}

}  // namespace linnet::io
