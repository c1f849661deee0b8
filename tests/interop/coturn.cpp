#include "coturn.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "node/io/net/address.h"

namespace linnet::interop {
namespace {

constexpr int kTries = 5;
constexpr int kMoment = 50;  // ms, between two looks whether it listens

const IpAddress kHere = IpAddress::v4(127, 0, 0, 1);

io::Fd bound(int type, std::uint16_t port) {
  io::Fd fd(::socket(AF_INET, type | SOCK_CLOEXEC, 0));
  const auto at = io::to_socket_address({kHere, port});
  if (fd && ::bind(fd.get(), at.get(), at.size) != 0) fd.reset();
  return fd;
}

bool takes_connections(std::uint16_t port) {
  const io::Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto at = io::to_socket_address({kHere, port});
  return ::connect(fd.get(), at.get(), at.size) == 0;
}

bool ended(int pid) {
  siginfo_t info{};
  return ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == pid;
}

}  // namespace

std::uint16_t Coturn::free_port() {
  for (int i = 0; i < 100; ++i) {
    const auto stream = bound(SOCK_STREAM, 0);
    sockaddr_storage at{};
    socklen_t size = sizeof at;
    ::getsockname(stream.get(), reinterpret_cast<sockaddr*>(&at), &size);
    const auto port = io::to_endpoint(at).port;
    if (bound(SOCK_DGRAM, port)) return port;
  }
  return 0;
}

testing::AssertionResult Coturn::up(const std::vector<std::string>& more) {
  const auto key = (folder_ / "key.pem").string(), certificate = (folder_ / "cert.pem").string();
  scenario::Process made("/usr/bin/openssl",
                         {"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
                          "2", "-subj", "/CN=localhost", "-keyout", key, "-out", certificate},
                         {});
  if (const auto ran = made.wait(); ran.exit != 0) return testing::AssertionFailure() << ran.err;
  auto all = more;
  all.insert(all.end(), {"--cert", certificate, "--pkey", key});
  for (int i = 0; i < kTries; ++i) {
    if (try_once(all)) return testing::AssertionSuccess();
  }
  return testing::AssertionFailure() << "turnserver does not listen";
}

// False: somebody else took a port in between.
bool Coturn::try_once(const std::vector<std::string>& more) {
  port_ = free_port();
  tls_port_ = free_port();
  std::vector<std::string> all = {"-n",
                                  "--lt-cred-mech",
                                  "--user=phone:long and secret",
                                  "--realm=turn.example",
                                  "--listening-ip=127.0.0.1",
                                  "--relay-ip=127.0.0.1",
                                  "--listening-port=" + std::to_string(port_),
                                  "--tls-listening-port=" + std::to_string(tls_port_),
                                  "--allow-loopback-peers",
                                  "--no-cli",
                                  "--no-dtls",
                                  "--log-file=" + (folder_ / "log").string(),
                                  "--pidfile=" + (folder_ / "pid").string(),
                                  "--userdb=" + (folder_ / "db").string()};
  all.insert(all.end(), more.begin(), more.end());
  process_ = std::make_unique<scenario::Process>(kProgram, all, scenario::Environment{});
  for (int waited = 0; waited < 30'000 && !ended(process_->pid()); waited += kMoment) {
    if (takes_connections(port_) && takes_connections(tls_port_)) return true;
    ::poll(nullptr, 0, kMoment);
  }
  return false;
}

}  // namespace linnet::interop
