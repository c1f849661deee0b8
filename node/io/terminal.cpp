#include "node/io/terminal.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>

namespace linnet::io {
namespace {

sigset_t interrupts() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, number);
  return set;
}

std::size_t width() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

}  // namespace

bool on_terminal() {
  const char* term = std::getenv("TERM");
  return ::isatty(STDOUT_FILENO) == 1 && (term == nullptr || std::string_view(term) != "dumb");
}

struct RawKeys::Saved {
  termios before{};
};

RawKeys::RawKeys() {
  termios t{};
  if (::isatty(STDIN_FILENO) != 1 || ::tcgetattr(STDIN_FILENO, &t) != 0) return;
  saved_ = new Saved{t};
  t.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
  t.c_cc[VMIN] = 0;
  t.c_cc[VTIME] = 0;
  active_ = ::tcsetattr(STDIN_FILENO, TCSANOW, &t) == 0;
}

RawKeys::~RawKeys() {
  if (active_) ::tcsetattr(STDIN_FILENO, TCSANOW, &saved_->before);
  delete saved_;
}

int RawKeys::fd() const { return active_ ? STDIN_FILENO : -1; }

char RawKeys::key() {
  char c = 0;
  return ::read(STDIN_FILENO, &c, 1) == 1 ? c : '\0';
}

Interrupts::Interrupts() {
  const sigset_t set = interrupts();
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
  fd_ = Fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

Interrupts::~Interrupts() {
  take();  // one that was seen and not taken would end the process now
  const sigset_t set = interrupts();
  ::sigprocmask(SIG_UNBLOCK, &set, nullptr);
}

void Interrupts::take() {
  signalfd_siginfo info{};
  while (::read(fd_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
  }
}

std::array<bool, 3> readable(const std::array<int, 3>& fds, Duration limit) {
  std::array<pollfd, 3> p{};
  for (std::size_t i = 0; i < fds.size(); ++i) p[i] = {fds[i], POLLIN, 0};
  const int wait =
      limit == kNoLimit ? -1 : static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(limit).count());
  if (::poll(p.data(), p.size(), wait) <= 0) return {};
  return {p[0].revents != 0, p[1].revents != 0, p[2].revents != 0};
}

void LiveLine::show(std::string_view text) {
  const std::size_t room = width() - 1;
  std::fputs("\r\x1b[K", stdout);
  std::fwrite(text.data(), 1, std::min(text.size(), room), stdout);
  std::fflush(stdout);
  shown_ = true;
}

void LiveLine::clear() {
  if (!shown_) return;
  std::fputs("\r\x1b[K", stdout);
  std::fflush(stdout);
  shown_ = false;
}

}  // namespace linnet::io
