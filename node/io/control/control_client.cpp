#include "node/io/control/control_client.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "node/io/clock.h"

namespace linnet::io {

Outcome<Client> Client::connect(const Home& home) {
  auto link = connect_control(home.control());
  if (!link) return tl::unexpected(link.error());
  if (!*link) return trouble("The daemon is not running. Start it: linnet up", Exit::no_daemon);
  return Client(std::move(**link));
}

Done Client::send(const std::string& request) {
  const std::string line = request + "\n";
  std::size_t at = 0;
  while (at < line.size()) {
    const ssize_t n = ::send(fd(), line.data() + at, line.size() - at, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EPIPE) return {};  // what it said before it closed is still to be read
    if (n < 0) return trouble("The daemon went away.", Exit::no_daemon);
    at += static_cast<std::size_t>(n);
  }
  return {};
}

std::optional<std::string> Client::buffered() {
  const auto end = in_.find('\n');
  if (end == std::string::npos) return std::nullopt;
  std::string line = in_.substr(0, end);
  in_.erase(0, end + 1);
  return line;
}

bool Client::read_more() {
  char chunk[16384];
  const ssize_t n = ::recv(fd(), chunk, sizeof chunk, 0);
  if (n < 0) return errno == EINTR || errno == EAGAIN;
  in_.append(chunk, static_cast<std::size_t>(n));
  return n > 0;
}

Outcome<std::optional<std::string>> Client::line(Duration limit, int interrupt) {
  const Time until = limit == kForever ? kNever : now() + limit;
  const Time slow_at = now() + kAtOnce;
  while (true) {
    if (auto line = buffered()) return line;
    if (slow_ && now() >= slow_at) std::exchange(slow_, nullptr)();
    const Time next = slow_ ? std::min(until, slow_at) : until;
    int wait = -1;
    if (next != kNever) {
      if (until != kNever && now() >= until) return trouble("The daemon does not answer.");
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - now());
      wait = static_cast<int>(std::max<std::int64_t>(0, left.count()));
    }
    pollfd fds[2] = {{fd(), POLLIN, 0}, {interrupt, POLLIN, 0}};  // poll passes over a negative descriptor
    if (::poll(fds, 2, wait) <= 0) continue;
    if (fds[1].revents != 0) return trouble("Interrupted.", Exit::interrupted);
    if (!read_more()) return std::optional<std::string>();
  }
}

Outcome<std::string> ask(const Home& home, const std::string& request, Duration limit, std::function<void()> slow) {
  auto client = Client::connect(home);
  if (!client) return tl::unexpected(client.error());
  client->when_slow(std::move(slow));
  if (auto sent = client->send(request); !sent) return tl::unexpected(sent.error());
  auto line = client->line(limit);
  if (!line) return tl::unexpected(line.error());
  if (!*line) return trouble("The daemon went away.", Exit::no_daemon);
  return std::move(**line);
}

}  // namespace linnet::io
