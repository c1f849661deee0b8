#include "node/io/net/tcp_ports.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "node/io/clock.h"
#include "node/io/net/address.h"
#include "overlay/ways.h"

namespace linnet::io {
namespace {

constexpr int kAcceptsAtOnce = 64;
constexpr Duration kSweep = std::chrono::seconds(1);
constexpr Duration kUnwanted = std::chrono::milliseconds(500);  // of what was dialled: closed within two seconds
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
    listeners_.push_back(std::make_unique<Listener>());
    listeners_.back()->fd = std::move(fd);
    listeners_.back()->local = tcp(to_endpoint(bound));
    if (loop_ != nullptr) watch(*listeners_.back());
  }
  if (!failed.empty()) return trouble("No TCP at " + failed + ": who has no UDP cannot come in there.");
  return {};
}

void TcpPorts::stop_listening(const std::vector<Endpoint>& at) {
  std::erase_if(listeners_, [&](const auto& listener) {
    return std::any_of(at.begin(), at.end(), [&](const Endpoint& e) { return same_place(e, listener->local); });
  });
}

std::vector<Endpoint> TcpPorts::bound() const {
  std::vector<Endpoint> out;
  for (const auto& listener : listeners_) out.push_back(listener->local);
  return out;
}

void TcpPorts::start(Loop& loop, Receive receive, std::function<void()> drained, Core core) {
  loop_ = &loop;
  receive_ = std::move(receive);
  drained_ = std::move(drained);
  core_ = std::move(core);
  alarm_ = loop.alarm([this] { sweep(); });
  rested_ = loop.alarm([this] {
    for (auto& listener : listeners_)
      if (!listener->watch) watch(*listener);
  });
  for (auto& listener : listeners_) watch(*listener);
}

void TcpPorts::watch(Listener& listener) {
  listener.watch = loop_->watch(listener.fd.get(), [this, self = &listener] { accept_some(*self); });
}

