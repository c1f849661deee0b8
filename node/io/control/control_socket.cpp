#include "node/io/control/control_socket.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <new>
#include <vector>

#include "node/io/clock.h"
#include "node/io/control/control_request.h"
#include "node/io/control/lines.h"

namespace linnet::io {
namespace {

// sun_path holds 107 bytes; a longer path is reached through its folder's descriptor.
struct SocketName {
  sockaddr_un address{};
  Fd folder;
};

Outcome<SocketName> name_of(const std::filesystem::path& path) {
  SocketName out;
  out.address.sun_family = AF_UNIX;
  std::string text = path.string();
  if (text.size() >= sizeof out.address.sun_path) {
    out.folder = Fd(::open(path.parent_path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!out.folder) return trouble("Cannot open " + path.parent_path().string() + ": " + os_error() + ".");
    text = "/proc/self/fd/" + std::to_string(out.folder.get()) + "/" + path.filename().string();
  }
  std::memcpy(out.address.sun_path, text.c_str(), text.size() + 1);
  return out;
}

Fd spare() { return Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }

std::optional<ucred> peer_of(int fd) {
  ucred who{};
  socklen_t size = sizeof who;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0) return std::nullopt;
  return who;
}

}  // namespace

struct ControlSocket::Client {
  Fd fd;
  std::string in;
  std::string out;
  Time since{};
  bool spoke = false;
  bool finishing = false;
  bool waiting = false;                // for the socket to take bytes
  std::unique_ptr<Loop::Watch> watch;  // last: gone before the descriptor
};

ControlSocket::ControlSocket(Loop& loop, std::filesystem::path path, Fd fd, Handler handler)
    : loop_(loop), path_(std::move(path)), fd_(std::move(fd)), handler_(std::move(handler)) {
  watch_ = loop_.watch(fd_.get(), [this] { accept(); });
  patience_ = loop_.alarm([this] { drop_silent(); });
  again_ = loop_.alarm([this] { watch_ = loop_.watch(fd_.get(), [this] { accept(); }); });
  spare_ = spare();
}

ControlSocket::~ControlSocket() {
  ::unlink(path_.c_str());
  watch_.reset();
}

Outcome<std::unique_ptr<ControlSocket>> ControlSocket::open(Loop& loop, const std::filesystem::path& path,
                                                            Handler handler) {
  auto name = name_of(path);
  if (!name) return tl::unexpected(name.error());
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return trouble("Cannot open a control socket: " + os_error() + ".");
  ::unlink(path.c_str());
  const ::mode_t mask = ::umask(0177);  // 0600 from the first moment
  const int bound = ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&name->address), sizeof name->address);
  ::umask(mask);
  if (bound != 0 || ::listen(fd.get(), 32) != 0)
    return trouble("Cannot listen on " + path.string() + ": " + os_error() + ".");
  return std::unique_ptr<ControlSocket>(new ControlSocket(loop, path, std::move(fd), std::move(handler)));
}

