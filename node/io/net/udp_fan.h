// Sockets for a search behind a symmetric NAT (node/port_search.h): many for a few seconds, each with a port that the
// system chose, and nothing but the datagrams of the search on them. All are closed with the fan but one that was found
// and taken out.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "base/machine.h"
#include "node/io/files.h"
#include "node/io/loop.h"

namespace linnet::io {

class UdpFan {
 public:
  static constexpr std::size_t kMost = 256;
  static constexpr std::size_t kShare = 3;  // of the descriptors that the process may have, a third at most

  using Receive = std::function<void(std::size_t socket, const Datagram&)>;

  // As many of `count` as may be had, on this local address. `receive` must not destroy the fan.
  UdpFan(Loop& loop, const IpAddress& at, std::size_t count, Receive receive);

  std::size_t size() const { return sockets_.size(); }
  void send(std::size_t socket, const Transmit& transmit);
  // Takes one out; not valid: it was taken already.
  Fd take(std::size_t socket);

 private:
  struct Socket {
    Fd fd;
    std::unique_ptr<Loop::Watch> watch;
  };
  void read(std::size_t socket);

  Receive receive_;
  std::vector<Socket> sockets_;
};

}  // namespace linnet::io
