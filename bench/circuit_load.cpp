// What a supernode's circuits cost. Pairs of our own peers attach to a real daemon, call each other and get circuits
// there by the sealed handshake; then packets go through at a given pace, and the daemon's CPU time is read. With --raw
// the same packets go through a bare forwarder (tests/lab/relaybench/udpfwd.cpp) instead, whose frames they carry.
//
//   linnet --home /tmp/r up --relay on --listen 127.0.0.1:4400     with [relay] bandwidth = 1000000 and prefix =
//   100000000 bench_circuit_load --relay 127.0.0.1:4400 --pid PID --pps 20000 --seconds 5 bench_circuit_load --raw
//   127.0.0.1:13500 --port 13600 --pid PID --pps 0
//
// Prints one line of JSON: packets sent and delivered, the daemon's CPU seconds for a million delivered packets.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "overlay/forward.h"
#include "overlay/peer.h"

namespace {

using namespace linnet;
using namespace linnet::overlay;

constexpr std::size_t kPayload = 160;
constexpr unsigned kBatch = 32;

Time now() { return Time(std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch())); }
Wall wall() {
  return Wall{
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count()};
}

[[noreturn]] void die(const std::string& why) {
  std::fprintf(stderr, "circuit_load: %s\n", why.c_str());
  std::exit(1);
}

sockaddr_in address_of(const Endpoint& e) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_port = htons(e.port);
  std::memcpy(&out.sin_addr, e.ip.bytes.data() + 12, 4);
  return out;
}

struct Udp {
  explicit Udp(std::uint16_t port = 0) : fd(::socket(AF_INET, SOCK_DGRAM, 0)) {
    const int bytes = 8 << 20;
    if (::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) != 0)
      ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    if (::bind(fd, reinterpret_cast<sockaddr*>(&at), size) != 0) die("cannot bind");
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size);
    local = {IpAddress::v4(127, 0, 0, 1), ntohs(at.sin_port), Transport::udp};
  }
  int fd;
  Endpoint local;
};

// A leaf on a socket of its own.
struct Leaf {
  Leaf(const std::string& name, const Endpoint& relay, std::uint64_t seed) : rng(seed) {
    identity =
        crypto::make_identity(crypto::shipped_suite(), rng, *crypto::Address::parse(name + "@load.example"), wall());
    PeerConfig config;
    config.network = crypto::network_id("linnet");
    config.listen = {udp.local};
    config.bootstrap = {relay};
    peer = std::make_unique<Peer>(config, crypto::shipped_suite(), rng, identity, HostCache{});
    peer->start(now(), wall());
    drain();
  }
  void drain() {
    for (bool busy = true; busy;) {
      busy = false;
      while (auto e = peer->poll_event()) {
        busy = true;
        if (const auto* used = std::get_if<SequenceUsed>(&*e)) peer->sequence_stored(now(), used->below);
        if (const auto* f = std::get_if<Found>(&*e)) found = *f;
        if (const auto* up = std::get_if<LinkUp>(&*e)) link = up->link;
      }
      while (auto t = peer->poll_transmit()) {
        busy = true;
        const auto to = address_of(t->to);
        ::sendto(udp.fd, t->bytes.data(), t->bytes.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof to);
      }
    }
  }
  void read() {
    std::uint8_t bytes[2048];
    sockaddr_in from{};
    socklen_t size = sizeof from;
    ssize_t n = 0;
    while ((n = ::recvfrom(udp.fd, bytes, sizeof bytes, MSG_DONTWAIT, reinterpret_cast<sockaddr*>(&from), &size)) > 0) {
      const Endpoint at{IpAddress::v4(ntohl(from.sin_addr.s_addr)), ntohs(from.sin_port), Transport::udp};
      peer->handle_datagram(now(), {at, MutableBytes(bytes, static_cast<std::size_t>(n))});
      drain();
    }
    if (peer->next_timeout() <= now()) peer->handle_timeout(now());
    drain();
  }
  std::optional<Path> circuit() const {
    const auto path = link ? peer->path(*link) : std::nullopt;
    return path && path->kind == PathKind::circuit ? path : std::nullopt;
  }

