#include "node/io/net/tcp_ports.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "node/io/clock.h"
#include "node/io/net/address.h"

namespace linnet::io {
namespace {

constexpr int kAcceptsAtOnce = 64;
constexpr Duration kSweep = std::chrono::seconds(1);
constexpr Duration kFairTime =
    std::chrono::seconds(2);  // then a connection that carries no session may have to make room

Fd spare_descriptor() { return Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }

std::size_t half_of_descriptors() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return SIZE_MAX;
  return static_cast<std::size_t>(limit.rlim_cur) / 2;
}

// Message 1, or FORWARD to a leaf.
bool begins(ByteView packet) { return packet.size() > 1 && (packet[0] == 4 || (packet[0] == 11 && packet[1] == 1)); }

Endpoint tcp(Endpoint endpoint) {
  endpoint.transport = Transport::tcp;
  return endpoint;
}

}  // namespace

TcpPorts::TcpPorts(Limits limits) : limits_(limits) { limits_.total = std::min(limits_.total, half_of_descriptors()); }

Done TcpPorts::listen(const std::vector<Endpoint>& at) {
  spare_ = spare_descriptor();
  std::string failed;
  for (const auto& local : at) {
    Fd fd(::socket(local.ip.is_v4() ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    const int on = 1;
    if (fd) ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (fd && !local.ip.is_v4()) ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    const auto address = to_socket_address(local);
    if (!fd || ::bind(fd.get(), address.get(), address.size) != 0 || ::listen(fd.get(), 512) != 0) {
      failed += (failed.empty() ? "" : ", ") + local.to_string() + " (" + os_error() + ")";
      continue;
    }
    sockaddr_storage bound{};
    socklen_t size = sizeof bound;
    ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&bound), &size);
    listeners_.push_back({std::move(fd), tcp(to_endpoint(bound)), nullptr});
  }
  if (!failed.empty()) return trouble("No TCP at " + failed + ": who has no UDP cannot come in there.");
  return {};
}

std::vector<Endpoint> TcpPorts::bound() const {
  std::vector<Endpoint> out;
  for (const auto& listener : listeners_) out.push_back(listener.local);
  return out;
}

void TcpPorts::start(Loop& loop, Receive receive, std::function<void()> drained, Standing standing) {
  loop_ = &loop;
  receive_ = std::move(receive);
  drained_ = std::move(drained);
  standing_ = std::move(standing);
  alarm_ = loop.alarm([this] { sweep(); });
  for (auto& listener : listeners_) {
    Listener* self = &listener;
    listener.watch = loop.watch(listener.fd.get(), [this, self] { accept_some(*self); });
  }
}

void TcpPorts::accept_some(Listener& listener) {
  for (int i = 0; i < kAcceptsAtOnce; ++i) {
    sockaddr_storage from{};
    socklen_t size = sizeof from;
    Fd fd(::accept4(listener.fd.get(), reinterpret_cast<sockaddr*>(&from), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd) {
      take(std::move(fd), tcp(to_endpoint(from)));
      continue;
    }
    if (errno != EMFILE && errno != ENFILE) return;
    // Who waits would keep the listener readable for ever.
    spare_.reset();
    Fd turned_away(::accept4(listener.fd.get(), nullptr, nullptr, SOCK_CLOEXEC));
    turned_away.reset();
    spare_ = spare_descriptor();
    ++counters_.refused;
    return;
  }
}

void TcpPorts::take(Fd fd, const Endpoint& remote) {
  if (!make_room(remote)) {
    ++counters_.refused;
    return;
  }
  ++counters_.accepted;
  begin(TcpConnection::accepted(std::move(fd), remote, now()));
}

bool TcpPorts::make_room(const Endpoint& newcomer) {
  std::size_t neighbours = 0;
  auto oldest = connections_.end();
  const auto time = now();
  for (auto it = connections_.begin(); it != connections_.end(); ++it) {
    const auto& one = *it->second;
    if (!one.incoming()) continue;
    if (!newcomer.ip.is_loopback() && one.remote().ip.prefix() == newcomer.ip.prefix()) ++neighbours;
    if (oldest != connections_.end() && oldest->second->since() <= one.since()) continue;
    if (time - one.since() >= kFairTime && !standing_(one.remote())) oldest = it;
  }
  if (neighbours >= limits_.per_prefix) return false;
  if (connections_.size() < limits_.total) return true;
  if (oldest == connections_.end()) return false;
  ++counters_.closed_slow;
  drop(oldest);
  return true;
}

// The only way out of the table: what we dialled is counted.
TcpPorts::Connections::iterator TcpPorts::drop(Connections::iterator at) {
  if (!at->second->incoming()) --outgoing_;
  return connections_.erase(at);
}

void TcpPorts::begin(std::unique_ptr<TcpConnection> connection) {
  const auto remote = connection->remote();
  if (const auto former = connections_.find(remote); former != connections_.end()) drop(former);
  if (!connection->incoming()) ++outgoing_;
  auto& kept = *(connections_[remote] = std::move(connection));
  kept.start(
      *loop_, [this, remote] { on_readable(remote); }, [this, remote] { on_writable(remote); });
  if (connections_.size() == 1) alarm_->set(now() + kSweep);
}

void TcpPorts::on_readable(const Endpoint& remote) {
  const auto at = connections_.find(remote);
  if (at == connections_.end()) return;
  auto& connection = *at->second;
  const bool goes_on = connection.read(now(), [&](MutableBytes packet) {
    if (packet.size() > kMaxDatagram) {
      ++counters_.malformed;  // no packet of ours is longer, whatever carries it
    } else {
      receive_(Datagram{remote, packet});
    }
  });
  if (!goes_on) drop(at);
  drained_();
}

void TcpPorts::on_writable(const Endpoint& remote) {
  const auto at = connections_.find(remote);
  if (at == connections_.end()) return;
  at->second->waits_ = false;
  if (at->second->flush(now())) return;
  drop(at);
}

void TcpPorts::send(const Transmit& transmit) {
  auto at = connections_.find(transmit.to);
  if (at == connections_.end()) {
    auto fresh = begins(transmit.bytes) && outgoing_ < limits_.outgoing && loop_ != nullptr
                     ? TcpConnection::dial(transmit.to, now())
                     : nullptr;
    if (!fresh) {
      ++counters_.dropped;
      return;
    }
    ++counters_.dialled;
    begin(std::move(fresh));
    at = connections_.find(transmit.to);
  }
  if (!at->second->send(transmit.bytes)) {
    ++counters_.dropped;
    return;
  }
  if (waiting_.empty() || waiting_.back() != transmit.to) waiting_.push_back(transmit.to);
}

void TcpPorts::flush() {
  for (const auto& remote : std::exchange(waiting_, {})) {
    const auto at = connections_.find(remote);
    if (at == connections_.end() || at->second->waits_) continue;
    on_writable(remote);
  }
}

void TcpPorts::sweep() {
  const auto time = now();
  for (auto it = connections_.begin(); it != connections_.end();) {
    auto& one = *it->second;
    const bool standing = standing_(one.remote());
    if (standing) one.last_standing_ = time;
    if (!one.slow(time, standing)) {
      ++it;
      continue;
    }
    ++counters_.closed_slow;
    it = drop(it);
  }
  alarm_->set(connections_.empty() ? kNever : time + kSweep);
}

}  // namespace linnet::io
