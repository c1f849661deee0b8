#include "node/stun_door.h"

#include "nat/binding_server.h"

namespace linnet::node {

bool StunDoor::take(Time now, const Datagram& datagram, bool serves,
                    const std::function<bool(const nat::stun::Message&)>& agents) {
  if (datagram.from.transport != Transport::udp || !nat::stun::is_stun(datagram.bytes)) return false;
  const auto message = nat::stun::Message::parse(datagram.bytes);
  if (message && agents && datagram.from.port != 0 && agents(*message)) return true;
  if (!serves || !message || datagram.from.port == 0 || out_.size() >= kMaxWaiting) {
    ++counters_.dropped;
    return true;
  }
  // Without a second address the server needs none of its own to answer from: the socket that was asked answers.
  static const nat::BindingServer server{nat::BindingServerConfig{}};
  auto answer = server.answer({}, datagram.from, *message);
  if (!answer) {
    ++counters_.dropped;
  } else if (!limiter_.allow(now, datagram.from.ip)) {
    ++counters_.limited;
  } else {
    ++counters_.answered;
    out_.push_back({datagram.from, std::move(answer->bytes)});
  }
  return true;
}

std::optional<Transmit> StunDoor::poll_transmit() {
  if (out_.empty()) return std::nullopt;
  return out_.take();
}

}  // namespace linnet::node
