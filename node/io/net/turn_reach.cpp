#include "node/io/net/turn_reach.h"

#include <algorithm>

#include "node/io/clock.h"
#include "node/io/log.h"
#include "node/io/net/turn_relays.h"

namespace linnet::io {
namespace {

constexpr int kPortsTried = 8;

void listen(UdpSocket& socket, Loop& loop, UdpSocket::Receive receive) {
  UdpSocket::Ears ears;
  ears.pass = [](Time, const Datagram&) { return false; };
  ears.passed = [] {};
  ears.receive = std::move(receive);
  ears.drained = [] {};
  socket.start(loop, std::move(ears));
}

}  // namespace

// The port under test sends nothing, so that no NAT opens it for what it sent.
struct TurnReach::Place {
  std::unique_ptr<UdpSocket> port, asker;
  nat::RelayProof proof;
};

TurnReach::TurnReach(Loop& loop, Rng& rng, Ears ears)
    : loop_(loop), rng_(rng), ears_(std::move(ears)), alarm_(loop.alarm([this] { tick(); })) {}
TurnReach::~TurnReach() = default;

std::unique_ptr<TurnReach::Place> TurnReach::open(const IpAddress& at) {
  auto asker = UdpSocket::open({at, 0});
  for (int i = 0; i < kPortsTried && asker; ++i) {
    const auto port = static_cast<std::uint16_t>(TurnRelays::kFirstPort + rng_.below(65'536 - TurnRelays::kFirstPort));
    auto bound = UdpSocket::open({at, port});
    if (!bound) continue;
    auto out = std::unique_ptr<Place>(new Place{std::move(*bound), std::move(*asker), {now(), rng_, {at, port}}});
    listen(*out->port, loop_, [this, place = out.get()](const Datagram& d) { heard(*place, d); });
    listen(*out->asker, loop_, [](const Datagram&) {});
    return out;
  }
  return nullptr;
}

void TurnReach::set(const std::vector<IpAddress>& bound) {
  const auto at = [](const auto& place) { return place->proof.port().ip; };
  std::erase_if(places_, [&](const auto& p) { return std::find(bound.begin(), bound.end(), at(p)) == bound.end(); });
  for (const auto& ip : bound) {
    const bool here = std::any_of(places_.begin(), places_.end(), [&](const auto& p) { return at(p) == ip; });
    if (here || places_.size() >= kMost) continue;
    if (auto place = open(ip)) places_.push_back(std::move(place));
  }
  arm();
}

void TurnReach::doubt() {
  for (const auto& place : places_) place->proof.doubt(now());
  arm();
}

void TurnReach::heard(Place& place, const Datagram& datagram) {
  const auto message = nat::stun::Message::parse(datagram.bytes);
  const auto before = place.proof.outside();
  if (!message || !place.proof.handle(now(), datagram.from, *message)) return;
  arm();
  if (place.proof.outside() == before) return;
  log_info("Others reach what TURN relays: " + shown({place.proof.port().ip.to_string()}) + " is " +
           shown({place.proof.outside()->to_string()}) + " to them.");
  ears_.changed();
}

void TurnReach::tick() {
  bool changed = false;
  const auto supernodes = ears_.supernodes();
  for (const auto& place : places_) {
    const auto before = place->proof.outside();
    if (place->proof.next_timeout() <= now()) place->proof.handle_timeout(now(), supernodes);
    changed = changed || place->proof.outside() != before;
    while (auto out = place->proof.poll_transmit()) {
      out->to.socket = 0;
      (void)place->asker->send(std::move(*out));
    }
    place->asker->flush();
  }
  arm();
  if (changed) ears_.changed();
}

void TurnReach::arm() {
  Time next = kNever;
  for (const auto& place : places_) next = std::min(next, place->proof.next_timeout());
  alarm_->set(next);
}

std::optional<IpAddress> TurnReach::outside(const IpAddress& bound) const {
  for (const auto& place : places_) {
    if (place->proof.port().ip == bound) return place->proof.outside();
  }
  return std::nullopt;
}

std::vector<nat::turn::RelayedAt> TurnReach::status() const {
  std::vector<nat::turn::RelayedAt> out;
  for (const auto& place : places_)
    out.push_back({place->proof.port().ip, place->proof.outside(), place->proof.proof()});
  return out;
}

}  // namespace linnet::io