  Udp udp;
  SeededRng rng;
  crypto::Identity identity;
  std::unique_ptr<Peer> peer;
  std::optional<Found> found;
  std::optional<SessionId> link;
};

template <class Done>
void run_until(std::vector<std::unique_ptr<Leaf>>& leaves, Done done, const char* what) {
  const auto until = now() + std::chrono::seconds(20);
  while (!done()) {
    if (now() > until) die(std::string("no ") + what + " in 20 s");
    std::vector<pollfd> fds;
    for (auto& leaf : leaves) fds.push_back({leaf->udp.fd, POLLIN, 0});
    ::poll(fds.data(), fds.size(), 1);
    for (auto& leaf : leaves) leaf->read();
  }
}

// One direction of one pair: what to send where, and where it arrives.
struct Flow {
  int from = -1;
  int to = -1;
  sockaddr_in via{};
  Bytes packet;
};

std::vector<Flow> circuits(std::vector<std::unique_ptr<Leaf>>& leaves, const Endpoint& relay, int pairs) {
  for (int i = 0; i < 2 * pairs; ++i) {
    // Names of their own: the relay still knows those of the run before.
    const auto nr = static_cast<unsigned>(::getpid()) * 100U + static_cast<unsigned>(i);
    leaves.push_back(std::make_unique<Leaf>("leaf" + std::to_string(nr), relay, nr));
  }
  const auto all = [&](auto of) {
    return [&leaves, of] { return std::all_of(leaves.begin(), leaves.end(), [&](const auto& l) { return of(*l); }); };
  };
  run_until(leaves, all([](const Leaf& l) { return l.peer->state() == State::online; }), "registration");
  for (int i = 0; i < pairs; ++i) {
    auto& a = *leaves[static_cast<std::size_t>(2 * i)];
    const auto& b = *leaves[static_cast<std::size_t>(2 * i + 1)];
    if (!a.peer->find(now(), b.identity.address, std::nullopt, true)) die("no lookup");
    a.drain();
    run_until(
        leaves, [&] { return a.found.has_value(); }, "answer to a lookup");
    if (a.found->devices.empty() || !a.peer->connect(now(), b.identity.address, a.found->devices[0], true))
      die("nobody found");
    a.drain();
  }
  run_until(leaves, all([](const Leaf& l) { return l.circuit().has_value(); }), "circuits");
  std::vector<Flow> out;
  for (std::size_t i = 0; i < leaves.size(); i += 2) {
    const auto path = *leaves[i]->circuit();
    out.push_back({leaves[i]->udp.fd, leaves[i + 1]->udp.fd, address_of(path.endpoint),
                   write_tagged(ForwardKind::circuit, path.id, Bytes(kPayload, 0x80))});
  }
  return out;
}

// ChannelData of channel 0x4000 (RFC 8656 section 12.4).
std::vector<Flow> bare(std::vector<std::unique_ptr<Udp>>& sockets, const Endpoint& forwarder, std::uint16_t port,
                       int pairs) {
  const auto size = static_cast<std::uint16_t>(kPayload + kCircuitHeader - 4);
  sockets.push_back(std::make_unique<Udp>(port));
  std::vector<Flow> out;
  for (int i = 0; i < pairs; ++i) {
    sockets.push_back(std::make_unique<Udp>());
    Bytes packet{0x40, 0, static_cast<std::uint8_t>(size >> 8), static_cast<std::uint8_t>(size)};
    packet.resize(4 + size, 0x80);
    out.push_back({sockets.back()->fd, sockets[0]->fd, address_of(forwarder), packet});
  }
  return out;
}

double cpu_seconds(int pid) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/schedstat");  // of the main thread, which is the loop's
  double ns = 0;
  if (!(in >> ns)) die("cannot read the daemon's CPU time");
  return ns / 1e9;
}

