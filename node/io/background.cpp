#include "node/io/background.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "node/io/files.h"

namespace linnet::io {
namespace {

constexpr int kStartLimitMs = 30'000;
constexpr int kAtOnceMs = 80;

// One message: the exit code, the length of the talk, the talk, the data.
void send(int fd, const StartReport& report) {
  const std::string wire = std::to_string(static_cast<int>(report.exit)) + "\n" + std::to_string(report.talk.size()) +
                           "\n" + report.talk + report.data;
  std::size_t at = 0;
  while (at < wire.size()) {
    const ssize_t n = ::write(fd, wire.data() + at, wire.size() - at);
    if (n <= 0 && errno != EINTR) return;
    if (n > 0) at += static_cast<std::size_t>(n);
  }
}

std::string receive(int fd, const std::function<void()>& slow) {
  std::string wire;
  char chunk[4096];
  if (pollfd p{fd, POLLIN, 0}; slow && ::poll(&p, 1, kAtOnceMs) == 0) slow();
  while (true) {
    pollfd p{fd, POLLIN, 0};
    const int ready = ::poll(&p, 1, kStartLimitMs);
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return {};
    const ssize_t n = ::read(fd, chunk, sizeof chunk);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return wire;
    wire.append(chunk, static_cast<std::size_t>(n));
  }
}

Outcome<StartReport> parse(const std::string& wire) {
  const auto first = wire.find('\n');
  const auto second = first == std::string::npos ? first : wire.find('\n', first + 1);
  if (second == std::string::npos) return trouble("The daemon did not come up.");
  const auto length = static_cast<std::size_t>(std::atol(wire.c_str() + first + 1));
  StartReport out;
  out.exit = static_cast<Exit>(std::atoi(wire.c_str()));
  out.talk = wire.substr(second + 1, length);
  out.data = wire.substr(std::min(wire.size(), second + 1 + length));
  return out;
}

void detach() {
  ::setsid();
  const Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(null.get(), fd);
  if (::chdir("/") != 0) return;  // so that no folder is kept busy; paths are absolute
}

}  // namespace

void keep_files_private() { ::umask(0077); }

Outcome<StartReport> start_in_background(const std::function<void(const Report&)>& daemon,
                                         const std::function<void()>& slow) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return trouble("Cannot make a pipe: " + os_error() + ".");
  Fd reading(ends[0]);
  Fd writing(ends[1]);
  const pid_t child = ::fork();
  if (child < 0) return trouble("Cannot start a process: " + os_error() + ".");
  if (child == 0) {
    reading.reset();
    detach();
    daemon([&writing](const StartReport& report) {
      send(writing.get(), report);
      writing.reset();
    });
    std::exit(0);
  }
  writing.reset();
  return parse(receive(reading.get(), slow));
}

}  // namespace linnet::io
