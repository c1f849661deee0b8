#include "node/io/net/outer_place.h"

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

struct OuterPlace::Sockets {
  std::unique_ptr<UdpSocket> silent, asker;
  nat::StaticNat proof;
};

OuterPlace::OuterPlace(Loop& loop, Rng& rng, Ears ears)
    : loop_(loop), rng_(rng), ears_(std::move(ears)), alarm_(loop.alarm([this] { tick(); })) {}
OuterPlace::~OuterPlace() = default;

void OuterPlace::set(const std::vector<Endpoint>& reachable) {
  const auto v4 = [](const Endpoint& e) { return e.transport == Transport::udp && e.ip.is_v4(); };
  const auto global = [&](const Endpoint& e) { return v4(e) && e.ip.is_global(); };
  const auto hidden = [&](const Endpoint& e) { return v4(e) && e.ip.is_private(); };
  const auto own = std::find_if(reachable.begin(), reachable.end(), hidden);
  const bool asked = own != reachable.end() && std::none_of(reachable.begin(), reachable.end(), global);
  if (!asked) {
    at_.reset();
  } else if (!at_ || at_->proof.own() != *own) {
    begin(*own);
  }
  look();
}

// The silent port is one of those that nothing else of ours uses.
void OuterPlace::begin(const Endpoint& own) {
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

void OuterPlace::heard(const Datagram& datagram) {
  const auto message = nat::stun::Message::parse(datagram.bytes);
  if (at_ && message && at_->proof.handle_silent(now(), datagram.from, *message)) tick();
}

bool OuterPlace::take(const Datagram& datagram) {
  if (!at_ || !nat::stun::is_stun(datagram.bytes)) return false;
  const auto message = nat::stun::Message::parse(datagram.bytes);
  if (!message || !at_->proof.handle_own(now(), datagram.from, *message)) return false;
  look();
  return true;
}

void OuterPlace::doubt() {
  if (!at_) return;
  at_->proof.doubt(now());
  look();
}

void OuterPlace::tick() {
  if (at_ && at_->proof.next_timeout() <= now()) at_->proof.handle_timeout(now(), ears_.supernodes());
  while (auto out = at_ ? at_->proof.poll_transmit() : std::nullopt) {
    out->to.socket = 0;
    (void)at_->asker->send(std::move(*out));
  }
  if (at_) at_->asker->flush();
  look();
}

void OuterPlace::look() {
  alarm_->set(at_ ? at_->proof.next_timeout() : kNever);
  const auto outside = at_ ? at_->proof.outside() : std::nullopt;
  if (outside == told_) return;
  told_ = outside;
  ears_.changed();
}

std::optional<node::OpenPort> OuterPlace::open() const {
  if (!at_ || !told_) return std::nullopt;
  return node::OpenPort{at_->proof.own(), *told_, nat::MappedBy::static_nat, true, kNever, nat::Proof::reached};
}

}  // namespace linnet::io
