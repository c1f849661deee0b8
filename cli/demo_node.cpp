#include "cli/demo_node.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "node/io/clock.h"
#include "node/io/key_file.h"
#include "node/io/random.h"

namespace linnet::cli {
namespace {

using Json = nlohmann::json;

constexpr Duration kListening = std::chrono::seconds(20);
constexpr Duration kAnswer = std::chrono::seconds(10);

// In the child, between fork and exec.
[[noreturn]] void become_daemon(const std::vector<std::string>& arguments, int out, int err, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) std::_Exit(1);
  ::setpgid(0, 0);  // Ctrl-C is ours to handle
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(err, STDERR_FILENO);
  std::vector<char*> argv;
  for (const auto& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  ::execv("/proc/self/exe", argv.data());
  std::_Exit(127);
}

// The first line the daemon prints: where it listens.
io::Outcome<std::string> first_line(int fd, int interrupt) {
  const Time until = io::now() + kListening;
  std::string text;
  while (text.find('\n') == std::string::npos) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - io::now()).count();
    if (left <= 0) return io::trouble("did not start in time");
    pollfd fds[2] = {{fd, POLLIN, 0}, {interrupt, POLLIN, 0}};
    if (::poll(fds, 2, static_cast<int>(left)) <= 0) continue;
    if (fds[1].revents != 0) return io::trouble("Interrupted.", io::Exit::interrupted);
    std::array<char, 4096> chunk;
    const ssize_t n = ::read(fd, chunk.data(), chunk.size());
    if (n <= 0) return io::trouble("did not start");
    text.append(chunk.data(), static_cast<std::size_t>(n));
  }
  return text.substr(0, text.find('\n'));
}

}  // namespace

io::Outcome<DemoNode> DemoNode::start(const std::filesystem::path& folder, const DemoPlan& plan, int interrupt) {
  const auto home = io::find_home((folder / plan.name).string());
  if (!home) return tl::unexpected(home.error());
  if (auto made = io::make_home(*home); !made) return tl::unexpected(made.error());
  io::SystemRng rng;
  const auto address = crypto::Address::parse(plan.address);
  if (!address) return io::trouble(plan.address + " is not an address");
  if (auto keys = io::create_identity_file(home->identity(), rng, *address, plan.name, io::wall()); !keys) return tl::unexpected(keys.error());

  std::vector<std::string> arguments{"linnet", "--home", home->data.string(), "up", "--foreground", "--json", "--listen", "127.0.0.1:0", "--lan", "off"};
  arguments.insert(arguments.end(), plan.up.begin(), plan.up.end());
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return io::trouble("Cannot make a pipe: " + io::os_error() + ".");
  const io::Fd reading(ends[0]);
  io::Fd writing(ends[1]);
  const io::Fd log(::open((home->data / "linnet.log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  DemoNode node(plan.name, *home);
  const pid_t self = ::getpid();
  node.pid_ = ::fork();
  if (node.pid_ < 0) return io::trouble("Cannot start a process: " + io::os_error() + ".");
  if (node.pid_ == 0) become_daemon(arguments, writing.get(), log.get(), self);
  writing.reset();
  const auto line = first_line(reading.get(), interrupt);
  if (!line) return io::trouble("Node " + plan.name + " " + line.error().text + ". Its log: " + (home->data / "linnet.log").string(), line.error().exit);
  const Json started = Json::parse(*line, nullptr, false);
  if (!started.is_object() || !started.contains("listen") || started["listen"].empty()) return io::trouble("Node " + plan.name + " said: " + *line);
  node.endpoint_ = started["listen"][0].get<std::string>();
  return node;
}

DemoNode::DemoNode(DemoNode&& other) noexcept
    : name_(std::move(other.name_)), home_(std::move(other.home_)), endpoint_(std::move(other.endpoint_)), pid_(other.pid_) {
  other.pid_ = 0;
}

DemoNode::~DemoNode() { kill(); }

io::Done DemoNode::online(Duration limit, int interrupt) const {
  auto client = Client::connect(home_);
  if (!client) return tl::unexpected(client.error());
  if (auto sent = client->send(R"({"cmd":"status","watch":true})"); !sent) return sent;
  const Time until = io::now() + limit;
  std::string state = "silent";
  while (io::now() < until) {
    const auto line = client->line(until - io::now(), interrupt);
    if (!line && line.error().exit == io::Exit::interrupted) return tl::unexpected(line.error());
    if (!line || !*line) break;
    const Json status = Json::parse(**line, nullptr, false);
    state = status.is_object() ? status.value("state", state) : state;
    if (state == "online") return {};
  }
  return io::trouble("Node " + name_ + " is " + state + " after " + std::to_string(static_cast<int>(millis(limit) / 1000)) + " s.");
}

io::Outcome<std::string> DemoNode::status() const { return ask(home_, R"({"cmd":"status"})", kAnswer); }

io::Outcome<std::string> DemoNode::last_call() const { return ask(home_, R"({"cmd":"log","rows":1})", kAnswer); }

void DemoNode::kill() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = 0;
}

void DemoNode::terminate() {
  if (pid_ > 0) ::kill(pid_, SIGTERM);
}

void DemoNode::wait(Duration limit) {
  if (pid_ <= 0) return;
  const io::Fd process(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  pollfd p{process.get(), POLLIN, 0};
  if (process) ::poll(&p, 1, static_cast<int>(millis(limit)));
  kill();  // reaps one that has ended, too
}

}  // namespace linnet::cli
