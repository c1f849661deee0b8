#include "node/io/uplink_measure.h"

#include <utility>

#include "node/io/clock.h"

namespace linnet::io {

std::unique_ptr<UplinkMeasure> UplinkMeasure::begin(Loop& loop, Rng& rng, std::vector<Endpoint> servers, Ended ended) {
  if (servers.empty()) return nullptr;
  const auto any = servers.front().ip.is_v4() ? IpAddress::v4(0) : IpAddress::v6({});
  auto socket = UdpSocket::open({any, 0}).value_or(nullptr);
  if (!socket) return nullptr;
  return std::unique_ptr<UplinkMeasure>(
      new UplinkMeasure(loop, rng, std::move(socket), std::move(servers), std::move(ended)));
}

UplinkMeasure::UplinkMeasure(Loop& loop, Rng& rng, std::unique_ptr<UdpSocket> socket, std::vector<Endpoint> servers,
                             Ended ended)
    : socket_(std::move(socket)), probe_(io::now(), rng, std::move(servers)), ended_(std::move(ended)) {
  alarm_ = loop.alarm([this] {
    probe_.handle_timeout(io::now());
    moved();
  });
  UdpSocket::Ears ears;
  ears.pass = [](Time, const Datagram&) { return false; };
  ears.passed = [] {};
  ears.receive = [this](const Datagram& d) {
    const auto message = nat::stun::Message::parse(d.bytes);
    if (message) probe_.handle(io::now(), d.from, *message);
  };
  ears.drained = [this] { alarm_->set(io::now()); };  // it may be over, and its socket is in use here
  socket_->start(loop, std::move(ears));
  alarm_->set(io::now());
}

void UplinkMeasure::moved() {
  if (probe_.over()) {
    if (const auto tell = std::exchange(ended_, nullptr)) tell(probe_.found());
    return;  // this may be gone
  }
  while (auto out = probe_.poll_transmit()) (void)socket_->send(std::move(*out));
  socket_->flush();
  alarm_->set(probe_.next_timeout());
}

}  // namespace linnet::io
