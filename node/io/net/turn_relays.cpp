#include "node/io/net/turn_relays.h"

#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "node/io/clock.h"
#include "node/io/net/address.h"
#include "node/io/net/kernel_buffers.h"

namespace linnet::io {
namespace {

using nat::turn::Relay;
using nat::turn::RelayId;
using nat::turn::Room;

constexpr std::size_t kRelayBytes = 2048;  // a longer datagram is dropped
constexpr int kRoundsAtOnce = 8;           // then others get their turn
constexpr int kPortTries = 64;             // of ports
constexpr int kRelayBuffer = 1 << 20;
constexpr int kGuesses = 16;

void set_option(int fd, int level, int option, int value) { ::setsockopt(fd, level, option, &value, sizeof value); }

Fd bound_at(const Endpoint& at) {
  const bool v4 = at.ip.is_v4();
  Fd fd(::socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return fd;
  if (!v4) set_option(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 1);
  set_kernel_buffers(fd.get(), kRelayBuffer, kRelayBuffer);
  const auto address = to_socket_address(at);
  return ::bind(fd.get(), address.get(), address.size) == 0 ? std::move(fd) : Fd();
}

void cutting_allowed(int fd, bool v4, bool allowed) {
  if (v4) set_option(fd, IPPROTO_IP, IP_MTU_DISCOVER, allowed ? IP_PMTUDISC_WANT : IP_PMTUDISC_DO);
  if (!v4) set_option(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, allowed ? IPV6_PMTUDISC_WANT : IPV6_PMTUDISC_DO);
}

}  // namespace

struct TurnRelays::Buffers {
  static constexpr std::size_t kWhole = Room::kBefore + kRelayBytes + Room::kBehind;

  std::array<std::array<std::uint8_t, kWhole>, kBatch> bytes;
  std::array<iovec, kBatch> vectors;
  std::array<sockaddr_storage, kBatch> from;
  std::array<mmsghdr, kBatch> messages;
  std::array<RelayId, kBatch> relay;
  RelayId alone = 0;  // that was the only one to have something
  int guesses = 0;    // that it is so again, since all were looked at

  Buffers() {
    for (std::size_t i = 0; i < kBatch; ++i) {
      vectors[i] = {bytes[i].data() + Room::kBefore, kRelayBytes};
      messages[i] = {};
      messages[i].msg_hdr.msg_name = &from[i];
      messages[i].msg_hdr.msg_iov = &vectors[i];
      messages[i].msg_hdr.msg_iovlen = 1;
    }
  }
};

TurnRelays::TurnRelays(Loop& loop, Rng& rng, Ears ears)
    : rng_(rng),
      ears_(std::move(ears)),
      ready_(::epoll_create1(EPOLL_CLOEXEC)),
      slots_(1),
      buffers_(std::make_unique<Buffers>()) {
  if (ready_) watch_ = loop.watch(ready_.get(), [this] { read_some(); });
}

TurnRelays::~TurnRelays() = default;

TurnRelays::Opened TurnRelays::open(const IpAddress& at, Port port) {
  const auto ports = static_cast<std::uint64_t>(65'536 - kFirstPort);
  for (int tries = 0; ready_ && tries < kPortTries; ++tries) {
    Endpoint place{at, static_cast<std::uint16_t>(kFirstPort + rng_.below(ports))};
    if (port != Port::any) place.port = static_cast<std::uint16_t>(place.port & ~1U);
    auto first = bound_at(place);
    if (!first && (errno == EMFILE || errno == ENFILE || errno == EADDRNOTAVAIL)) return {};
    if (!first) continue;
    if (port != Port::pair) return {keep(std::move(first), place), {}};
    const Endpoint above{at, static_cast<std::uint16_t>(place.port + 1)};
    auto second = bound_at(above);
    if (!second) continue;
    Opened out;
    out.relay = keep(std::move(first), place);
    out.next = keep(std::move(second), above);
    return out;
  }
  return {};
}

Relay TurnRelays::keep(Fd fd, const Endpoint& at) {
  if (free_.empty()) {
    free_.push_back(static_cast<RelayId>(slots_.size()));
    slots_.emplace_back();
    free_.reserve(slots_.size());  // so that close() needs no memory
  }
  const auto id = free_.back();
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u32 = id;
  if (::epoll_ctl(ready_.get(), EPOLL_CTL_ADD, fd.get(), &event) != 0) return {};
  free_.pop_back();
  slots_[id] = std::move(fd);
  ++open_;
  return Relay{id, at};
}

void TurnRelays::close(RelayId relay) {
  if (relay == 0 || relay >= slots_.size() || !slots_[relay]) return;
  slots_[relay].reset();  // and out of the epoll set
  free_.push_back(relay);
  --open_;
}

bool TurnRelays::send_whole(RelayId relay, const Endpoint& to, ByteView bytes) {
  const int fd = descriptor(relay);
  const auto address = to_socket_address(to);
  cutting_allowed(fd, to.ip.is_v4(), false);
  const auto sent = ::sendto(fd, bytes.data(), bytes.size(), MSG_DONTWAIT, address.get(), address.size);
  cutting_allowed(fd, to.ip.is_v4(), true);
  return sent >= 0;
}

// Where one socket alone has datagrams, it is read without asking which it is; never for long: another may wait.
bool TurnRelays::read_alone() {
  auto& b = *buffers_;
  if (b.alone == 0 || ++b.guesses > kGuesses) return false;
  const auto used = read(b.alone, 0);
  if (used == 0) return false;
  hand_out(used);
  return true;
}

// Datagrams of many sockets share a batch: each has few.
void TurnRelays::read_some() {
  if (read_alone()) return;
  buffers_->guesses = 0;
  for (int round = 0; round < kRoundsAtOnce; ++round) {
    std::array<epoll_event, kBatch> events;
    const int n = ::epoll_wait(ready_.get(), events.data(), kBatch, 0);
    if (n <= 0) return;
    buffers_->alone = n == 1 ? events[0].data.u32 : 0;
    std::size_t used = 0;
    for (int i = 0; i < n; ++i) {
      used += read(events[static_cast<std::size_t>(i)].data.u32, used);
      if (used < kBatch) continue;
      hand_out(used);
      used = 0;
    }
    if (used == 0) continue;
    hand_out(used);
    if (used < kBatch / 2) return;  // little more can be there; the loop says when
  }
}

std::size_t TurnRelays::read(RelayId relay, std::size_t used) {
  auto& b = *buffers_;
  if (relay >= slots_.size() || !slots_[relay]) return 0;
  for (auto i = used; i < kBatch; ++i) b.messages[i].msg_hdr.msg_namelen = sizeof b.from[i];
  const int n =
      ::recvmmsg(slots_[relay].get(), &b.messages[used], static_cast<unsigned>(kBatch - used), MSG_DONTWAIT, nullptr);
  if (n <= 0) return 0;  // or an error of an earlier send (ICMP), which this has cleared
  for (auto i = used; i < used + static_cast<std::size_t>(n); ++i) b.relay[i] = relay;
  return static_cast<std::size_t>(n);
}

void TurnRelays::hand_out(std::size_t count) {
  auto& b = *buffers_;
  const auto read_at = now();
  for (std::size_t i = 0; i < count; ++i) {
    if ((b.messages[i].msg_hdr.msg_flags & MSG_TRUNC) != 0) continue;
    ears_.receive(read_at, b.relay[i], to_endpoint(b.from[i]),
                  Room{b.bytes[i].data() + Room::kBefore, b.messages[i].msg_len});
  }
  ears_.drained();
}

}  // namespace linnet::io
