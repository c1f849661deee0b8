#include "node/io/net/udp_socket.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "node/io/clock.h"
#include "node/io/net/address.h"
#include "node/io/net/control_message.h"
#include "node/io/net/kernel_buffers.h"

namespace linnet::io {
namespace {

constexpr std::size_t kReceiveBytes = 2048;  // more than kMaxDatagram: a longer one is seen as too long, not cut to fit
constexpr int kBatchesAtOnce = 8;            // then timers get their turn
constexpr Duration kSingly = std::chrono::microseconds(25);   // from one to the next: no train
constexpr Duration kRarely = std::chrono::microseconds(100);  // then it costs little either way
constexpr int kKernelReceive = 4 << 20;                       // everybody whom a supernode relays for comes in here
constexpr int kKernelSend = 1 << 20;

void socket_option(int fd, int level, int option, int value) { ::setsockopt(fd, level, option, &value, sizeof value); }

// Room for one control message that carries the traffic class.
struct alignas(cmsghdr) ClassMessage {
  std::array<std::uint8_t, CMSG_SPACE(sizeof(int))> bytes;
};

std::string bind_error(const Endpoint& at) {
  if (errno == EADDRINUSE)
    return "Port " + std::to_string(at.port) + " is used by another program (" + at.to_string() +
           ").\n  Choose another: linnet up --listen ADDR:PORT";
  if (errno == EADDRNOTAVAIL) return at.ip.to_string() + " is not an address of this machine.";
  return "Cannot listen on " + at.to_string() + ": " + os_error() + ".";
}

}  // namespace

struct UdpSocket::Buffers {
  std::array<std::array<std::uint8_t, kReceiveBytes>, kBatch> bytes;
  std::array<iovec, kBatch> vectors;
  std::array<sockaddr_storage, kBatch> from;
  std::array<mmsghdr, kBatch> messages;
  // How many are asked for at once. To be told that there is no second one costs a good part of reading the first, so
  // those that come singly are read singly.
  std::size_t ask = kBatch;
  Time read_at{};

  void learn(Time now, std::size_t count) {
    const auto gap = now - std::exchange(read_at, now);
    ask = count == 1 && gap >= kSingly && gap < kRarely ? 1 : kBatch;
  }
};

UdpSocket::UdpSocket(Fd fd, const Endpoint& local)
    : fd_(std::move(fd)), local_(local), buffers_(new Buffers, [](Buffers* b) { delete b; }) {}

Outcome<std::unique_ptr<UdpSocket>> UdpSocket::open(const Endpoint& at) {
  const bool v4 = at.ip.is_v4();
  Fd fd(::socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return trouble("Cannot open a UDP socket: " + os_error() + ".");
  if (!v4) socket_option(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 1);
  set_kernel_buffers(fd.get(), kKernelReceive, kKernelSend);
  const auto address = to_socket_address(at);
  if (::bind(fd.get(), address.get(), address.size) != 0) return trouble(bind_error(at));
  return from(std::move(fd));
}

Outcome<std::unique_ptr<UdpSocket>> UdpSocket::from(Fd fd) {
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  if (::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&bound), &size) != 0)
    return trouble("Cannot read the bound port: " + os_error() + ".");
  return std::unique_ptr<UdpSocket>(new UdpSocket(std::move(fd), to_endpoint(bound)));
}

void UdpSocket::start(Loop& loop, Ears ears) {
  ears_ = std::move(ears);
  auto& b = *buffers_;
  for (std::size_t i = 0; i < kBatch; ++i) {
    b.vectors[i] = {b.bytes[i].data(), b.bytes[i].size()};
    b.messages[i] = {};
    b.messages[i].msg_hdr.msg_name = &b.from[i];
    b.messages[i].msg_hdr.msg_iov = &b.vectors[i];
    b.messages[i].msg_hdr.msg_iovlen = 1;
  }
  watch_ = loop.watch(fd_.get(), [this] { read_batches(); });
}

void UdpSocket::read_batches() {
  auto& b = *buffers_;
  std::size_t used = kBatch;
  for (int round = 0; round < kBatchesAtOnce; ++round) {
    for (std::size_t i = 0; i < used; ++i) b.messages[i].msg_hdr.msg_namelen = sizeof b.from[i];
    const auto ask = b.ask;
    const int n = ::recvmmsg(fd_.get(), b.messages.data(), static_cast<unsigned>(ask), MSG_DONTWAIT, nullptr);
    if (n <= 0) return;  // empty, or the error of an earlier send (ICMP), which reading has now cleared
    used = static_cast<std::size_t>(n);
    hand_out(used);
    if (used < ask || ask == 1) break;
  }
  for (std::size_t i = 0; i < used; ++i) b.messages[i].msg_hdr.msg_namelen = sizeof b.from[i];
}

// What passes through leaves before anything else is looked at, and before these buffers are read into again.
void UdpSocket::hand_out(std::size_t count) {
  auto& b = *buffers_;
  const auto read_at = now();  // one time for all: the clock costs as much as the way through the table
  b.learn(read_at, count);
  const auto datagram = [&b](std::size_t at) {
    return Datagram{to_endpoint(b.from[at]), MutableBytes(b.bytes[at].data(), b.messages[at].msg_len)};
  };
  std::array<std::uint8_t, kBatch> rest;
  std::size_t waiting = 0;
  for (std::size_t at = 0; at < count; ++at) {
    if (!ears_.pass(read_at, datagram(at))) rest[waiting++] = static_cast<std::uint8_t>(at);
  }
  if (waiting < count) ears_.passed();
  for (std::size_t i = 0; i < waiting; ++i) ears_.receive(datagram(rest[i]));
  if (waiting > 0) ears_.drained();
}

bool UdpSocket::send(Transmit transmit) { return queue_.push(std::move(transmit)); }

void UdpSocket::flush() {
  while (!blocked_ && !(queue_.empty() && sending_.empty())) {
    while (sending_.size() < kBatch && !queue_.empty()) sending_.push_back(*queue_.pop());
    std::array<SocketAddress, kBatch> to;
    std::array<iovec, kBatch> vectors;
    std::array<mmsghdr, kBatch> messages{};
    std::array<ClassMessage, kBatch> classes;
    for (std::size_t i = 0; i < sending_.size(); ++i) {
      to[i] = to_socket_address(sending_[i].to);
      vectors[i] = {sending_[i].bytes.data(), sending_[i].bytes.size()};
      messages[i].msg_hdr.msg_name = &to[i].storage;
      messages[i].msg_hdr.msg_namelen = to[i].size;
      messages[i].msg_hdr.msg_iov = &vectors[i];
      messages[i].msg_hdr.msg_iovlen = 1;
      ControlWriter control(messages[i].msg_hdr, classes[i].bytes);
      if (sending_[i].mark != Mark::best_effort) put_mark(sending_[i].to, sending_[i].mark, control);
    }
    int sent = ::sendmmsg(fd_.get(), messages.data(), static_cast<unsigned>(sending_.size()), MSG_DONTWAIT);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS) && watch_) {
      blocked_ = true;
      watch_->when_writable([this] {
        blocked_ = false;
        flush();
      });
      return;
    }
    if (sent < 0) {  // this one cannot go (no route, refused); the others may
      ++unsendable_;
      sent = 1;
    }
    sending_.erase(sending_.begin(), sending_.begin() + sent);
  }
}

}  // namespace linnet::io
