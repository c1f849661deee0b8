#include "node/io/process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>

#include "node/io/clock.h"

namespace linnet::io {
namespace {

int whole_ms(Duration d) { return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(d).count()); }

// Between fork and exec.
[[noreturn]] void become(std::vector<char*>& argv, int out, int err, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
  ::setpgid(0, 0);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(err, STDERR_FILENO);
  ::execv("/proc/self/exe", argv.data());
  ::_exit(127);
}

}  // namespace

ProcessWatch::ProcessWatch(int pid) : fd_(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))) {}

bool ProcessWatch::gone(Duration limit) const {
  if (!fd_) return true;
  const Time until = now() + limit;
  while (true) {
    pollfd p{fd_.get(), POLLIN, 0};
    if (::poll(&p, 1, std::max(0, whole_ms(until - now()))) > 0) return true;
    if (now() >= until) return false;
  }
}

Outcome<Child> Child::start(const std::vector<std::string>& arguments, const std::filesystem::path& log) {
  std::vector<std::string> all{"linnet"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (auto& argument : all) argv.push_back(argument.data());
  argv.push_back(nullptr);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return trouble("Cannot make a pipe: " + os_error() + ".");
  Child child;
  child.out_ = Fd(ends[0]);
  const Fd writing(ends[1]);
  const Fd err(::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  const pid_t self = ::getpid();
  child.pid_ = ::fork();
  if (child.pid_ < 0) return trouble("Cannot start a process: " + os_error() + ".");
  if (child.pid_ == 0) become(argv, writing.get(), err.get(), self);
  return child;
}

Child::Child(Child&& other) noexcept : pid_(other.pid_), out_(std::move(other.out_)) { other.pid_ = 0; }
Child::~Child() { kill(); }

Outcome<std::string> Child::first_line(Duration limit, int interrupt) {
  const Time until = now() + limit;
  std::string text;
  while (text.find('\n') == std::string::npos) {
    const Duration left = until - now();
    if (left <= Duration::zero()) return trouble("did not start in time");
    pollfd fds[2] = {{out_.get(), POLLIN, 0}, {interrupt, POLLIN, 0}};
    if (::poll(fds, 2, whole_ms(left)) <= 0) continue;
    if (fds[1].revents != 0) return trouble("Interrupted.", Exit::interrupted);
    std::array<char, 4096> chunk;
    const ssize_t n = ::read(out_.get(), chunk.data(), chunk.size());
    if (n <= 0) return trouble("did not start");
    text.append(chunk.data(), static_cast<std::size_t>(n));
  }
  return text.substr(0, text.find('\n'));
}

void Child::kill() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = 0;
}

void Child::terminate() {
  if (pid_ > 0) ::kill(pid_, SIGTERM);
}

void Child::wait(Duration limit) {
  if (pid_ <= 0) return;
  (void)ProcessWatch(pid_).gone(limit);
  kill();  // reaps one that has ended, too
}

}  // namespace linnet::io
