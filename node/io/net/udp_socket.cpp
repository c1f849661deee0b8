#include "node/io/net/udp_socket.h"

#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "node/io/clock.h"
#include "node/io/net/address.h"
#include "node/io/net/control_message.h"
#include "node/io/net/kernel_buffers.h"

#ifndef UDP_GRO
#define UDP_GRO 104
#endif

namespace linnet::io {
namespace {

constexpr std::size_t kTrainBytes = 65'536;  // the kernel joins no more
constexpr std::size_t kReceiveBytes = 2048;  // more than kMaxDatagram: a longer one is seen as too long, not cut to fit
constexpr std::size_t kMostAtOnce = 512;     // datagrams; then timers get their turn
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
  std::size_t room = kReceiveBytes;  // for each message
  bool trains = false;
  std::unique_ptr<std::uint8_t[]> bytes;  // untouched, and so no memory, where no train came
  std::array<ClassMessage, kBatch> controls;
  std::array<iovec, kBatch> vectors;
  std::array<sockaddr_storage, kBatch> from;
  std::array<mmsghdr, kBatch> messages;
  std::array<Datagram, kBatch> rest;  // what did not pass
  // How many are asked for at once. To be told that there is no second one costs a good part of reading the first, so
  // those that come singly are read singly.
  std::size_t ask = kBatch;
  Time read_at{};

  void set_up(bool joined) {
    trains = joined;
    if (joined) room = kTrainBytes;
    bytes.reset(new std::uint8_t[room * kBatch]);
    for (std::size_t i = 0; i < kBatch; ++i) {
      vectors[i] = {&bytes[room * i], room};
      messages[i] = {};
      messages[i].msg_hdr.msg_name = &from[i];
      messages[i].msg_hdr.msg_iov = &vectors[i];
      messages[i].msg_hdr.msg_iovlen = 1;
    }
  }
  void prepare(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      auto& head = messages[i].msg_hdr;
      head.msg_namelen = sizeof from[i];
      if (!trains) continue;
      head.msg_control = controls[i].bytes.data();
      head.msg_controllen = controls[i].bytes.size();
    }
  }
  MutableBytes message(std::size_t at) { return {&bytes[room * at], messages[at].msg_len}; }
  // The size of each datagram of a train but the last; of the one where there is no train.
  std::size_t step(std::size_t at) const {
    const auto& head = messages[at].msg_hdr;
    const auto* control = trains ? CMSG_FIRSTHDR(&head) : nullptr;
    if (control == nullptr || control->cmsg_level != IPPROTO_UDP || control->cmsg_type != UDP_GRO)
      return messages[at].msg_len;
    int size = 0;
    std::memcpy(&size, CMSG_DATA(control), sizeof size);
    return size > 0 ? static_cast<std::size_t>(size) : messages[at].msg_len;
  }

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
  buffers_->set_up(false);
  watch_ = loop.watch(fd_.get(), [this] { read_batches(); });
}

void UdpSocket::read_batches() {
  auto& b = *buffers_;
  // Here, where nothing lies in the buffers that are given away.
  const int on = 1;
  if (std::exchange(wants_trains_, false) && ::setsockopt(fd_.get(), IPPROTO_UDP, UDP_GRO, &on, sizeof on) == 0)
    b.set_up(true);
  std::size_t handed_out = 0;
  while (handed_out < kMostAtOnce) {
    const auto ask = b.ask;
    b.prepare(ask);
    const int n = ::recvmmsg(fd_.get(), b.messages.data(), static_cast<unsigned>(ask), MSG_DONTWAIT, nullptr);
    if (n <= 0) return;  // empty, or the error of an earlier send (ICMP), which reading has now cleared
    const auto used = static_cast<std::size_t>(n);
    handed_out += hand_out(used);
    if (used < ask || ask == 1) break;
  }
}

// What passes through leaves before anything else is looked at, and before these buffers are read into again.
std::size_t UdpSocket::hand_out(std::size_t count) {
  auto& b = *buffers_;
  const auto read_at = now();  // one time for all: the clock costs as much as the way through the table
  b.learn(read_at, count);
  std::size_t seen = 0, waiting = 0, total = 0;
  const auto settle = [&] {
    if (waiting < seen) ears_.passed();
    for (std::size_t i = 0; i < waiting; ++i) ears_.receive(b.rest[i]);
    if (waiting > 0) ears_.drained();
    total += std::exchange(seen, 0);
    waiting = 0;
  };
  for (std::size_t at = 0; at < count; ++at) {
    auto bytes = b.message(at);
    const auto step = b.step(at);
    const auto from = to_endpoint(b.from[at]);
    do {
      const Datagram one{from, bytes.first(std::min(step, bytes.size()))};
      bytes = bytes.subspan(one.bytes.size());
      if (!ears_.pass(read_at, one)) b.rest[waiting++] = one;
      if (++seen == kBatch) settle();
    } while (!bytes.empty());
  }
  settle();
  return total;
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
