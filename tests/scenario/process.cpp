#include "tests/scenario/process.h"
#include "checkout.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "node/io/clock.h"

namespace linnet::scenario {

Json Ran::last_line() const {
  const auto all = lines();
  return all.empty() ? Json() : Json::parse(all.back(), nullptr, false);
}

std::vector<std::string> Ran::lines() const {
  std::vector<std::string> list;
  std::size_t at = 0;
  for (std::size_t end; (end = out.find('\n', at)) != std::string::npos; at = end + 1)
    list.push_back(out.substr(at, end - at));
  return list;
}

Process::Process(const std::vector<std::string>& arguments, const Environment& environment)
    : Process(LINNET_BINARY_DIR "/linnet", arguments, environment) {}

Process::Process(const std::string& program, const std::vector<std::string>& arguments,
                 const Environment& environment) {
  int out[2];
  int err[2];
  if (::pipe2(out, O_CLOEXEC) != 0 || ::pipe2(err, O_CLOEXEC) != 0) std::abort();
  std::vector<std::string> all{program};
  all.insert(all.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (auto& argument : all) argv.push_back(argument.data());
  argv.push_back(nullptr);
  auto variables = environment;
  pid_ = ::fork();
  if (pid_ == 0) {
    ::dup2(::open("/dev/null", O_RDONLY), STDIN_FILENO);
    ::dup2(out[1], STDOUT_FILENO);
    ::dup2(err[1], STDERR_FILENO);
    ::setenv("LINNET_AUDIO", "none", 0);
    for (auto& variable : variables) ::putenv(variable.data());
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  ::close(out[1]);
  ::close(err[1]);
  out_ = io::Fd(out[0]);
  err_ = io::Fd(err[0]);
}

Process::~Process() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void Process::signal(int number) {
  if (pid_ > 0) ::kill(pid_, number);
}

// False at the end of both streams, or after the limit.
bool Process::read_some(int limit_ms) {
  pollfd fds[2] = {{out_.get(), POLLIN, 0}, {err_.get(), POLLIN, 0}};
  if (!out_ && !err_) return false;
  if (::poll(fds, 2, limit_ms) <= 0) return false;
  char chunk[8192];
  const auto take = [&](io::Fd& fd, const pollfd& p, std::string& text) {
    if (!fd || p.revents == 0) return;
    const ssize_t n = ::read(fd.get(), chunk, sizeof chunk);
    if (n <= 0)
      fd.reset();
    else
      text.append(chunk, static_cast<std::size_t>(n));
  };
  take(out_, fds[0], out_text_);
  take(err_, fds[1], err_text_);
  return true;
}

std::optional<std::string> Process::line(int limit_ms) {
  const Time until = io::now() + std::chrono::milliseconds(limit_ms);
  while (true) {
    if (const auto end = out_text_.find('\n', out_taken_); end != std::string::npos) {
      auto line = out_text_.substr(out_taken_, end - out_taken_);
      out_taken_ = end + 1;
      return line;
    }
    const auto left = static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(until - io::now()).count());
    if (left <= 0 || !out_ || !read_some(left)) return std::nullopt;
  }
}

std::string Process::talk(int limit_ms) {
  const Time until = io::now() + std::chrono::milliseconds(limit_ms);
  while (err_text_.find('\n') == std::string::npos) {
    const auto left = static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(until - io::now()).count());
    if (left <= 0 || !read_some(left)) return {};
  }
  return err_text_.substr(0, err_text_.find('\n'));
}

Ran Process::wait(int limit_ms) {
  const Time until = io::now() + std::chrono::milliseconds(limit_ms);
  const auto left = [&] {
    return std::max(0, static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(until - io::now()).count()));
  };
  while ((out_ || err_) && left() > 0) read_some(left());
  Ran ran{-1, out_text_, err_text_};
  const io::Fd process(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  pollfd p{process.get(), POLLIN, 0};
  if (::poll(&p, 1, left()) <= 0) return ran;
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = 0;
  ran.exit = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return ran;
}

Ran linnet(const std::vector<std::string>& arguments, const Environment& environment) {
  return Process(arguments, environment).wait();
}

std::vector<std::string> keys_of(const Json& object) {
  std::vector<std::string> keys;
  if (object.is_object())
    for (const auto& [key, value] : object.items()) keys.push_back(key);
  return keys;
}

}  // namespace linnet::scenario
