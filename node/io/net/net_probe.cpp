#include "node/io/net/net_probe.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "nat/stun_builder.h"
#include "node/io/clock.h"
#include "node/io/net/address.h"
#include "node/io/net/byte_stream.h"
#include "node/io/net/udp_ports.h"

namespace linnet::io {
namespace {

using nat::stun::Attr;

const nat::stun::RetransmitPlan kPlan{std::chrono::milliseconds(300), 3, 3};

std::string summary(const char* family, const nat::ProbeReport& r) {
  std::string out = std::string(family) + ": ";
  if (!r.mapped) return out + "no supernode answers by UDP";
  out += "seen as " + r.mapped->to_string();
  if (!r.nat) return out + ", no NAT, filtering " + std::string(node::to_string(r.filtering));
  return out + ", mapping " + std::string(node::to_string(r.mapping)) + ", filtering " +
         std::string(node::to_string(r.filtering));
}

}  // namespace

// One socket of a family: nat/probe on it, and beside that one Binding request to each supernode.
struct NetProbe::Family {
  bool v4 = true;
  std::unique_ptr<UdpSocket> socket;        // of nat/probe
  std::unique_ptr<UdpSocket> reach_socket;  // of the requests to each: they would open the filter under test
  std::unique_ptr<nat::Probe> probe;
  nat::stun::Client reach;
  std::vector<std::pair<nat::stun::TransactionId, std::size_t>> asked;  // index in Probed::reach
  std::vector<std::pair<nat::stun::TransactionId, Time>> sent;
  bool told = false;

