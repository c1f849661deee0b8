#include "node/io/net/lan.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>

#include "node/io/clock.h"
#include "node/io/log.h"
#include "node/io/net/address.h"

namespace linnet::io {
namespace {

namespace mdns = overlay::mdns;

constexpr int kTtl = 255;            // RFC 6762 section 11
constexpr int kMessagesAtOnce = 64;  // then other sockets get their turn
constexpr Duration kProveAgain = std::chrono::seconds(1);

const overlay::dns::Name& service() {
  static const auto name = overlay::dns::name("_linnet._udp.local");
  return name;
}

template <class T>
bool set(int fd, int level, int option, const T& value) {
  return ::setsockopt(fd, level, option, &value, sizeof value) == 0;
}

// Bound to the group itself, so that only what was said to it is heard; shared with other responders of this machine.
Fd group_socket(const mdns::Link& link) {
  const auto group = link.group();
  Fd fd(::socket(link.v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return fd;
  set(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  const auto index = static_cast<int>(link.scope);
  bool good = true;
  if (link.v4) {
    ip_mreqn join{};
    join.imr_ifindex = index;
    std::memcpy(&join.imr_multiaddr, group.ip.bytes.data() + 12, 4);
    good = set(fd.get(), IPPROTO_IP, IP_ADD_MEMBERSHIP, join) && set(fd.get(), IPPROTO_IP, IP_MULTICAST_IF, join) &&
           set(fd.get(), IPPROTO_IP, IP_MULTICAST_TTL, kTtl) && set(fd.get(), IPPROTO_IP, IP_TTL, kTtl);
    set(fd.get(), IPPROTO_IP, IP_MULTICAST_ALL, 0);  // other interfaces have sockets of their own
  } else {
    ipv6_mreq join{};
    join.ipv6mr_interface = link.scope;
    std::memcpy(&join.ipv6mr_multiaddr, group.ip.bytes.data(), 16);
    good = set(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 1) && set(fd.get(), IPPROTO_IPV6, IPV6_JOIN_GROUP, join) &&
           set(fd.get(), IPPROTO_IPV6, IPV6_MULTICAST_IF, index) &&
           set(fd.get(), IPPROTO_IPV6, IPV6_MULTICAST_HOPS, kTtl) &&
           set(fd.get(), IPPROTO_IPV6, IPV6_UNICAST_HOPS, kTtl);
#ifdef IPV6_MULTICAST_ALL
    set(fd.get(), IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0);
#endif
  }
  const auto address = to_socket_address(group);
  if (!good || ::bind(fd.get(), address.get(), address.size) != 0) return {};
  return fd;
}

bool any(const IpAddress& ip) { return ip.is_unspecified(); }

}  // namespace

struct LanDiscovery::OnLink {
  OnLink(mdns::Link link, std::uint16_t our_port, Rng& rng, Fd socket)
      : machine(std::move(link), service(), rng), port(our_port), fd(std::move(socket)) {}

  mdns::Mdns machine;
  std::uint16_t port;
  Fd fd;
  std::map<std::string, overlay::Neighbour> here;  // by instance
  Time prove_at{};
  std::unique_ptr<Loop::Watch> watch;
};

LanDiscovery::LanDiscovery(Loop& loop, Rng& rng, crypto::NetworkId network, std::vector<Endpoint> listen, Ears ears)
    : loop_(loop), rng_(rng), network_(network), listen_(std::move(listen)), ears_(std::move(ears)) {}
LanDiscovery::~LanDiscovery() = default;

void LanDiscovery::start() {
  alarm_ = loop_.alarm([this] { timeout(); });
  rescan();
}

// The port of the socket that hears this address of ours; 0: none does.
std::uint16_t LanDiscovery::port_for(const IpAddress& ip) const {
  for (const auto& at : listen_) {
    const bool wildcard = any(at.ip) && at.ip.is_v4() == ip.is_v4();
    if (wildcard || at.ip.bytes == ip.bytes) return at.port;
  }
  return 0;
}

bool LanDiscovery::reaches(const IpAddress& ip) const {
  return std::any_of(listen_.begin(), listen_.end(), [&](const Endpoint& at) { return at.ip.is_v4() == ip.is_v4(); });
}

void LanDiscovery::rescan() {
  if (left_) return;
  auto current = multicast_interfaces();
  // Only what our sockets hear is ours to announce.
  for (auto& one : current) std::erase_if(one.prefixes, [&](const mdns::Prefix& p) { return port_for(p.ip) == 0; });
  for (auto at = links_.begin(); at != links_.end();) {
    const auto same = [&](const Interface& i) { return i.index == at->first.first; };
    const auto now_there = std::find_if(current.begin(), current.end(), same);
    const auto before = std::find_if(seen_.begin(), seen_.end(), same);
    const bool kept = now_there != current.end() && before != seen_.end() && *now_there == *before;
    if (kept) {
      ++at;
      continue;
    }
    forget(*at->second);
    at = links_.erase(at);
  }
  seen_ = std::move(current);
  for (const auto& one : seen_) {
    for (const bool v4 : {false, true}) {
      const auto fits = [&](const mdns::Prefix& p) { return p.ip.is_v4() == v4 && (v4 || p.ip.is_link_local()); };
      if (links_.count({one.index, v4}) == 0 && std::any_of(one.prefixes.begin(), one.prefixes.end(), fits))
        open(one, v4);
    }
  }
  arm();
}

void LanDiscovery::open(const Interface& interface, bool v4) {
  mdns::Link link{v4, interface.index, interface.prefixes};
  const auto first = std::find_if(link.prefixes.begin(), link.prefixes.end(),
                                  [&](const mdns::Prefix& p) { return p.ip.is_v4() == v4; });
  const auto port = port_for(first->ip);
  std::erase_if(link.prefixes, [&](const mdns::Prefix& p) { return port_for(p.ip) != port; });  // one port is said
  auto fd = group_socket(link);
  if (!fd) return log_warn("neighbours are not looked for on " + interface.name + ": " + os_error());
  auto& made = links_[{interface.index, v4}];
  made = std::make_unique<OnLink>(std::move(link), port, rng_, std::move(fd));
  auto* self = made.get();
  self->watch = loop_.watch(self->fd.get(), [this, self] {
    std::array<std::uint8_t, overlay::dns::kMaxMessage> buffer;
    for (int i = 0; i < kMessagesAtOnce; ++i) {
      sockaddr_storage from{};
      socklen_t size = sizeof from;
      const auto n = ::recvfrom(self->fd.get(), buffer.data(), buffer.size(), MSG_DONTWAIT,
                                reinterpret_cast<sockaddr*>(&from), &size);
      if (n < 0) break;
      self->machine.handle_datagram(
          now(), Datagram{to_endpoint(from), MutableBytes(buffer.data(), static_cast<std::size_t>(n))});
      pump(*self);
    }
    arm();
    ears_.done();
  });
  self->machine.start(now());
  if (!text_.empty()) self->machine.announce(now(), {port, text_});
  pump(*self);
}

void LanDiscovery::forget(OnLink& link) {
  for (const auto& [instance, neighbour] : link.here) ears_.lost(neighbour);
}

void LanDiscovery::timeout() {
  for (auto& [key, link] : links_) {
    if (link->machine.next_timeout() <= now()) link->machine.handle_timeout(now());
    pump(*link);
  }
  arm();
  ears_.done();
}

void LanDiscovery::arm() {
  Time next = kNever;
  for (const auto& [key, link] : links_) next = std::min(next, link->machine.next_timeout());
  if (alarm_) alarm_->set(next);
}

std::optional<overlay::Neighbour> LanDiscovery::neighbour(const mdns::Found& found) const {
  auto text = overlay::read_lan_text(network_, found.txt);
  if (!text) return std::nullopt;
  overlay::Neighbour out{std::move(*text), {}};
  // Link-local IPv6 works whatever else is set up; then IPv4.
  auto addresses = found.addresses;
  const auto rank = [](const IpAddress& ip) { return ip.is_v4() ? 1 : ip.is_link_local() ? 0 : 2; };
  std::stable_sort(addresses.begin(), addresses.end(), [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
  for (const auto& ip : addresses) {
    const bool near = overlay::is_near(ip);
    if (near && reaches(ip) && out.endpoints.size() < overlay::Neighbour::kMaxEndpoints)
      out.endpoints.push_back({ip, found.port, Transport::udp});
  }
  if (out.endpoints.empty()) return std::nullopt;
  return out;
}

// Now and then: a flood comes faster than anybody is met.
void LanDiscovery::prove(OnLink& link) {
  if (now() < link.prove_at) return;
  link.prove_at = now() + kProveAgain;
  for (const auto& [instance, neighbour] : link.here) {
    if (ears_.met(neighbour.text)) link.machine.prove(instance);
  }
}

void LanDiscovery::pump(OnLink& link) {
  while (const auto t = link.machine.poll_transmit()) {
    const auto to = to_socket_address(t->to);
    // What cannot be sent is said again by the protocol.
    (void)::sendto(link.fd.get(), t->bytes.data(), t->bytes.size(), MSG_DONTWAIT, to.get(), to.size);
  }
  while (auto event = link.machine.poll_event()) {
    const auto* found = std::get_if<mdns::Found>(&*event);
    const auto& instance = found ? found->instance : std::get<mdns::Lost>(*event).instance;
    const auto before = link.here.find(instance);
    const auto known = found ? neighbour(*found) : std::nullopt;
    std::optional<overlay::Neighbour> old;
    if (before != link.here.end()) old = before->second;
    if (known) {
      ears_.heard(*known);
      link.here[instance] = *known;
    } else if (old) {
      link.here.erase(before);
    }
    if (old && !(known && *known == *old)) ears_.lost(*old);
  }
  prove(link);
}

void LanDiscovery::announce(const std::optional<overlay::LanText>& text) {
  if (!text || left_) return;
  auto strings = overlay::write(*text);
  if (strings == text_) return;
  text_ = std::move(strings);
  for (auto& [key, link] : links_) {
    link->machine.announce(now(), {link->port, text_});
    pump(*link);
  }
  arm();
}

void LanDiscovery::leave() {
  left_ = true;
  for (auto& [key, link] : links_) {
    link->machine.withdraw(now());
    pump(*link);
  }
  links_.clear();
  if (alarm_) alarm_->set(kNever);
}

}  // namespace linnet::io
