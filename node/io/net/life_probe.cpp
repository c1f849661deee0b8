#include "node/io/net/life_probe.h"

namespace linnet::io {

LifeProbe::LifeProbe(Loop& loop, Rng& rng, const Endpoint& server, std::function<void(nat::BindingLife::Found)> found,
                     std::function<Time()> clock)
    : loop_(loop), rng_(rng), server_(server), tell_(std::move(found)), clock_(std::move(clock)) {}
LifeProbe::~LifeProbe() = default;

bool LifeProbe::start() {
  life_ = std::make_unique<nat::BindingLife>(clock_(), server_, rng_);
  tested_ = open(nat::BindingLife::By::tested);
  other_ = open(nat::BindingLife::By::other);
  if (!tested_ || !other_) return false;
  alarm_ = loop_.alarm([this] { tick(); });
  moved();
  return true;
}

void LifeProbe::tick() {
  life_->handle_timeout(clock_());
  moved();
}

std::unique_ptr<UdpSocket> LifeProbe::open(nat::BindingLife::By by) {
  auto socket = UdpSocket::open(Endpoint{server_.ip.is_v4() ? IpAddress::v4(0) : IpAddress::v6({}), 0});
  if (!socket) return nullptr;
  UdpSocket::Ears ears;
  ears.pass = [](Time, const Datagram&) { return false; };
  ears.passed = [] {};
  ears.receive = [this, by](const Datagram& d) {
    const auto message = nat::stun::Message::parse(d.bytes);
    if (message && same_place(d.from, server_)) {
      life_->handle(clock_(), by, *message);
    } else if (by == nat::BindingLife::By::tested) {
      life_->disturbed(clock_());
    }
  };
  ears.drained = [this] { moved(); };
  (*socket)->start(loop_, std::move(ears));
  return std::move(*socket);
}

void LifeProbe::moved() {
  while (auto shot = life_->poll_transmit())
    (void)(shot->by == nat::BindingLife::By::tested ? tested_ : other_)->send(std::move(shot->datagram));
  tested_->flush();
  other_->flush();
  alarm_->set(life_->next_timeout());
  // Not from inside a socket's callback: the owner destroys us.
  while (const auto found = life_->poll_found()) loop_.post([tell = tell_, found = *found] { tell(found); });
}

}  // namespace linnet::io
