#include "node/io/net/reach_watch.h"

#include <algorithm>

#include "node/io/clock.h"
#include "node/io/net/turn_relays.h"

namespace linnet::io {
namespace {

constexpr int kPortsToTry = 8;

UdpSocket::Ears only(UdpSocket::Receive receive) {
  UdpSocket::Ears ears;
  ears.pass = [](Time, const Datagram&) { return false; };
  ears.passed = [] {};
  ears.receive = std::move(receive);
  ears.drained = [] {};
  return ears;
}

}  // namespace

struct ReachWatch::Sockets {
  std::unique_ptr<UdpSocket> silent, asker;
  nat::ReachProof proof;
  bool listening = false;
};

ReachWatch::ReachWatch(Loop& loop, Rng& rng, Look look, Ears ears)
    : loop_(loop), rng_(rng), wanted_(look), ears_(std::move(ears)), alarm_(loop.alarm([this] { tick(); })) {}
ReachWatch::~ReachWatch() = default;

std::optional<Endpoint> ReachWatch::asked_about(const std::vector<Endpoint>& reachable) const {
  const auto first = [&](auto fits) -> std::optional<Endpoint> {
    const auto udp = [&](const Endpoint& e) { return e.transport == Transport::udp && fits(e.ip); };
    const auto at = std::find_if(reachable.begin(), reachable.end(), udp);
    return at == reachable.end() ? std::nullopt : std::optional(*at);
  };
  const auto global = first([](const IpAddress& ip) { return ip.is_v4() && ip.is_global(); });
  const auto hidden = first([](const IpAddress& ip) { return ip.is_v4() && ip.is_private(); });
  if (global) return wanted_ == Look::any ? global : std::nullopt;
  const auto wide = wanted_ == Look::any ? first([](const IpAddress& ip) { return ip.is_global(); }) : std::nullopt;
  return wide ? wide : hidden;
}

void ReachWatch::set(const std::vector<Endpoint>& reachable) {
  const auto own = asked_about(reachable);
  if (!own) {
    at_.reset();
  } else if (!at_ || at_->proof.own() != *own) {
    begin(*own);
  }
  look();
}

// The silent port is one of those that nothing else of ours uses.
void ReachWatch::begin(const Endpoint& own) {
  at_.reset();
  auto asker = UdpSocket::open({own.ip, 0});
  for (int i = 0; i < kPortsToTry && asker; ++i) {
    const auto port = static_cast<std::uint16_t>(TurnRelays::kFirstPort + rng_.below(65'536 - TurnRelays::kFirstPort));
    auto silent = UdpSocket::open({own.ip, port});
    if (!silent) continue;
    at_ = std::unique_ptr<Sockets>(
        new Sockets{std::move(*silent), std::move(*asker), {now(), rng_, Endpoint{own.ip, port}, own}});
    at_->silent->start(loop_, only([this](const Datagram& d) { heard(d); }));
    at_->asker->start(loop_, only([](const Datagram&) {}));
    return;
  }
}

void ReachWatch::heard(const Datagram& datagram) {
  const auto message = nat::stun::Message::parse(datagram.bytes);
  if (at_ && message && at_->proof.handle_silent(now(), datagram.from, *message)) tick();
}

bool ReachWatch::take(const Datagram& datagram) {
  if (!at_ || !nat::stun::is_stun(datagram.bytes)) return false;
  const auto message = nat::stun::Message::parse(datagram.bytes);
  if (!message || !at_->proof.handle_own(now(), datagram.from, *message)) return false;
  look();
  return true;
}

void ReachWatch::doubt() {
  if (!at_) return;
  at_->proof.doubt(now());
  look();
}

void ReachWatch::again() {
  if (!at_) return;
  at_->proof.again(now());
  look();
}

// A leaf listens for streams once datagrams come in, and to be found out only.
void ReachWatch::listen() {
  if (wanted_ != Look::any || at_->listening || !at_->proof.datagrams()) return;
  at_->listening = ears_.listen(at_->proof.own());
  if (at_->listening) at_->proof.set_listening(now(), true);
}

void ReachWatch::tick() {
  if (at_ && at_->proof.next_timeout() <= now()) at_->proof.handle_timeout(now(), ears_.servers());
  while (auto out = at_ ? at_->proof.poll_transmit() : std::nullopt) {
    out->to.socket = 0;
    (void)at_->asker->send(std::move(*out));
  }
  while (const auto ask = at_ ? at_->proof.poll_ask() : std::nullopt) ears_.dial(*ask);
  if (at_) at_->asker->flush();
  look();
}

void ReachWatch::look() {
  if (at_) listen();
  alarm_->set(at_ ? at_->proof.next_timeout() : kNever);
  const auto found = at_ ? Told{at_->proof.datagrams(), at_->proof.streams(), at_->proof.refuted()} : Told{};
  if (found == told_) return;
  told_ = found;
  ears_.changed();
}

std::optional<node::OpenPort> ReachWatch::open() const {
  if (!at_ || !told_.datagrams || told_.datagrams->ip == at_->proof.own().ip) return std::nullopt;
  return node::OpenPort{at_->proof.own(), *told_.datagrams,   nat::MappedBy::static_nat, true,
                        kNever,           nat::Proof::reached};
}

}  // namespace linnet::io