void ControlSocket::accept() {
  Fd fd(::accept4(fd_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!fd && (errno == EMFILE || errno == ENFILE)) return refuse_without_descriptors();
  if (!fd) return;
  const auto peer = peer_of(fd.get());
  if (!peer || (peer->uid != ::geteuid() && peer->uid != 0)) return;
  if (clients_.size() >= kMaxClients) {
    const std::string busy =
        lines::error({"The daemon serves " + std::to_string(kMaxClients) + " programs already.", Exit::failed}) + "\n";
    ::send(fd.get(), busy.data(), busy.size(), MSG_NOSIGNAL);
    return;
  }
  const ClientId id{++last_id_};
  auto client = std::make_unique<Client>();
  client->fd = std::move(fd);
  client->since = now();
  client->watch = loop_.watch(client->fd.get(), [this, id] {
    try {
      readable(id);
    } catch (const std::bad_alloc&) {
      drop(id);  // better no answer at once than none for ever
    }
  });
  clients_.emplace(id, std::move(client));
  patience_->set(now() + kFirstLine);
}

// A connection that cannot be accepted stays readable: without this the loop would turn on the spot.
void ControlSocket::refuse_without_descriptors() {
  spare_.reset();
  Fd fd(::accept4(fd_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (fd) {
    const std::string why = lines::error({"The daemon has no descriptors left.", Exit::failed}) + "\n";
    ::send(fd.get(), why.data(), why.size(), MSG_NOSIGNAL);
    fd.reset();
  } else {
    watch_.reset();
    again_->set(now() + std::chrono::seconds(1));
  }
  spare_ = spare();
}

void ControlSocket::readable(ClientId id) {
  const auto it = clients_.find(id);
  if (it == clients_.end()) return;
  char chunk[16384];
  const ssize_t n = ::recv(it->second->fd.get(), chunk, sizeof chunk, 0);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n <= 0) return drop(id);
  it->second->in.append(chunk, static_cast<std::size_t>(n));
  while (true) {
    const auto client = clients_.find(id);  // a handler may have dropped it
    if (client == clients_.end()) return;
    auto& in = client->second->in;
    const auto end = in.find('\n');
    if (end == std::string::npos) {
      if (in.size() > kMaxControlLine) drop(id);
      return;
    }
    const std::string line = in.substr(0, end);
    in.erase(0, end + 1);
    client->second->spoke = true;
    if (line.size() > kMaxControlLine) return drop(id);
    handler_.line(id, line);
  }
}

bool ControlSocket::send(ClientId id, std::string_view line) {
  const auto it = clients_.find(id);
  if (it == clients_.end()) return false;
  auto& out = it->second->out;
  bool fits = out.size() + line.size() < kMaxWaiting;
  try {
    if (fits) out.append(line).push_back('\n');
  } catch (const std::bad_alloc&) {
    fits = false;
  }
  if (!fits) {
    drop(id);
    return false;
  }
  flush(id);
  return clients_.count(id) > 0;
}

void ControlSocket::flush(ClientId id) {
  const auto it = clients_.find(id);
  if (it == clients_.end()) return;
  Client& client = *it->second;
  while (!client.out.empty() && !client.waiting) {
    const ssize_t n = ::send(client.fd.get(), client.out.data(), client.out.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) {
      client.waiting = true;
      client.watch->when_writable([this, id] {
        if (const auto found = clients_.find(id); found != clients_.end()) found->second->waiting = false;
        flush(id);
      });
      return;
    }
    if (n < 0) return drop(id);
    client.out.erase(0, static_cast<std::size_t>(n));
  }
  if (client.out.empty() && client.finishing) drop(id);
}

void ControlSocket::finish(ClientId id) {
  const auto it = clients_.find(id);
  if (it == clients_.end()) return;
  it->second->finishing = true;
  flush(id);
}

void ControlSocket::drop(ClientId id) {
  if (clients_.erase(id) > 0) handler_.closed(id);
}

void ControlSocket::drop_silent() {
  const Time at = now();
  std::vector<ClientId> silent;
  Time next = kNever;
  for (const auto& [id, client] : clients_) {
    if (client->spoke) continue;
    if (client->since + kFirstLine <= at)
      silent.push_back(id);
    else
      next = std::min(next, client->since + kFirstLine);
  }
  for (const auto id : silent) drop(id);
  patience_->set(next);
}

Outcome<std::optional<DaemonLink>> connect_control(const std::filesystem::path& path) {
  auto name = name_of(path);
  if (!name) return std::optional<DaemonLink>();
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return trouble("Cannot open a socket: " + os_error() + ".");
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&name->address), sizeof name->address) != 0) {
    if (errno == ENOENT || errno == ECONNREFUSED || errno == ENOTDIR) return std::optional<DaemonLink>();
    return trouble("Cannot reach the daemon at " + path.string() + ": " + os_error() + ".");
  }
  const auto peer = peer_of(fd.get());
  if (!peer || (peer->uid != ::geteuid() && ::geteuid() != 0))
    return trouble("The daemon at " + path.string() + " belongs to another user.");
  return std::optional<DaemonLink>(DaemonLink{std::move(fd), peer->pid});
}

}  // namespace linnet::io