void TcpPorts::accept_some(Listener& listener) {
  for (int i = 0; i < kAcceptsAtOnce; ++i) {
    sockaddr_storage from{};
    socklen_t size = sizeof from;
    Fd fd(::accept4(listener.fd.get(), reinterpret_cast<sockaddr*>(&from), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd) {
      take(std::move(fd), tcp(to_endpoint(from)), listener.local);
      continue;
    }
    const bool descriptors = errno == EMFILE || errno == ENFILE;
    if (!descriptors && errno != ENOMEM && errno != ENOBUFS) return;
    if (descriptors && turn_away(listener)) return;
    ++counters_.rests;
    listener.watch.reset();
    rested_->set(now() + kRest);
    return;
  }
}

// Who waits would keep the listener readable for ever.
bool TcpPorts::turn_away(Listener& listener) {
  spare_.reset();
  const bool away = static_cast<bool>(Fd(::accept4(listener.fd.get(), nullptr, nullptr, SOCK_CLOEXEC)));
  spare_ = spare_descriptor();
  if (away) ++counters_.refused;
  return away;
}

void TcpPorts::take(Fd fd, const Endpoint& remote, const Endpoint& local) {
  if (!make_room(remote)) {
    ++counters_.refused;
    return;
  }
  ++counters_.accepted;
  (void)begin(
      std::make_unique<Entry>(Entry{TcpConnection(ByteStream::accepted(std::move(fd)), remote, true, now()), local}));
}

bool TcpPorts::make_room(const Endpoint& newcomer) {
  std::size_t neighbours = 0;
  auto oldest = connections_.end();
  const auto time = now();
  for (auto it = connections_.begin(); it != connections_.end(); ++it) {
    const auto& one = it->second->connection;
    if (!one.incoming()) continue;
    if (!newcomer.ip.is_loopback() && one.remote().ip.prefix() == newcomer.ip.prefix()) ++neighbours;
    if (oldest != connections_.end() && oldest->second->connection.since() <= one.since()) continue;
    if (time - one.since() >= kFairTime && !core_.stands(one.remote())) oldest = it;
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
  const auto& one = at->second->connection;
  counters_.outdated += one.outdated();
  if (!one.incoming()) --outgoing_;
  if (!one.incoming() && one.remote().socket == overlay::kByProxy) {
    if (!one.why().empty()) proxy_trouble_ = one.why();
    if (one.ready()) proxy_trouble_.clear();
  }
  return connections_.erase(at);
}

TcpPorts::Connections::iterator TcpPorts::begin(std::unique_ptr<Entry> entry) {
  auto& connection = entry->connection;
  const auto remote = connection.remote();
  if (const auto former = connections_.find(remote); former != connections_.end()) drop(former);
  if (!connection.incoming()) ++outgoing_;
  const auto at = connections_.emplace(remote, std::move(entry)).first;
  connection.start(
      *loop_, [this, &connection] { on_readable(connection); },
      [this, &connection] {
        connection.on_writable();
        on_writable(connection);
      });
  if (connections_.size() == 1) alarm_->set(now() + kSweep);
  return at;
}

// It turned out to be in TLS. False: there is one of that name, and it stays.
bool TcpPorts::rename(const Endpoint& before, const Endpoint& after) {
  if (connections_.contains(after)) return false;
  auto node = connections_.extract(before);
  node.key() = after;
  connections_.insert(std::move(node));
  return true;
}

void TcpPorts::on_readable(TcpConnection& connection) {
  const auto receive = [&](MutableBytes packet) {
    if (packet.size() > kMaxDatagram) {
      ++counters_.malformed;  // no packet of ours is longer, whatever carries it
    } else {
      receive_(Datagram{connection.remote(), packet});
    }
  };
  auto name = connection.remote();
  auto became = connection.read(now(), receive);
  if (became == TcpConnection::Read::in_tls) {
    const bool renamed = rename(name, connection.remote());
    if (renamed) name = connection.remote();  // else the one that has the name stays, and this one goes
    became = renamed ? connection.read(now(), receive) : TcpConnection::Read::over;
  }
  const auto at = connections_.find(name);
  if (became == TcpConnection::Read::guest) {
    hand_on(at);
  } else if (became != TcpConnection::Read::goes_on) {
    drop(at);
  } else if (!connection.waits()) {
    on_writable(connection);  // a handshake goes on, or is over
  }
  drained_();
}

// What a guest does from here on is not ours to count or close.
void TcpPorts::hand_on(Connections::iterator at) {
  auto& entry = *at->second;
  StreamGuest guest{entry.connection.remote(), entry.local, nullptr, entry.connection.take_opening()};
  guest.stream = entry.connection.take_stream();
  drop(at);
  if (!guests_) {
    ++counters_.malformed;
    return;
  }
  ++counters_.guests;
  guests_(std::move(guest));
}

void TcpPorts::on_writable(TcpConnection& connection) {
  if (connection.flush(now())) return;
  drop(connections_.find(connection.remote()));
}

TcpPorts::Connections::iterator TcpPorts::dial(const Endpoint& to) {
  if (outgoing_ >= limits_.outgoing || loop_ == nullptr) return connections_.end();
  const auto how = route_ ? route_(to) : ByteStream::Dial{to, std::nullopt, ""};
  auto stream = how ? ByteStream::dial(*how) : nullptr;
  if (!stream) return connections_.end();
  ++counters_.dialled;
  return begin(std::make_unique<Entry>(Entry{TcpConnection(std::move(stream), to, false, now()), Endpoint{}}));
}

bool TcpPorts::tried(const Endpoint& to) {
  if (!core_.tries) return false;
  const auto time = now();
  const auto known = untried_.find(to);
  if (known != untried_.end() && time - known->second < kAskAgain) return false;
  if (core_.tries(to)) {
    untried_.erase(to);
    return true;
  }
  if (untried_.size() >= limits_.total) untried_.clear();
  untried_[to] = time;
  return false;
}

void TcpPorts::send(const Transmit& transmit) {
  auto at = connections_.find(transmit.to);
  if (at == connections_.end() && (begins(transmit.bytes) || tried(transmit.to))) at = dial(transmit.to);
  if (at == connections_.end() || !at->second->connection.send(now(), transmit.bytes)) {
    ++counters_.dropped;
    return;
  }
  if (waiting_.empty() || waiting_.back() != transmit.to) waiting_.push_back(transmit.to);
}

void TcpPorts::flush() {
  for (const auto& remote : std::exchange(waiting_, {})) {
    const auto at = connections_.find(remote);
    if (at == connections_.end() || at->second->connection.waits()) continue;
    on_writable(at->second->connection);
  }
}

// What we dialled and nothing stands on goes as soon as nobody waits for it: another way was taken.
void TcpPorts::sweep() {
  const auto time = now();
  for (auto it = connections_.begin(); it != connections_.end();) {
    auto& one = it->second->connection;
    const bool standing = core_.stands(one.remote());
    if (standing) one.stands(time);
    const bool lost =
        !one.incoming() && !standing && time - one.since() >= kUnwanted && core_.tries && !core_.tries(one.remote());
    if (!lost && !one.slow(time, standing)) {
      ++it;
      continue;
    }
    if (!lost) ++counters_.closed_slow;
    it = drop(it);
  }
  alarm_->set(connections_.empty() ? kNever : time + kSweep);
}

}  // namespace linnet::io
