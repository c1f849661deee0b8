#include "node/io/net/interfaces.h"

#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <bit>
#include <map>
#include <set>
#include <sstream>

#include "node/io/clock.h"
#include "node/io/net/address.h"

namespace linnet::io {
namespace {

constexpr Duration kGather = std::chrono::milliseconds(20);
constexpr unsigned kTentative = IFA_F_TENTATIVE | IFA_F_DADFAILED | IFA_F_DEPRECATED;

// IPv6 addresses that may not be used now: only the kernel's table says so.
std::set<std::string> unusable_v6() {
  std::set<std::string> out;
  const auto table = read_file("/proc/net/if_inet6", 1 << 20);
  if (!table || !*table) return out;
  std::istringstream lines{std::string(text(**table))};
  std::string address, index, length, scope, flags, name;
  while (lines >> address >> index >> length >> scope >> flags >> name) {
    if ((std::stoul(flags, nullptr, 16) & kTentative) != 0) out.insert(address + "%" + name);
  }
  return out;
}

unsigned bits_of(const sockaddr* mask) {
  if (mask == nullptr) return 0;
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(mask);
  const bool v4 = mask->sa_family == AF_INET;
  const auto at = v4 ? offsetof(sockaddr_in, sin_addr) : offsetof(sockaddr_in6, sin6_addr);
  unsigned out = 0;
  for (std::size_t i = 0; i < (v4 ? 4U : 16U); ++i) out += static_cast<unsigned>(std::popcount(bytes[at + i]));
  return out;
}

}  // namespace

bool Interface::operator==(const Interface& other) const {
  return index == other.index &&
         std::equal(prefixes.begin(), prefixes.end(), other.prefixes.begin(), other.prefixes.end(),
                    [](const auto& a, const auto& b) { return a.ip == b.ip && a.length == b.length; });
}

std::vector<Interface> multicast_interfaces() {
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return {};
  const auto unusable = unusable_v6();
  std::map<std::uint32_t, Interface> found;
  for (const ifaddrs* i = list; i != nullptr; i = i->ifa_next) {
    constexpr unsigned kWanted = IFF_UP | IFF_RUNNING | IFF_MULTICAST;
    if (i->ifa_addr == nullptr || (i->ifa_flags & kWanted) != kWanted || (i->ifa_flags & IFF_LOOPBACK) != 0) continue;
    const int family = i->ifa_addr->sa_family;
    if (family != AF_INET && family != AF_INET6) continue;
    sockaddr_storage storage{};
    std::memcpy(&storage, i->ifa_addr, family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
    const auto ip = to_endpoint(storage).ip;
    if (unusable.count(to_hex(ip.bytes) + "%" + i->ifa_name) != 0) continue;
    const auto index = ::if_nametoindex(i->ifa_name);
    if (index == 0) continue;
    auto& one = found[index];
    one.index = index;
    one.name = i->ifa_name;
    one.prefixes.push_back({ip, bits_of(i->ifa_netmask)});
  }
  ::freeifaddrs(list);
  std::vector<Interface> out;
  for (auto& [index, one] : found) {
    std::sort(one.prefixes.begin(), one.prefixes.end(), [](const auto& a, const auto& b) { return a.ip < b.ip; });
    out.push_back(std::move(one));
  }
  return out;
}

std::unique_ptr<InterfaceWatch> InterfaceWatch::open(Loop& loop, std::function<void()> changed) {
  Fd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (!fd) return nullptr;
  sockaddr_nl at{};
  at.nl_family = AF_NETLINK;
  at.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE;
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0) return nullptr;
  return std::unique_ptr<InterfaceWatch>(new InterfaceWatch(loop, std::move(fd), std::move(changed)));
}

InterfaceWatch::InterfaceWatch(Loop& loop, Fd fd, std::function<void()> changed)
    : fd_(std::move(fd)), soon_(loop.alarm(std::move(changed))), watch_(loop.watch(fd_.get(), [this] { read(); })) {}

// What exactly changed is not asked: the whole is looked at again.
void InterfaceWatch::read() {
  char buffer[8192];
  while (::recv(fd_.get(), buffer, sizeof buffer, MSG_DONTWAIT) > 0) {
  }
  soon_->set(now() + kGather);
}

std::string to_text(const Endpoint& endpoint) {
  char name[IF_NAMESIZE] = {};
  if (endpoint.ip.scope == 0 || ::if_indextoname(endpoint.ip.scope, name) == nullptr) return endpoint.to_string();
  auto plain = endpoint;
  plain.ip.scope = 0;
  return "[" + plain.ip.to_string() + "%" + name + "]:" + std::to_string(endpoint.port);
}

std::optional<Endpoint> parse_endpoint(std::string_view text) {
  const auto percent = text.find('%');
  const auto close = text.find(']');
  if (percent == std::string_view::npos || close == std::string_view::npos || close < percent)
    return Endpoint::parse(text);
  const std::string scope(text.substr(percent + 1, close - percent - 1));
  const auto index = ::if_nametoindex(scope.c_str());
  if (index == 0) return Endpoint::parse(text);
  return Endpoint::parse(std::string(text.substr(0, percent + 1)) + std::to_string(index) +
                         std::string(text.substr(close)));
}

}  // namespace linnet::io
