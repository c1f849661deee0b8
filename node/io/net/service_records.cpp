#include "node/io/net/service_records.h"

#include <ares.h>
#include <poll.h>

#include <algorithm>
#include <memory>
#include <mutex>

#include "node/io/clock.h"
#include "node/io/random.h"

namespace linnet::io {
namespace {

constexpr int kInternet = 1, kSrv = 33;  // class and type (RFC 1035, RFC 2782)
constexpr int kTries = 2;
constexpr int kTryMs = 1500;

struct Answer {
  bool over = false;
  std::vector<ServiceRecord> records;
};

struct FreeData {
  void operator()(ares_srv_reply* data) const { ares_free_data(data); }
};
struct Destroy {
  void operator()(ares_channeldata* channel) const { ares_destroy(channel); }
};
using Channel = std::unique_ptr<ares_channeldata, Destroy>;

// Called by c-ares, also when the channel is destroyed before there was an answer.
void on_answer(void* argument, int status, int, unsigned char* bytes, int size) {
  auto& answer = *static_cast<Answer*>(argument);
  answer.over = true;
  ares_srv_reply* raw = nullptr;
  if (status != ARES_SUCCESS || ares_parse_srv_reply(bytes, size, &raw) != ARES_SUCCESS) return;
  const std::unique_ptr<ares_srv_reply, FreeData> list(raw);
  for (const auto* r = list.get(); r != nullptr; r = r->next)
    answer.records.push_back({r->priority, r->weight, r->port, r->host != nullptr ? r->host : ""});
}

Channel open(const std::string& servers) {
  static std::once_flag once;
  std::call_once(once, [] { ares_library_init(ARES_LIB_INIT_ALL); });
  ares_options options{};
  options.timeout = kTryMs;
  options.tries = kTries;
  ares_channel raw = nullptr;
  if (ares_init_options(&raw, &options, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES) != ARES_SUCCESS) return nullptr;
  Channel out(raw);
  if (!servers.empty() && ares_set_servers_ports_csv(raw, servers.c_str()) != ARES_SUCCESS) return nullptr;
  return out;
}

void wait(ares_channel channel, Duration limit) {
  ares_socket_t sockets[ARES_GETSOCK_MAXNUM];
  const int wanted = ares_getsock(channel, sockets, ARES_GETSOCK_MAXNUM);
  pollfd fds[ARES_GETSOCK_MAXNUM];
  nfds_t count = 0;
  for (int i = 0; i < ARES_GETSOCK_MAXNUM; ++i) {
    const bool read = ARES_GETSOCK_READABLE(wanted, i), write = ARES_GETSOCK_WRITABLE(wanted, i);
    if (read || write) fds[count++] = {sockets[i], static_cast<short>((read ? POLLIN : 0) | (write ? POLLOUT : 0)), 0};
  }
  const auto most = std::max<std::int64_t>(1, micros(limit) / 1000);
  timeval longest{static_cast<time_t>(most / 1000), static_cast<suseconds_t>(most % 1000 * 1000)}, room{};
  const timeval* due = ares_timeout(channel, &longest, &room);
  const auto ms = static_cast<int>(due->tv_sec * 1000 + due->tv_usec / 1000 + 1);
  const int ready = ::poll(fds, count, ms);
  if (ready <= 0) return ares_process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);  // its time-outs
  for (nfds_t i = 0; i < count; ++i) {
    const bool in = (fds[i].revents & ~POLLOUT) != 0, out = (fds[i].revents & POLLOUT) != 0;
    if (in || out) ares_process_fd(channel, in ? fds[i].fd : ARES_SOCKET_BAD, out ? fds[i].fd : ARES_SOCKET_BAD);
  }
}

// RFC 2782: those without a weight are drawn only when the dice say zero.
std::size_t draw(const std::vector<ServiceRecord>& of_one_priority, Rng& rng) {
  std::uint32_t sum = 0;
  for (const auto& r : of_one_priority) sum += r.weight;
  auto left = static_cast<std::uint32_t>(rng.below(std::uint64_t{sum} + 1));
  for (std::size_t i = 0; i < of_one_priority.size(); ++i) {
    if (of_one_priority[i].weight >= left) return i;
    left -= of_one_priority[i].weight;
  }
  return 0;
}

}  // namespace

std::vector<ServiceRecord> in_order(std::vector<ServiceRecord> records, Rng& rng) {
  std::erase_if(records, [](const ServiceRecord& r) { return r.target.empty() || r.target == "." || r.port == 0; });
  // Weightless ones stand first among their like, so that they have their chance.
  std::stable_sort(records.begin(), records.end(), [](const auto& a, const auto& b) {
    return std::pair(a.priority, a.weight != 0) < std::pair(b.priority, b.weight != 0);
  });
  std::vector<ServiceRecord> out;
  while (!records.empty() && out.size() < kMaxServices) {
    const auto end = std::find_if(records.begin(), records.end(),
                                  [&](const auto& r) { return r.priority != records.front().priority; });
    std::vector<ServiceRecord> same(records.begin(), end);
    records.erase(records.begin(), end);
    while (!same.empty() && out.size() < kMaxServices) {
      const auto next = same.begin() + static_cast<std::ptrdiff_t>(draw(same, rng));
      out.push_back(std::move(*next));
      same.erase(next);
    }
  }
  return out;
}

std::vector<ServiceRecord> find_services(const std::string& domain, Duration limit, const std::string& servers) {
  const Time end = now() + limit;
  Answer answer;
  {
    const auto channel = open(servers);
    if (!channel) return {};
    ares_query(channel.get(), ("_linnet._udp." + domain).c_str(), kInternet, kSrv, on_answer, &answer);
    while (!answer.over && now() < end) wait(channel.get(), end - now());
  }
  SystemRng rng;
  return in_order(std::move(answer.records), rng);
}

}  // namespace linnet::io
