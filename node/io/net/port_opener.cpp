#include "node/io/net/port_opener.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "nat/pcp.h"
#include "node/io/clock.h"
#include "node/io/log.h"
#include "node/io/net/address.h"
#include "node/sockets.h"
#include "overlay/ways.h"

namespace linnet::io {
namespace {

constexpr int kAnswersAtOnce = 32;
// A port that our NAT does not choose for us by itself: what comes in there proves that the router opened it.
constexpr std::uint16_t kFirstPort = 20'000;
constexpr std::uint16_t kPorts = 40'000;

bool anywhere(const IpAddress& ip) { return ip.is_unspecified() || ip == IpAddress::v4(0); }

// To our own address, which others are told anyway.
bool is_pinhole(const nat::PortMapping& mapping) { return mapping.external.ip == mapping.local; }

std::string text_of(const node::OpenPort& port) {
  return shown({port.external.to_string()}) + (port.external.transport == Transport::udp ? "" : " (TCP)") + " by " +
         std::string(nat::to_string(port.by));
}

}  // namespace

// Connected, so that the kernel tells when nobody listens there.
struct PortOpener::ToRouter {
  nat::Router router;
  Fd fd;
  std::unique_ptr<Loop::Watch> watch;
};

PortOpener::PortOpener(Loop& loop, Rng& rng, std::vector<Endpoint> bound, const nat::PortOwner& owner, Ears ears)
    : loop_(loop),
      rng_(rng),
      bound_(std::move(bound)),
      owner_(owner),
      ears_(std::move(ears)),
      mapper_(rng, owner),
      dial_(rng) {}
PortOpener::~PortOpener() = default;

// One for each port that more than this machine hears. The same after a restart, so that a router is not asked for one
// more each time.
std::vector<nat::PortWish> PortOpener::wishes() const {
  std::vector<nat::PortWish> out;
  for (const auto& at : bound_) {
    const auto same = [&](const nat::PortWish& w) { return w.internal == at.port; };
    if (at.ip.is_loopback() || std::any_of(out.begin(), out.end(), same)) continue;
    const auto lot = static_cast<std::uint16_t>((owner_[0] << 8 | owner_[1]) ^ at.port);
    out.push_back({Transport::udp, at.port, static_cast<std::uint16_t>(kFirstPort + lot % kPorts)});
  }
  return out;
}

// The one port that strict networks let out to, for people and leaves behind such. A router behind whose address we
// are hidden can have it for us; who has a global address listens there itself where it may.
std::optional<nat::PortWish> PortOpener::stream_wish() {
  for (const auto& gateway : gateways_) {
    if (!gateway.local.is_v4() || !gateway.local.is_private()) continue;
    const auto port = ears_.stream_port(gateway.local);
    if (port) return nat::PortWish{Transport::tcp, *port, overlay::kTlsPort, true};
  }
  return std::nullopt;
}

void PortOpener::start() {
  wishes_ = wishes();
  if (wishes_.empty()) return;
  alarm_ = loop_.alarm([this] { tick(); });
  mapper_.set_wishes(now(), wishes_);
  listen_for_announcements();
  rescan();
}

void PortOpener::rescan() {
  if (!alarm_ || stopped_) return;
  auto found = ears_.gateways();
  if (found == gateways_) return;
  gateways_ = std::move(found);
  wishes_ = wishes();
  if (const auto wish = stream_wish()) wishes_.insert(wishes_.begin() + 1, *wish);  // before further ports of UDP
  mapper_.set_wishes(now(), wishes_);
  std::vector<nat::Router> wanted;
  for (const auto& gateway : gateways_)
    wanted.push_back({Endpoint{gateway.router, nat::pcp::kServerPort}, gateway.local});
  std::erase_if(routers_,
                [&](const auto& one) { return std::find(wanted.begin(), wanted.end(), one->router) == wanted.end(); });
  for (const auto& router : wanted) {
    const auto same = [&](const auto& one) { return one->router == router; };
    if (std::none_of(routers_.begin(), routers_.end(), same)) open(router);
  }
  std::vector<nat::Router> reached;
  for (const auto& one : routers_) reached.push_back(one->router);
  mapper_.set_routers(now(), reached);
  by_upnp_.clear();
  others_wanted_ = true;
  promised();
  pump();
}

// Where neither PCP nor NAT-PMP helped.
void PortOpener::ask_others() {
  if (!others_wanted_ || !mapper_.unhelpful(now())) return;
  const auto v4 = [](const Gateway& g) { return g.router.is_v4(); };
  const auto gateway = std::find_if(gateways_.begin(), gateways_.end(), v4);
  others_wanted_ = false;
  if (gateway == gateways_.end()) return;
  if (!upnp_) {
    upnp_ = std::make_unique<Upnp>(loop_, [this](std::vector<nat::PortMapping> held) {
      by_upnp_ = std::move(held);
      promised();
      pump();
    });
  }
  upnp_->open(gateway->local, wishes_);
}

std::vector<nat::PortMapping> PortOpener::mappings() const {
  auto out = mapper_.mappings();
  for (const auto& mapping : by_upnp_) {
    const auto same = [&](const nat::PortMapping& m) { return m.external == mapping.external; };
    if (std::none_of(out.begin(), out.end(), same)) out.push_back(mapping);
  }
  return out;
}

void PortOpener::promised() {
  std::vector<Endpoint> promised;
  for (const auto& mapping : mappings()) {
    if (!is_pinhole(mapping)) promised.push_back(mapping.external);
  }
  dial_.set(now(), promised);
}

void PortOpener::open(const nat::Router& router) {
  auto made = std::make_unique<ToRouter>();
  made->router = router;
  const auto local = to_socket_address(Endpoint{router.local, 0}), server = to_socket_address(router.server);
  made->fd = Fd(::socket(router.server.ip.is_v4() ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!made->fd || ::bind(made->fd.get(), local.get(), local.size) != 0 ||
      ::connect(made->fd.get(), server.get(), server.size) != 0) {
    return log_debug("no socket toward the router: " + os_error());
  }
  made->watch = loop_.watch(made->fd.get(), [this, self = made.get()] { read(*self); });
  routers_.push_back(std::move(made));
}

void PortOpener::read(ToRouter& to) {
  std::array<std::uint8_t, nat::pcp::kMaxMessage + 1> buffer;
  for (int i = 0; i < kAnswersAtOnce; ++i) {
    const auto n = ::recv(to.fd.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (n < 0 && errno == ECONNREFUSED) mapper_.unreachable(now(), to.router.server);
    if (n < 0) break;
    mapper_.handle_datagram(now(), {to.router.server, MutableBytes(buffer.data(), static_cast<std::size_t>(n))});
  }
  pump();
}

// Every interface is in the group of all hosts: a socket on that port hears them. Without it a router that started anew
// is noticed at the next renewal.
void PortOpener::listen_for_announcements() {
  announcements_ = Fd(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int on = 1;
  const auto at = to_socket_address(Endpoint{IpAddress::v4(0), nat::pcp::kClientPort});
  if (!announcements_) return;
  ::setsockopt(announcements_.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(announcements_.get(), at.get(), at.size) != 0) return announcements_.reset();
  announced_ = loop_.watch(announcements_.get(), [this] { hear(); });
}

void PortOpener::hear() {
  std::array<std::uint8_t, nat::pcp::kMaxMessage + 1> buffer;
  for (int i = 0; i < kAnswersAtOnce; ++i) {
    sockaddr_storage from{};
    socklen_t size = sizeof from;
    const auto n = ::recvfrom(announcements_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT,
                              reinterpret_cast<sockaddr*>(&from), &size);
    if (n < 0) break;
    mapper_.handle_announcement(now(), {to_endpoint(from), MutableBytes(buffer.data(), static_cast<std::size_t>(n))});
  }
  pump();
}

// What makes a router unhelpful but time comes by pump() anyway: without a router there is nothing to wake up for.
Time PortOpener::next_timeout() const {
  const auto others = others_wanted_ ? mapper_.unhelpful_at() : kNever;
  return std::min({mapper_.next_timeout(), dial_.next_timeout(), others});
}

void PortOpener::tick() {
  mapper_.handle_timeout(now());
  pump();
}

void PortOpener::pump() {
  if (stopped_) return;
  send_to_routers();
  if (mapper_.take_changed()) promised();
  ask_others();
  ask_servers();
  tell();
  alarm_->set(next_timeout());
}

void PortOpener::send_to_routers() {
  while (const auto out = mapper_.poll_transmit()) {
    for (const auto& one : routers_) {
      if (!same_place(one->router.server, out->to)) continue;
      const auto n = ::send(one->fd.get(), out->bytes.data(), out->bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      if (n < 0 && errno == ECONNREFUSED) mapper_.unreachable(now(), out->to);
    }
  }
}

void PortOpener::ask_servers() {
  if (dial_.next_timeout() > now()) return;
  dial_.handle_timeout(now(), ears_.servers());
  while (auto out = dial_.poll_transmit()) send_aside(std::move(*out));
  while (const auto out = dial_.poll_from_port()) send_from_port(*out);
  while (const auto ask = dial_.poll_ask()) ears_.dial(*ask);
}

void PortOpener::send_aside(Transmit out) {
  const bool v4 = out.to.ip.is_v4();
  auto& socket = asker_[v4 ? 0 : 1];
  if (!socket) {
    auto made = UdpSocket::open(Endpoint{v4 ? IpAddress::v4(0) : IpAddress{}, 0});
    if (!made) return;
    socket = std::move(*made);
    UdpSocket::Ears deaf;  // a refusal is as good as silence
    deaf.pass = [](Time, const Datagram&) { return false; };
    deaf.passed = [] {};
    deaf.receive = [](const Datagram&) {};
    deaf.drained = [] {};
    socket->start(loop_, std::move(deaf));
  }
  out.to.socket = 0;
  (void)socket->send(std::move(out));
  socket->flush();
}

void PortOpener::send_from_port(const nat::DialBack::FromPort& out) {
  for (const auto& mapping : mappings()) {
    if (mapping.external != out.promised) continue;
    auto transmit = out.transmit;
    transmit.to.socket = behind(mapping).socket;
    return ears_.send(std::move(transmit));
  }
}

bool PortOpener::take(const Datagram& datagram) {
  if (!alarm_ || !nat::stun::is_stun(datagram.bytes)) return false;
  const auto message = nat::stun::Message::parse(datagram.bytes);
  if (!message || !dial_.handle(now(), datagram.from, *message)) return false;
  pump();
  return true;
}

void PortOpener::doubt() {
  if (!alarm_ || stopped_) return;
  dial_.doubt(now());
  pump();
}

// The socket that a datagram to that port of ours comes to.
Endpoint PortOpener::behind(const nat::PortMapping& mapping) const {
  Endpoint out{mapping.local, mapping.internal, mapping.external.transport};
  if (out.transport != Transport::udp) return out;
  for (std::size_t i = 0; i < bound_.size(); ++i) {
    const auto& at = bound_[i];
    if (at.port != mapping.internal || at.ip.is_v4() != mapping.local.is_v4()) continue;
    if (!anywhere(at.ip) && at.ip != mapping.local) continue;
    const bool usual = node::usual_socket(bound_, mapping.external.ip) == i;
    out.socket = usual ? 0 : static_cast<std::uint8_t>(i + 1);
    break;
  }
  return out;
}

void PortOpener::tell() {
  std::vector<node::OpenPort> open;
  for (const auto& mapping : mappings()) {
    const auto proven = dial_.reached(mapping.external);
    std::optional<bool> reached;
    if (!is_pinhole(mapping)) reached = proven.has_value();
    open.push_back({behind(mapping), proven.value_or(mapping.external), mapping.by, reached, mapping.until,
                    dial_.proof(mapping.external)});
  }
  if (open == told_) return;
  for (const auto& port : open) {
    const auto same = [&](const node::OpenPort& p) { return p.external == port.external && p.reached == port.reached; };
    if (port.reached == true && std::none_of(told_.begin(), told_.end(), same))
      log_info("the router opened a port, and a supernode came in by it: " + text_of(port));
  }
  told_ = open;
  ears_.changed(std::move(open));
}

void PortOpener::stop() {
  if (!alarm_ || stopped_) return;
  mapper_.stop(now());
  send_to_routers();
  if (upnp_) upnp_->stop();
  stopped_ = true;
  alarm_->set(kNever);
}

}  // namespace linnet::io