std::uint64_t receive(const std::vector<Flow>& flows, const std::atomic<bool>& stop) {
  static std::uint8_t bytes[kBatch][2048];
  iovec vectors[kBatch];
  mmsghdr heads[kBatch] = {};
  for (unsigned i = 0; i < kBatch; ++i) {
    vectors[i] = {bytes[i], sizeof bytes[i]};
    heads[i].msg_hdr.msg_iov = &vectors[i];
    heads[i].msg_hdr.msg_iovlen = 1;
  }
  std::vector<pollfd> fds;
  for (const auto& f : flows) {
    if (fds.empty() || fds.back().fd != f.to) fds.push_back({f.to, POLLIN, 0});
  }
  std::uint64_t total = 0;
  while (!stop) {
    ::poll(fds.data(), fds.size(), 10);
    for (const auto& fd : fds) {
      if ((fd.revents & POLLIN) == 0) continue;
      int n = 0;
      while ((n = ::recvmmsg(fd.fd, heads, kBatch, MSG_DONTWAIT, nullptr)) > 0) {
        for (int i = 0; i < n; ++i) total += heads[i].msg_len >= kPayload ? 1 : 0;
      }
    }
  }
  return total;
}

// pps 0: as fast as it goes, in batches; else evenly, one packet after the other.
std::uint64_t send(std::vector<Flow>& flows, std::uint64_t pps, Duration length) {
  std::uint64_t sent = 0;
  const auto begin = now();
  const auto until = begin + length;
  std::size_t turn = 0;
  for (Time at = begin; at < until; at = now()) {
    if (pps == 0) {
      auto& f = flows[turn++ % flows.size()];
      iovec v{f.packet.data(), f.packet.size()};
      mmsghdr heads[kBatch] = {};
      for (auto& h : heads) {
        h.msg_hdr.msg_iov = &v;
        h.msg_hdr.msg_iovlen = 1;
        h.msg_hdr.msg_name = &f.via;
        h.msg_hdr.msg_namelen = sizeof f.via;
      }
      const int n = ::sendmmsg(f.from, heads, kBatch, 0);
      if (n > 0) sent += static_cast<std::uint64_t>(n);
      continue;
    }
    const auto due = static_cast<std::uint64_t>(micros(at - begin)) * pps / 1'000'000;
    for (; sent < due; ++sent) {
      auto& f = flows[turn++ % flows.size()];
      ::sendto(f.from, f.packet.data(), f.packet.size(), 0, reinterpret_cast<const sockaddr*>(&f.via), sizeof f.via);
    }
    ::usleep(20);
  }
  return sent;
}

}  // namespace

int main(int argc, char** argv) {
  std::string relay, raw;
  std::uint64_t pps = 20'000;
  int pid = 0, pairs = 1, seconds = 5, port = 13600;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string flag = argv[i], value = argv[i + 1];
    if (flag == "--relay")
      relay = value;
    else if (flag == "--raw")
      raw = value;
    else if (flag == "--port")
      port = std::stoi(value);
    else if (flag == "--pid")
      pid = std::stoi(value);
    else if (flag == "--pairs")
      pairs = std::stoi(value);
    else if (flag == "--pps")
      pps = std::stoull(value);
    else if (flag == "--seconds")
      seconds = std::stoi(value);
    else
      die("unknown option " + flag);
  }
  const auto at = Endpoint::parse(relay.empty() ? raw : relay);
  if (!at || pid == 0 || pairs < 1) die("--relay or --raw ADDR:PORT and --pid PID are needed");
  std::vector<std::unique_ptr<Leaf>> leaves;
  std::vector<std::unique_ptr<Udp>> sockets;
  auto flows =
      relay.empty() ? bare(sockets, *at, static_cast<std::uint16_t>(port), pairs) : circuits(leaves, *at, pairs);
  std::atomic<bool> stop = false;
  std::uint64_t delivered = 0;
  std::thread ear([&] { delivered = receive(flows, stop); });
  const auto before = cpu_seconds(pid);
  const auto sent = send(flows, pps, std::chrono::seconds(seconds));
  ::usleep(200'000);
  const auto cpu = cpu_seconds(pid) - before;
  stop = true;
  ear.join();
  std::printf("{\"pairs\":%d,\"pps\":%llu,\"sent\":%llu,\"delivered\":%llu,\"cpu_s\":%.3f,\"cpu_s_per_Mpkt\":%.3f}\n",
              pairs, static_cast<unsigned long long>(pps), static_cast<unsigned long long>(sent),
              static_cast<unsigned long long>(delivered), cpu,
              delivered ? cpu * 1e6 / static_cast<double>(delivered) : 0.0);
}
