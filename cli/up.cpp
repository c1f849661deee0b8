#include "cli/up.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "cli/user.h"
#include "node/io/daemon.h"
#include "node/io/log.h"

namespace linnet::cli {
namespace {

constexpr int kStartLimitMs = 30'000;

io::Outcome<io::Settings> settings_of(const Context& context, const verb::Up& flags) {
  io::Settings out;
  if (auto read = io::read_config_files(context.home.configs, out); !read) return tl::unexpected(read.error());
  if (auto set = io::apply_environment([](const char* name) { return std::getenv(name); }, out); !set) return tl::unexpected(set.error());
  if (!flags.listen.empty()) out.listen = flags.listen;
  if (!flags.bootstrap.empty()) out.bootstrap = flags.bootstrap;
  if (flags.relay) out.relay = *flags.relay;
  if (flags.lan) out.lan = *flags.lan;
  if (flags.auto_answer) out.auto_answer = true;
  if (!flags.play.empty()) out.play = std::filesystem::absolute(flags.play).string();
  if (!flags.record.empty()) out.record = std::filesystem::absolute(flags.record).string();
  return out;
}

// What the person who typed `up` reads: the same from a background daemon as from one in the foreground.
std::string report(const Context& context, const io::Daemon::Started& started) {
  std::string listen;
  for (const auto& endpoint : started.listen) listen += (listen.empty() ? "" : context.json ? "," : ", ") + (context.json ? json_text(endpoint.to_string()) : endpoint.to_string());
  const auto pid = std::to_string(::getpid());
  if (context.json)
    return R"({"schema":1,"pid":)" + pid + R"(,"uri":)" + json_text(started.uri.text()) + R"(,"key_name":)" + json_text(started.key_name.text()) + R"(,"listen":[)" +
           listen + R"(],"new_identity":)" + (started.new_identity ? "true" : "false") + "}";
  return started.uri.text() + " is up, listening on " + listen + " (process " + pid + ")";
}

std::string remarks(const Context& context, const io::Daemon::Started& started) {
  std::string out;
  if (started.new_identity)
    out += "There was no identity: " + started.uri.text() + " was made (" + context.home.identity().string() + ").\n";
  for (const auto& name : started.unresolved) out += "No address was found for the bootstrap node " + name + ".\n";
  return out;
}

void print_report(const std::string& remark, const std::string& line) {
  if (!remark.empty()) talk(std::string_view(remark).substr(0, remark.size() - 1));
  say(line);
}

// One message from the child: the exit code, what goes to stderr, what goes to stdout.
struct Message {
  int exit = 1;
  std::string talk;
  std::string data;
};

void send(int fd, const Message& m) {
  const std::string wire = std::to_string(m.exit) + "\n" + std::to_string(m.talk.size()) + "\n" + m.talk + m.data;
  std::size_t at = 0;
  while (at < wire.size()) {
    const ssize_t n = ::write(fd, wire.data() + at, wire.size() - at);
    if (n <= 0 && errno != EINTR) return;
    if (n > 0) at += static_cast<std::size_t>(n);
  }
}

std::optional<Message> receive(int fd) {
  std::string wire;
  char chunk[4096];
  while (true) {
    pollfd p{fd, POLLIN, 0};
    const int ready = ::poll(&p, 1, kStartLimitMs);
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return std::nullopt;
    const ssize_t n = ::read(fd, chunk, sizeof chunk);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    wire.append(chunk, static_cast<std::size_t>(n));
  }
  const auto first = wire.find('\n');
  const auto second = wire.find('\n', first == std::string::npos ? first : first + 1);
  if (second == std::string::npos) return std::nullopt;
  Message m;
  m.exit = std::atoi(wire.c_str());
  const auto length = static_cast<std::size_t>(std::atol(wire.c_str() + first + 1));
  m.talk = wire.substr(second + 1, length);
  m.data = wire.substr(std::min(wire.size(), second + 1 + length));
  return m;
}

void detach() {
  ::setsid();
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(null, fd);
  if (null > STDERR_FILENO) ::close(null);
  if (::chdir("/") != 0) return;  // no folder is kept busy; the home is absolute
}

[[noreturn]] void background(const Context& context, const io::Settings& settings, io::Fd pipe) {
  detach();
  auto daemon = io::Daemon::start(context.home, settings, user_name());
  if (!daemon) {
    send(pipe.get(), {code(daemon.error().exit), daemon.error().text + "\n", ""});
    std::_Exit(code(daemon.error().exit));
  }
  io::open_log(context.home.log(), settings.log_level);
  send(pipe.get(), {0, remarks(context, (*daemon)->started()), report(context, (*daemon)->started())});
  pipe.reset();
  (*daemon)->run();
  daemon->reset();
  std::exit(0);
}

int foreground(const Context& context, const io::Settings& settings) {
  auto daemon = io::Daemon::start(context.home, settings, user_name());
  if (!daemon) return fail(daemon.error());
  io::open_log({}, settings.log_level);
  print_report(remarks(context, (*daemon)->started()), report(context, (*daemon)->started()));
  (*daemon)->run();
  return 0;
}

}  // namespace

int up(const Context& context, const verb::Up& options) {
  const auto settings = settings_of(context, options);
  if (!settings) return fail(settings.error());
  ::umask(0077);
  if (options.foreground) return foreground(context, *settings);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail({"Cannot make a pipe: " + io::os_error() + "."});
  io::Fd reading(ends[0]);
  io::Fd writing(ends[1]);
  const pid_t child = ::fork();  // before any thread exists
  if (child < 0) return fail({"Cannot start a process: " + io::os_error() + "."});
  if (child == 0) {
    reading.reset();
    background(context, *settings, std::move(writing));
  }
  writing.reset();
  const auto message = receive(reading.get());
  if (!message) return fail({"The daemon did not come up. Its log: " + context.home.log().string()});
  if (message->exit != 0) return fail({message->talk.substr(0, message->talk.size() - 1), static_cast<io::Exit>(message->exit)});
  print_report(message->talk, message->data);
  return 0;
}

}  // namespace linnet::cli
