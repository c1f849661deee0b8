#include "node/io/notify.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "node/io/clock.h"
#include "node/io/files.h"

namespace linnet::io {
namespace {

std::optional<std::int64_t> number_from(const char* variable) {
  const char* text = std::getenv(variable);
  if (text == nullptr) return std::nullopt;
  std::int64_t value = 0;
  const char* end = text + std::strlen(text);
  const auto [at, failed] = std::from_chars(text, end, value);
  return failed == std::errc() && at == end ? std::optional(value) : std::nullopt;
}

}  // namespace

void notify_supervisor(std::string_view state) {
  const char* path = std::getenv("NOTIFY_SOCKET");
  if (path == nullptr || (path[0] != '/' && path[0] != '@')) return;
  const std::size_t length = std::strlen(path);
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  if (length >= sizeof to.sun_path) return;
  std::memcpy(to.sun_path, path, length);
  if (path[0] == '@') to.sun_path[0] = '\0';  // abstract name
  const Fd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd) return;
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length);
  ::sendto(fd.get(), state.data(), state.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&to), size);
}

void notify_reloading() {
  notify_supervisor("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(now().time_since_epoch().count()));
}

Watchdog::Watchdog(Loop& loop) {
  const auto interval = number_from("WATCHDOG_USEC");
  const auto whose = number_from("WATCHDOG_PID");
  if (!interval || *interval <= 0 || (whose && *whose != ::getpid())) return;
  every_ = Duration(*interval / 2);  // as sd_watchdog_enabled(3) advises
  alarm_ = loop.alarm([this] { beat(); });
  beat();
}

void Watchdog::beat() {
  alarm_->set(now() + every_);
  notify_supervisor("WATCHDOG=1");
}

}  // namespace linnet::io
