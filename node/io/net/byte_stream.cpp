#include "node/io/net/byte_stream.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "node/io/net/address.h"

namespace linnet::io {
namespace {

constexpr std::size_t kAtOnce = 16 * 1024;
// What the system holds and has not sent: little, so that voice does not age there (tcp(7), TCP_NOTSENT_LOWAT).
constexpr int kNotSent = 8 * 1024;

void set_up(int fd) {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &kNotSent, sizeof kNotSent);
}

bool later() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

}  // namespace

std::unique_ptr<ByteStream> ByteStream::accepted(Fd fd) {
  set_up(fd.get());
  return std::unique_ptr<ByteStream>(new ByteStream(std::move(fd)));
}

std::unique_ptr<ByteStream> ByteStream::dial(const Dial& how) {
  const auto& next = how.through ? how.through->at : how.to;
  Fd fd(::socket(next.ip.is_v4() ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return nullptr;
  set_up(fd.get());
  const auto address = to_socket_address(next);
  if (::connect(fd.get(), address.get(), address.size) != 0 && errno != EINPROGRESS) return nullptr;
  std::unique_ptr<ByteStream> out(new ByteStream(std::move(fd)));
  out->connecting_ = true;
  out->wants_tls_ = how.to.transport == Transport::tls;
  out->server_name_ = how.server_name;
  out->trust_ = how.trust;
  if (how.through) {
    out->proxy_ = std::make_unique<overlay::ProxyClient>(how.through->proxy, how.through->target);
    append(out->out_, out->proxy_->take_output());
  } else if (out->wants_tls_ && !out->begin_tls()) {
    return nullptr;
  }
  return out;
}

bool ByteStream::begin_tls() {
  tls_ = Tls::client(server_name_, trust_.get());
  if (!tls_) return false;
  why_ = tls_->why();
  tls_->take_output(out_);
  return true;
}

bool ByteStream::answer_tls(ByteView first) {
  tls_ = Tls::server();
  if (!tls_ || !tls_->feed(first)) return false;
  tls_->take_output(out_);
  return true;
}

void ByteStream::start(Loop& loop, std::function<void()> readable, std::function<void()> writable) {
  watch_.reset();
  writable_ = std::move(writable);
  watch_ = loop.watch(fd_.get(), std::move(readable));
  waits_ = connecting_ || !out_.empty();
  if (waits_) watch_->when_writable(writable_);
}

bool ByteStream::ready() const { return !connecting_ && !proxy_ && (!tls_ || tls_->ready()); }

std::optional<IpAddress> ByteStream::local() const {
  sockaddr_storage at{};
  socklen_t size = sizeof at;
  if (connecting_ || ::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&at), &size) != 0) return std::nullopt;
  return to_endpoint(at).ip;
}

// True: goes on.
bool ByteStream::on_proxy(ByteView bytes) {
  const auto said = proxy_->push(bytes);
  append(out_, proxy_->take_output());
  if (!said) {
    why_ = proxy_->why();
    return false;
  }
  if (!proxy_->open()) return true;
  early_ = proxy_->take_rest();
  proxy_.reset();
  if (!wants_tls_) return true;
  if (!begin_tls()) return false;
  const auto sealed = std::exchange(early_, {});
  return tls_->feed(sealed);
}

std::optional<std::size_t> ByteStream::read(MutableBytes into) {
  if (!early_.empty()) {
    const auto n = std::min(early_.size(), into.size());
    std::copy_n(early_.begin(), n, into.begin());
    early_.erase(early_.begin(), early_.begin() + static_cast<std::ptrdiff_t>(n));
    return n;
  }
  if (tls_) {
    const auto n = read_tls(into);
    if (!n || *n > 0) return n;
  }
  static thread_local std::array<std::uint8_t, kAtOnce> sealed;
  const bool plain = !tls_ && !proxy_;
  const auto room = plain ? into : MutableBytes(sealed);
  const auto n = ::recv(fd_.get(), room.data(), room.size(), MSG_DONTWAIT);
  if (n < 0) return later() ? std::optional<std::size_t>(0) : std::nullopt;
  if (n == 0) return std::nullopt;
  if (plain) return static_cast<std::size_t>(n);
  const ByteView came(sealed.data(), static_cast<std::size_t>(n));
  const bool goes_on = proxy_ ? on_proxy(came) : tls_->feed(came);
  if (tls_) tls_->take_output(out_);
  if (!goes_on) {
    if (tls_ && why_.empty()) why_ = tls_->why();
    (void)flush();  // an alert says why
    return std::nullopt;
  }
  return tls_ ? read_tls(into) : 0;
}

// What comes may ask for an answer of TLS itself, a new key: whoever asks on and on and takes no answer is left.
std::optional<std::size_t> ByteStream::read_tls(MutableBytes into) {
  const auto n = tls_->read(into);
  tls_->take_output(out_);
  if (out_.size() > kMostUnsent || (n == 0 && tls_->over())) return std::nullopt;
  return n;
}

void ByteStream::write(ByteView bytes) {
  if (!tls_) return append(out_, bytes);
  (void)tls_->write(bytes);
  tls_->take_output(out_);
}

bool ByteStream::flush() {
  if (connecting_) {
    int error = 0;
    socklen_t size = sizeof error;
    if (::getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0) return false;
    sockaddr_storage peer{};
    socklen_t length = sizeof peer;
    connecting_ = ::getpeername(fd_.get(), reinterpret_cast<sockaddr*>(&peer), &length) != 0;
  }
  std::size_t taken = 0;
  while (taken < out_.size() && !connecting_) {
    const auto n = ::send(fd_.get(), out_.data() + taken, out_.size() - taken, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && !later()) return false;
    if (n < 0) break;
    taken += static_cast<std::size_t>(n);
  }
  out_.erase(out_.begin(), out_.begin() + static_cast<std::ptrdiff_t>(taken));
  if (!out_.empty() || connecting_) {
    if (!waits_ && watch_) watch_->when_writable(writable_);
    waits_ = watch_ != nullptr;
  } else if (out_.capacity() > kAtOnce) {
    out_ = Bytes();
  }
  return true;
}

}  // namespace linnet::io
