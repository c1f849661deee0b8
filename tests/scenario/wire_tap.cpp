#include "tests/scenario/wire_tap.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>

namespace linnet::scenario {
namespace {

constexpr std::size_t kMaxPackets = 100'000;

}  // namespace

WireTap::~WireTap() {
  ending_ = true;
  if (thread_.joinable()) thread_.join();
}

bool WireTap::open() {
  fd_ = io::Fd(::socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons(ETH_P_IP)));  // from the IP header on
  if (!fd_) return false;
  const int room = 8 << 20;
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
  sockaddr_ll at{};
  at.sll_family = AF_PACKET;
  at.sll_protocol = htons(ETH_P_IP);
  at.sll_ifindex = static_cast<int>(::if_nametoindex("lo"));
  if (::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0) return false;
  thread_ = std::thread([this] { record(); });
  return true;
}

void WireTap::record() {
  while (!ending_ && packets_.size() < kMaxPackets) {
    pollfd p{fd_.get(), POLLIN, 0};
    if (::poll(&p, 1, 50) <= 0) continue;
    unsigned char b[2048];
    const ssize_t n = ::recv(fd_.get(), b, sizeof b, 0);
    if (n < 28 || b[9] != IPPROTO_UDP) continue;
    const std::size_t head = static_cast<std::size_t>(b[0] & 15u) * 4;
    if (static_cast<std::size_t>(n) < head + 8) continue;
    const auto u16 = [&](std::size_t at) { return static_cast<std::uint16_t>(b[at] << 8 | b[at + 1]); };
    packets_.push_back({u16(head), u16(head + 2), std::string(b + head + 8, b + n)});
  }
}

std::vector<std::string> WireTap::stop(const std::vector<std::uint16_t>& ports) {
  ending_ = true;
  thread_.join();
  const auto ours = [&](std::uint16_t port) { return std::find(ports.begin(), ports.end(), port) != ports.end(); };
  std::vector<std::string> out;
  for (auto& packet : packets_)
    if (ours(packet.from) || ours(packet.to)) out.push_back(std::move(packet.payload));
  return out;
}

}  // namespace linnet::scenario
