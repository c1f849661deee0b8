#include "node/io/net/tcp_connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "node/io/net/address.h"

namespace linnet::io {
namespace {

constexpr int kReadsAtOnce = 4;  // then others get their turn

void no_delay(int fd) {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

}  // namespace

TcpConnection::TcpConnection(Fd fd, const Endpoint& remote, bool incoming, Time now)
    : fd_(std::move(fd)),
      remote_(remote),
      incoming_(incoming),
      connecting_(!incoming),
      since_(now),
      last_whole_(now),
      last_taken_(now),
      last_standing_(now),
      reader_(incoming) {
  no_delay(fd_.get());
  if (!incoming) append(out_, overlay::kStreamMagic);
}

std::unique_ptr<TcpConnection> TcpConnection::accepted(Fd fd, const Endpoint& remote, Time now) {
  return std::unique_ptr<TcpConnection>(new TcpConnection(std::move(fd), remote, true, now));
}

std::unique_ptr<TcpConnection> TcpConnection::dial(const Endpoint& remote, Time now) {
  Fd fd(::socket(remote.ip.is_v4() ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return nullptr;
  const auto address = to_socket_address(remote);
  if (::connect(fd.get(), address.get(), address.size) != 0 && errno != EINPROGRESS) return nullptr;
  return std::unique_ptr<TcpConnection>(new TcpConnection(std::move(fd), remote, false, now));
}

void TcpConnection::start(Loop& loop, std::function<void()> readable, std::function<void()> writable) {
  watch_ = loop.watch(fd_.get(), std::move(readable));
  writable_ = std::move(writable);
  if (!connecting_) return;
  waits_ = true;
  watch_->when_writable(writable_);
}

bool TcpConnection::read(Time now, const std::function<void(MutableBytes)>& receive) {
  static thread_local std::array<std::uint8_t, overlay::kMaxStreamPacket> chunk;
  for (int round = 0; round < kReadsAtOnce; ++round) {
    const auto n = ::recv(fd_.get(), chunk.data(), chunk.size(), MSG_DONTWAIT);
    if (n < 0) return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
    if (n == 0 || !reader_.push(ByteView(chunk.data(), static_cast<std::size_t>(n)))) return false;
    for (;;) {
      const auto packet = reader_.next();
      if (!packet) return false;
      if (!*packet) break;
      last_whole_ = now;
      receive(**packet);
    }
    if (!reader_.in_the_middle()) last_whole_ = now;
    if (static_cast<std::size_t>(n) < chunk.size()) break;
  }
  return true;
}

bool TcpConnection::send(ByteView packet) {
  if (out_.size() - taken_ + packet.size() > kQueue) return false;
  return overlay::write_stream_packet(out_, packet).has_value();
}

bool TcpConnection::flush(Time now) {
  if (connecting_) {
    int error = 0;
    socklen_t size = sizeof error;
    if (::getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0) return false;
  }
  while (taken_ < out_.size()) {
    const auto n = ::send(fd_.get(), out_.data() + taken_, out_.size() - taken_, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && !(connecting_ && errno == ENOTCONN)) return false;
    if (n < 0) {
      if (!waits_) watch_->when_writable(writable_);
      waits_ = true;
      break;
    }
    connecting_ = false;
    taken_ += static_cast<std::size_t>(n);
    last_taken_ = now;
  }
  if (taken_ == out_.size()) {
    out_.clear();
    last_taken_ = now;
  } else {
    out_.erase(out_.begin(), out_.begin() + static_cast<std::ptrdiff_t>(taken_));
  }
  taken_ = 0;
  return true;
}

bool TcpConnection::slow(Time now, bool standing) const {
  const bool holds_back = reader_.in_the_middle() && now - last_whole_ >= kSlow;
  const bool takes_nothing = !out_.empty() && now - last_taken_ >= kSlow;
  const bool of_no_use = !standing && now - last_standing_ >= kSlow;
  return holds_back || takes_nothing || of_no_use;
}

}  // namespace linnet::io
