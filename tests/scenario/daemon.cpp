#include "tests/scenario/daemon.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <csignal>

#include "node/io/clock.h"
#include "node/io/control/control_socket.h"

namespace linnet::scenario {

Daemon::~Daemon() { kill_nine(); }

void Daemon::kill_nine() {
  if (pid_ <= 0) return;
  // Not our child: it left us when it went into the background. Its descriptor says when it is gone.
  const io::Fd process(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  if (process) {
    ::kill(pid_, SIGKILL);
    pollfd p{process.get(), POLLIN, 0};
    ::poll(&p, 1, 10'000);
  }
  pid_ = 0;
}

std::vector<std::string> Daemon::line(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), {"--home", home_.path().string()});
  return arguments;
}

Ran Daemon::run(std::vector<std::string> arguments) const { return linnet(line(std::move(arguments))); }

testing::AssertionResult Daemon::up(std::vector<std::string> flags) {
  if (!io::file_exists(home_ / "identity.key"))
    if (const auto made = run({"id", "new", address_}); made.exit != 0) return testing::AssertionFailure() << made.err;
  std::vector<std::string> arguments{"up", "--json", "--listen", "127.0.0.1:0", "--lan", "off"};
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  const auto started = linnet(line(arguments), environment_);
  if (started.exit != 0) return testing::AssertionFailure() << "exit " << started.exit << ": " << started.err;
  pid_ = started.last_line().value("pid", 0);
  return testing::AssertionSuccess();
}

Json Daemon::status() const { return run({"status", "--json"}).last_line(); }

testing::AssertionResult Daemon::until(const std::function<bool(const Json&)>& holds, int limit_ms) const {
  Process watch(line({"status", "--json", "--watch"}));
  const Time end = io::now() + std::chrono::milliseconds(limit_ms);
  std::string last = "nothing";
  while (io::now() < end) {
    const auto text = watch.line(static_cast<int>(millis(end - io::now())) + 1);
    if (!text) break;
    last = *text;
    const auto status = Json::parse(last, nullptr, false);
    if (status.is_object() && holds(status)) return testing::AssertionSuccess();
  }
  return testing::AssertionFailure() << address_ << " last said " << last;
}

testing::AssertionResult Daemon::online() const {
  return until([](const Json& s) { return s["state"] == "online"; });
}

Json Daemon::ask(const std::string& request) const {
  auto link = io::connect_control(home_ / "control.sock");
  if (!link || !*link) return Json::object();
  const timeval patience{5, 0};
  ::setsockopt((*link)->fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  const std::string text = request + "\n";
  if (::send((*link)->fd.get(), text.data(), text.size(), MSG_NOSIGNAL) < 0) return Json::object();
  std::string answer;
  char c;
  while (::recv((*link)->fd.get(), &c, 1, 0) == 1 && c != '\n') answer.push_back(c);
  auto json = Json::parse(answer, nullptr, false);
  return json.is_discarded() ? Json::object() : json;
}

}  // namespace linnet::scenario