  bool over() const { return probe->finished() && asked.empty(); }
};

// One TCP connection that is only made to see that it can be.
struct NetProbe::Knock {
  Fd fd;
  std::unique_ptr<Loop::Watch> watch;
  std::unique_ptr<ByteStream> tls;  // instead of both
  std::size_t of = 0;
  bool at443 = false;
  Time began{};
  bool over = false;
};

NetProbe::NetProbe(Loop& loop, Rng& rng, const std::vector<Endpoint>& servers, bool tcp, Ears ears, std::uint16_t https)
    : loop_(loop), rng_(rng), servers_(servers), tcp_(tcp), ears_(std::move(ears)), https_(https) {}
NetProbe::~NetProbe() = default;

void NetProbe::start() {
  began_ = now();
  alarm_ = loop_.alarm([this] { tick(); });
  for (const auto& server : servers_) {
    if (found_.reach.size() < kMaxReach) found_.reach.push_back({server, {}, {}, {}, {}});
  }
  found_.tried_tcp = tcp_;
  for (const bool v4 : {true, false}) {
    std::vector<Endpoint> of_family;
    for (const auto& server : servers_)
      if (server.ip.is_v4() == v4 && of_family.size() < nat::Probe::kMaxServers) of_family.push_back(server);
    if (!of_family.empty()) begin_family(v4, of_family);
  }
  begin_reach();
  for (auto& family : families_) moved(*family);
  settle();
}

void NetProbe::begin_family(bool v4, const std::vector<Endpoint>& servers) {
  const Endpoint any{v4 ? IpAddress::v4(0) : IpAddress::v6({}), 0};
  auto socket = UdpSocket::open(any), reach = UdpSocket::open(any);
  if (!socket || !reach) return;
  auto family = std::make_unique<Family>();
  family->v4 = v4;
  family->socket = std::move(*socket);
  family->reach_socket = std::move(*reach);
  nat::ProbeConfig config;
  config.local = Endpoint{IpAddress{}, family->socket->local().port};
  config.own = interface_addresses();
  config.servers = servers;
  family->probe = std::make_unique<nat::Probe>(now(), config, rng_);
  auto* self = family.get();
  UdpSocket::Ears probe;
  probe.pass = [](Time, const Datagram&) { return false; };  // nothing here is passed on
  probe.passed = [] {};
  probe.receive = [self](const Datagram& d) {
    const auto message = nat::stun::Message::parse(d.bytes);
    if (message) (void)self->probe->handle(now(), d.from, *message);
  };
  probe.drained = [this, self] { moved(*self); };
  UdpSocket::Ears each = probe;
  each.receive = [this, self](const Datagram& d) { on_udp(now(), *self, d); };
  family->socket->start(loop_, std::move(probe));
  family->reach_socket->start(loop_, std::move(each));
  families_.push_back(std::move(family));
}

void NetProbe::begin_reach() {
  for (std::size_t i = 0; i < found_.reach.size(); ++i) {
    const auto& to = found_.reach[i].endpoint;
    for (auto& family : families_) {
      if (family->v4 != to.ip.is_v4()) continue;
      const auto id = rng_.array<12>();
      nat::stun::Builder out(nat::stun::Class::request, nat::stun::Method::binding, id);
      out.fingerprint();
      if (!family->reach.start(now(), to, id, out.take(), kPlan)) continue;
      family->asked.emplace_back(id, i);
      family->sent.emplace_back(id, now());
    }
    if (!tcp_) continue;
    knock(i, false);
    if (to.port != https_) knock(i, true);
    knock_tls(i);
  }
}

void NetProbe::on_udp(Time at, Family& family, const Datagram& d) {
  const auto message = nat::stun::Message::parse(d.bytes);
  if (!message) return;
  const auto id = message->id();
  const auto answered = family.reach.handle(at, *message);
  const auto one = [&](const auto& entry) { return entry.first == id; };
  const auto asked = std::find_if(family.asked.begin(), family.asked.end(), one);
  if (!answered || asked == family.asked.end()) return;
  const auto sent = std::find_if(family.sent.begin(), family.sent.end(), one);
  found_.reach[asked->second].udp = answered->rtt.value_or(at - sent->second);
  family.asked.erase(asked);
}

void NetProbe::knock(std::size_t of, bool at443) {
  auto to = found_.reach[of].endpoint;
  if (at443) to.port = https_;
  auto knock = std::make_unique<Knock>();
  knock->of = of;
  knock->at443 = at443;
  knock->began = now();
  knock->fd = Fd(::socket(to.ip.is_v4() ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!knock->fd) return;
  const auto address = to_socket_address(to);
  if (::connect(knock->fd.get(), address.get(), address.size) != 0 && errno != EINPROGRESS) return;
  auto* self = knock.get();
  const auto look = [this, self] {
    if (self->over) return;
    self->over = true;
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(self->fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    auto& reach = found_.reach[self->of];
    if (error == 0) (self->at443 ? reach.tcp443 : reach.tcp) = now() - self->began;
    self->watch.reset();
    settle();
  };
  knock->watch = loop_.watch(knock->fd.get(), look);
  knock->watch->when_writable(look);
  knocks_.push_back(std::move(knock));
}

// A connection is not all: many a network lets one stand and reads what is said on it.
void NetProbe::knock_tls(std::size_t of) {
  auto to = found_.reach[of].endpoint;
  to.port = https_;
  to.transport = Transport::tls;
  auto knock = std::make_unique<Knock>();
  knock->of = of;
  knock->began = now();
  knock->tls = ByteStream::dial({to, std::nullopt, {}});
  if (!knock->tls) return;
  auto* self = knock.get();
  knocks_.push_back(std::move(knock));
  self->tls->start(
      loop_, [this, self] { look_at_tls(*self); },
      [this, self] {
        self->tls->on_writable();
        look_at_tls(*self);
      });
}

void NetProbe::look_at_tls(Knock& knock) {
  if (knock.over) return;
  std::array<std::uint8_t, 4096> unread;
  const bool stands = knock.tls->read(unread).has_value() && knock.tls->flush();
  if (stands && !knock.tls->ready()) return;
  if (stands) found_.reach[knock.of].tls = now() - knock.began;
  knock.over = true;
  knock.tls.reset();  // what it has to say yet, or that it hung up, would wake us again and again
  settle();
}

void NetProbe::moved(Family& family) {
  while (const auto out = family.probe->poll_transmit()) (void)family.socket->send(*out);
  while (const auto out = family.reach.poll_transmit()) (void)family.reach_socket->send(*out);
  while (const auto id = family.reach.poll_given_up())
    std::erase_if(family.asked, [&](const auto& entry) { return entry.first == *id; });
  family.socket->flush();
  family.reach_socket->flush();
  if (family.probe->finished() && !std::exchange(family.told, true)) {
    (family.v4 ? found_.v4 : found_.v6) = family.probe->report();
    if (ears_.step) ears_.step(summary(family.v4 ? "IPv4" : "IPv6", family.probe->report()));
  }
  settle();
}

void NetProbe::tick() {
  const Time at = now();
  for (auto& family : families_) {
    if (at >= family->probe->next_timeout()) family->probe->handle_timeout(at);
    if (at >= family->reach.next_timeout()) family->reach.handle_timeout(at);
    moved(*family);
    if (over_) return;
  }
  for (auto& knock : knocks_) knock->over = knock->over || at >= knock->began + kTcpLimit;
  settle();
}

void NetProbe::settle() {
  if (over_ || !alarm_) return;
  Time next = kNever;
  bool waits = false;
  for (const auto& family : families_) {
    next = std::min({next, family->probe->next_timeout(), family->reach.next_timeout()});
    waits = waits || !family->over() || !family->told;
  }
  for (const auto& knock : knocks_) {
    if (knock->over) continue;
    waits = true;
    next = std::min(next, knock->began + kTcpLimit);
  }
  if (waits) return alarm_->set(next);
  over_ = true;
  alarm_->set(kNever);
  found_.took = now() - began_;
  // Not from inside a socket's callback: the owner destroys us.
  loop_.post([done = ears_.done, found = found_] { done(found); });
}

}  // namespace linnet::io
