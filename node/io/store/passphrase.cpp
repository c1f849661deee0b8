#include "node/io/store/passphrase.h"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <optional>

#include "crypto/passphrase.h"
#include "node/io/files.h"
#include "node/io/terminal.h"

namespace linnet::io {
namespace {

// Restores the echo however the scope is left.
class NoEcho {
 public:
  explicit NoEcho(int fd) : fd_(fd) {
    termios t{};
    if (::tcgetattr(fd, &t) != 0) return;
    before_ = t;
    t.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(fd, TCSAFLUSH, &t);
  }
  ~NoEcho() {
    if (before_) ::tcsetattr(fd_, TCSAFLUSH, &*before_);
  }
  NoEcho(const NoEcho&) = delete;
  NoEcho& operator=(const NoEcho&) = delete;

 private:
  int fd_;
  std::optional<termios> before_;
};

void put(int fd, const std::string& text) {
  if (::write(fd, text.data(), text.size()) < 0) return;  // a person who sees no question sees no answer either
}

std::string first_line(int fd) {
  std::string out;
  char c = 0;
  while (out.size() <= crypto::kMaxPassphrase) {
    const ssize_t n = ::read(fd, &c, 1);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0 || c == '\n') break;
    out += c;
  }
  return out;
}

// Ctrl-C ends the question, and the echo comes back.
Outcome<std::string> ask_once(int fd, const Interrupts& interrupts, const std::string& prompt) {
  put(fd, prompt);
  const auto ready = readable({fd, interrupts.fd(), -1}, kNoLimit);
  if (ready[1]) {
    put(fd, "\n");
    return trouble("Interrupted.", Exit::interrupted);
  }
  auto out = first_line(fd);
  put(fd, "\n");
  if (out.empty()) return trouble("No passphrase was given.", Exit::usage);
  return out;
}

Outcome<std::string> ask_at(int fd, const PassphraseFrom& from) {
  Interrupts interrupts;
  const NoEcho quiet(fd);
  auto out = ask_once(fd, interrupts, from.prompt);
  if (out && from.twice) {
    const auto again = ask_once(fd, interrupts, "Once more: ");
    if (!again) return again;
    if (*again != *out) return trouble("The two passphrases are not the same.", Exit::usage);
  }
  return out;
}

Outcome<std::string> from_file(const std::string& file) {
  if (auto checked = check_private_file(file); !checked) return tl::unexpected(checked.error());
  const auto bytes = read_file(file, 64 * 1024);
  if (!bytes) return tl::unexpected(bytes.error());
  if (!*bytes) return trouble("There is no file " + file + ".", Exit::not_found);
  const auto all = text(**bytes);
  const auto line = all.substr(0, all.find('\n'));
  if (line.empty()) return trouble("The first line of " + file + " is empty: it holds no passphrase.", Exit::usage);
  return std::string(line);
}

}  // namespace

Outcome<std::string> find_passphrase(const PassphraseFrom& from) {
  if (!from.file.empty()) return from_file(from.file);
  if (const char* value = std::getenv("LINNET_PASSPHRASE"); value != nullptr && value[0] != '\0')
    return std::string(value);
  const Fd terminal(::open("/dev/tty", O_RDWR | O_CLOEXEC));
  if (terminal) return ask_at(terminal.get(), from);
  return trouble(
      "A passphrase is needed, and there is no terminal to ask at.\n  Give it: LINNET_PASSPHRASE=... or "
      "--passphrase-file FILE",
      Exit::identity);
}

}  // namespace linnet::io
