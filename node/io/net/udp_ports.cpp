#include "node/io/net/udp_ports.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include <algorithm>

#include "node/io/net/address.h"
#include "node/sockets.h"

namespace linnet::io {
namespace {

int rank(const IpAddress& ip) { return ip.is_loopback() ? 3 : ip.is_global() ? (ip.is_v4() ? 0 : 1) : 2; }

}  // namespace

std::vector<IpAddress> interface_addresses() {
  std::vector<IpAddress> out;
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return out;
  for (const ifaddrs* i = list; i != nullptr; i = i->ifa_next) {
    if (i->ifa_addr == nullptr || (i->ifa_flags & IFF_UP) == 0) continue;
    const int family = i->ifa_addr->sa_family;
    if (family != AF_INET && family != AF_INET6) continue;
    sockaddr_storage storage{};
    std::memcpy(&storage, i->ifa_addr, family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
    auto ip = to_endpoint(storage).ip;
    if (ip.is_link_local()) continue;
    ip.scope = 0;
    out.push_back(ip);
  }
  ::freeifaddrs(list);
  std::stable_sort(out.begin(), out.end(), [](const IpAddress& a, const IpAddress& b) { return rank(a) < rank(b); });
  return out;
}

Outcome<UdpPorts> UdpPorts::open(const std::vector<Endpoint>& listen) {
  UdpPorts out;
  if (listen.empty()) {
    auto v4 = UdpSocket::open(Endpoint{IpAddress::v4(0), kDefaultPort});
    if (!v4) return tl::unexpected(v4.error());
    out.add(std::move(*v4));
    auto v6 = UdpSocket::open(Endpoint{IpAddress::v6({}), kDefaultPort});
    if (v6) out.add(std::move(*v6));  // a machine without IPv6 is fine
    return out;
  }
  if (listen.size() > kMost) return trouble("At most " + std::to_string(kMost) + " addresses to listen on.");
  for (const auto& at : listen) {
    auto socket = UdpSocket::open(at);
    if (!socket) return tl::unexpected(socket.error());
    out.add(std::move(*socket));
  }
  return out;
}

std::vector<Endpoint> UdpPorts::bound() const {
  std::vector<Endpoint> out;
  for (std::size_t i = 0; i < sockets_.size() - of_discovery_; ++i) out.push_back(sockets_[i]->local());
  return out;
}

void UdpPorts::add(std::unique_ptr<UdpSocket> socket) {
  locals_.push_back(socket->local());
  sockets_.push_back(std::move(socket));
  if (loop_ != nullptr) start(sockets_.size() - 1);
}

Done UdpPorts::bind_for_discovery() {
  for (const bool v4 : {true, false}) {
    for (const auto& at : node::missing_for_discovery(locals_, v4)) {
      if (sockets_.size() >= kMost) return {};
      auto socket = UdpSocket::open(at);
      if (!socket) return tl::unexpected(socket.error());
      add(std::move(*socket));
      ++of_discovery_;
    }
  }
  return {};
}

std::optional<std::uint16_t> UdpPorts::bind_for_partner(const Endpoint& at) {
  const bool v4 = at.ip.is_v4();
  if (node::discovery_pair(locals_, v4) || sockets_.size() >= kMost || at.port == 0xffff) return std::nullopt;
  for (const auto& other : reachable()) {
    const bool reached = other.ip.is_global() == at.ip.is_global() && other.ip.is_loopback() == at.ip.is_loopback();
    if (other.ip.is_v4() == v4 && other.ip != at.ip && reached) return std::nullopt;  // which one answers nobody chose
  }
  const auto own = std::find_if(locals_.begin(), locals_.end(), [&](const Endpoint& local) {
    const bool open = local.ip.is_unspecified() || local.ip == IpAddress::v4(0);
    return local.port == at.port && local.ip.is_v4() == v4 && (open || local.ip == at.ip);
  });
  if (own == locals_.end()) return std::nullopt;
  auto second = *own;
  ++second.port;
  auto socket = UdpSocket::open(second);
  if (!socket) return std::nullopt;
  add(std::move(*socket));
  ++of_discovery_;
  return second.port;
}

void UdpPorts::close_discovery() {
  sockets_.resize(sockets_.size() - of_discovery_);
  locals_.resize(sockets_.size());
  of_discovery_ = 0;
}

std::vector<Endpoint> UdpPorts::reachable() const {
  std::vector<Endpoint> out;
  for (const auto& at : bound()) {
    if (!at.ip.is_unspecified() && at.ip != IpAddress::v4(0)) {
      out.push_back(at);
      continue;
    }
    for (const auto& ip : interface_addresses())
      if (ip.is_v4() == at.ip.is_v4()) out.push_back(Endpoint{ip, at.port});
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const Endpoint& a, const Endpoint& b) { return rank(a.ip) < rank(b.ip); });
  return out;
}

std::optional<std::uint16_t> UdpPorts::beyond_loopback() const {
  for (const auto& socket : sockets_) {
    if (!socket->local().ip.is_loopback()) return socket->local().port;
  }
  return std::nullopt;
}

void UdpPorts::start(Loop& loop, const Ears& ears) {
  ears_ = ears;
  loop_ = &loop;
  for (std::size_t i = 0; i < sockets_.size(); ++i) start(i);
}

void UdpPorts::start(std::size_t i) {
  UdpSocket::Ears of_socket;
  of_socket.pass = [this, i](Time read_at, const Datagram& d) {
    const Datagram named_one{named(d.from, i), d.bytes};
    return (ears_.first && ears_.first(read_at, named_one)) || (ears_.forward && pass(read_at, named_one));
  };
  of_socket.passed = [this] {
    if (ears_.passed) ears_.passed();
    if (onward_) onward_->flush();
  };
  of_socket.receive = [this, i](const Datagram& d) { ears_.receive(Datagram{named(d.from, i), d.bytes}); };
  of_socket.drained = ears_.drained;
  sockets_[i]->start(*loop_, std::move(of_socket));
}

void UdpPorts::join_trains() {
  for (auto& socket : sockets_) socket->join_trains();
}

bool UdpPorts::pass(Time read_at, const Datagram& datagram) {
  const auto on = ears_.forward(read_at, datagram);
  if (!on || on->dropped) return on.has_value();
  if (on->to.transport != Transport::udp) {
    ears_.beside(Transmit{on->to, copy(datagram.bytes), on->mark});
  } else if (auto* socket = choose(on->to)) {
    if (!onward_) onward_ = std::make_unique<BatchSender>();
    onward_->add(socket->descriptor(), on->to, datagram.bytes, on->mark);
  } else {
    ++unroutable_;
  }
  return true;
}

Endpoint UdpPorts::named(Endpoint from, std::size_t socket) {
  from.socket =
      sockets_.size() == 1 || usual(from) == sockets_[socket].get() ? 0 : static_cast<std::uint8_t>(socket + 1);
  return from;
}

std::optional<std::uint8_t> UdpPorts::adopt(Loop& loop, Fd fd) {
  auto at = std::find(adopted_.begin(), adopted_.end(), nullptr);
  if (at == adopted_.end() && adopted_.size() < node::kMostAdopted) at = adopted_.insert(at, nullptr);
  auto socket = at == adopted_.end() || !fd ? trouble("No room.") : UdpSocket::from(std::move(fd));
  if (!socket) return std::nullopt;
  const auto number = static_cast<std::uint8_t>(node::kFirstAdopted + (at - adopted_.begin()));
  *at = std::move(*socket);
  UdpSocket::Ears ears;
  ears.pass = [](Time, const Datagram&) { return false; };
  ears.passed = [] {};
  ears.receive = [this, number](const Datagram& d) {
    auto from = d.from;
    from.socket = number;
    ears_.receive(Datagram{from, d.bytes});
  };
  ears.drained = ears_.drained;
  (*at)->start(loop, std::move(ears));
  return number;
}

UdpSocket* UdpPorts::adopted(std::uint8_t number) {
  const auto index = static_cast<std::size_t>(number) - node::kFirstAdopted;
  return number >= node::kFirstAdopted && index < adopted_.size() ? adopted_[index].get() : nullptr;
}

void UdpPorts::close(std::uint8_t number) {
  if (adopted(number) != nullptr) adopted_[static_cast<std::size_t>(number) - node::kFirstAdopted].reset();
}

UdpSocket* UdpPorts::choose(const Endpoint& to) {
  if (to.socket == 0) return usual(to);
  if (to.socket >= node::kFirstAdopted) return adopted(to.socket);
  return to.socket <= sockets_.size() ? sockets_[to.socket - 1U].get() : nullptr;
}

UdpSocket* UdpPorts::usual(const Endpoint& to) {
  const auto index = node::usual_socket(locals_, to.ip);
  return index ? sockets_[*index].get() : nullptr;
}

int UdpPorts::descriptor(const Endpoint& to) {
  const auto* socket = choose(to);
  return socket == nullptr ? -1 : socket->descriptor();
}

std::optional<Endpoint> UdpPorts::bound_for(const Endpoint& to) const {
  if (to.socket != 0) return to.socket <= locals_.size() ? std::optional(locals_[to.socket - 1U]) : std::nullopt;
  const auto index = node::usual_socket(locals_, to.ip);
  return index ? std::optional(locals_[*index]) : std::nullopt;
}

void UdpPorts::send(Transmit transmit) {
  UdpSocket* socket = transmit.to.transport == Transport::udp ? choose(transmit.to) : nullptr;
  if (socket == nullptr) {
    ++unroutable_;
    return;
  }
  socket->send(std::move(transmit));
}

void UdpPorts::flush() {
  for (auto& socket : sockets_) socket->flush();
  for (auto& socket : adopted_) {
    if (socket) socket->flush();
  }
}

std::uint64_t UdpPorts::dropped() const {
  std::uint64_t n = unroutable_ + (onward_ ? onward_->lost() : 0);
  for (const auto& socket : sockets_) n += socket->dropped();
  return n;
}

}  // namespace linnet::io
