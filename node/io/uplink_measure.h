// What this machine can send, measured once: nat::UplinkProbe on a socket of its own.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/rng.h"
#include "nat/uplink_probe.h"
#include "node/io/loop.h"
#include "node/io/net/udp_socket.h"

namespace linnet::io {

class UplinkMeasure {
 public:
  // Bits a second; nothing: no server answered enough. Called once, on the loop, and may end the measurement's owner.
  using Ended = std::function<void(std::optional<std::uint64_t>)>;

  // `servers` answer STUN, and are of one family. Null: there are none, or no socket can be had.
  static std::unique_ptr<UplinkMeasure> begin(Loop& loop, Rng& rng, std::vector<Endpoint> servers, Ended ended);

 private:
  UplinkMeasure(Loop& loop, Rng& rng, std::unique_ptr<UdpSocket> socket, std::vector<Endpoint> servers, Ended ended);
  void moved();

  std::unique_ptr<UdpSocket> socket_;
  nat::UplinkProbe probe_;
  Ended ended_;
  std::unique_ptr<Loop::Alarm> alarm_;
};

}  // namespace linnet::io
