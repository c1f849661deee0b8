#include "node/io/net/udp_fan.h"

#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

#include "node/io/net/address.h"

namespace linnet::io {
namespace {

constexpr std::size_t kFanBytes = 2048;
constexpr int kFanAtOnce = 8;

// What else needs descriptors (calls, files, programs that ask) shall not want for them.
std::size_t affordable() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  return static_cast<std::size_t>(limit.rlim_cur) / UdpFan::kShare;
}

Fd open_at(const IpAddress& at) {
  Fd fd(::socket(at.is_v4() ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return fd;
  const auto address = to_socket_address({at, 0});
  if (::bind(fd.get(), address.get(), address.size) != 0) fd.reset();
  return fd;
}

}  // namespace

UdpFan::UdpFan(Loop& loop, const IpAddress& at, std::size_t count, Receive receive) : receive_(std::move(receive)) {
  const auto n = std::min({count, kMost, affordable()});
  sockets_.reserve(n);
  while (sockets_.size() < n) {
    auto fd = open_at(at);
    if (!fd) return;
    const auto index = sockets_.size();
    auto watch = loop.watch(fd.get(), [this, index] { read(index); });
    sockets_.push_back({std::move(fd), std::move(watch)});
  }
}

void UdpFan::send(std::size_t socket, const Transmit& transmit) {
  if (socket >= sockets_.size() || !sockets_[socket].fd) return;
  const auto to = to_socket_address(transmit.to);
  (void)::sendto(sockets_[socket].fd.get(), transmit.bytes.data(), transmit.bytes.size(), MSG_DONTWAIT, to.get(),
                 to.size);
}

Fd UdpFan::take(std::size_t socket) {
  if (socket >= sockets_.size()) return {};
  sockets_[socket].watch.reset();
  return std::move(sockets_[socket].fd);
}

void UdpFan::read(std::size_t socket) {
  std::array<std::uint8_t, kFanBytes> bytes;
  for (int i = 0; i < kFanAtOnce && sockets_[socket].fd; ++i) {
    sockaddr_storage from{};
    socklen_t size = sizeof from;
    const auto n = ::recvfrom(sockets_[socket].fd.get(), bytes.data(), bytes.size(), MSG_DONTWAIT,
                              reinterpret_cast<sockaddr*>(&from), &size);
    if (n < 0) return;
    receive_(socket, Datagram{to_endpoint(from), MutableBytes(bytes.data(), static_cast<std::size_t>(n))});
  }
}

}  // namespace linnet::io
