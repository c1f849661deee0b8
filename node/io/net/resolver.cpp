#include "node/io/net/resolver.h"

#include <netdb.h>
#include <netinet/in.h>

#include <charconv>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "node/io/net/address.h"
#include "node/io/net/interfaces.h"

namespace linnet::io {
namespace {

constexpr std::size_t kMaxAddresses = 8;  // of one name
constexpr std::uint16_t kPort = 4400;

// Shared with threads that may outlast the wait: getaddrinfo cannot be cancelled.
struct Waiting {
  std::mutex mutex;
  std::condition_variable changed;
  std::size_t open = 0;
  std::vector<std::vector<Endpoint>> found;
};

bool is_host(std::string_view host) {
  bool letter = false;
  for (const char c : host) {
    const bool alpha = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool digit = c >= '0' && c <= '9';
    if (!alpha && !digit && c != '-' && c != '.') return false;
    letter = letter || alpha;
  }
  return letter;  // 1.2.3 is a mistyped address, not a name
}

std::vector<Endpoint> look_up(const HostPort& name) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* list = nullptr;
  std::vector<Endpoint> out;
  if (::getaddrinfo(name.host.c_str(), nullptr, &hints, &list) != 0) return out;
  for (const addrinfo* i = list; i != nullptr && out.size() < kMaxAddresses; i = i->ai_next) {
    if (i->ai_family != AF_INET && i->ai_family != AF_INET6) continue;
    sockaddr_storage storage{};
    std::memcpy(&storage, i->ai_addr, i->ai_addrlen);
    Endpoint endpoint = to_endpoint(storage);
    endpoint.port = name.port;
    out.push_back(endpoint);
  }
  ::freeaddrinfo(list);
  return out;
}

// The records say how its supernodes are called, in order; each has addresses of its own.
std::vector<Endpoint> look_up_domain(const std::string& domain, Duration limit, const FindServices& services) {
  const auto records = services(domain, limit);
  if (records.empty()) return look_up({domain, kPort});
  std::vector<Endpoint> out;
  for (const auto& r : records) {
    for (const auto& endpoint : look_up({r.target, r.port}))
      if (out.size() < kMaxAddresses) out.push_back(endpoint);
  }
  return out;
}

}  // namespace

std::optional<HostPort> parse_host_port(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0 || text.size() > 260) return std::nullopt;
  const auto digits = text.substr(colon + 1);
  std::uint16_t port = 0;
  const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (failed != std::errc() || end != digits.data() + digits.size() || port == 0) return std::nullopt;
  if (const auto numeric = parse_endpoint(text)) return HostPort{numeric->ip.to_string(), port};
  const auto host = text.substr(0, colon);
  if (!is_host(host)) return std::nullopt;
  return HostPort{std::string(host), port};
}

bool is_domain(std::string_view text) { return text.size() <= 253 && is_host(text); }

Resolved resolve(const std::vector<std::string>& names, Duration limit) {
  return resolve(names, limit, [](const std::string& domain, Duration most) { return find_services(domain, most); });
}

Resolved resolve(const std::vector<std::string>& names, Duration limit, FindServices services) {
  Resolved out;
  std::vector<std::pair<std::string, std::function<std::vector<Endpoint>()>>> slow;
  for (const auto& name : names) {
    if (const auto numeric = Endpoint::parse(name)) {
      out.endpoints.push_back(*numeric);
    } else if (const auto parsed = parse_host_port(name)) {
      slow.emplace_back(name, [host = *parsed] { return look_up(host); });
    } else if (is_domain(name)) {
      slow.emplace_back(name, [name, limit, services] { return look_up_domain(name, limit, services); });
    } else {
      out.failed.push_back(name);
    }
  }
  if (slow.empty()) return out;
  auto pending = std::make_shared<Waiting>();
  pending->open = slow.size();
  pending->found.resize(slow.size());
  for (std::size_t i = 0; i < slow.size(); ++i) {
    std::thread([pending, i, look = slow[i].second] {
      auto found = look();
      const std::lock_guard lock(pending->mutex);
      pending->found[i] = std::move(found);
      --pending->open;
      pending->changed.notify_one();
    }).detach();
  }
  std::unique_lock lock(pending->mutex);
  pending->changed.wait_for(lock, limit, [&] { return pending->open == 0; });
  for (std::size_t i = 0; i < slow.size(); ++i) {
    if (pending->found[i].empty()) out.failed.push_back(slow[i].first);
    out.endpoints.insert(out.endpoints.end(), pending->found[i].begin(), pending->found[i].end());
  }
  return out;
}

}  // namespace linnet::io
