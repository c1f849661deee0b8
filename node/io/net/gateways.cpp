#include "node/io/net/gateways.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "node/io/files.h"

namespace linnet::io {
namespace {

// Root name servers: as far away as anything is.
IpAddress far_away(bool v4) { return v4 ? IpAddress::v4(198, 41, 0, 4) : *IpAddress::parse("2001:503:ba3e::2:30"); }

struct Question {
  nlmsghdr head{};
  rtmsg route{};
  rtattr attribute{};
  std::array<std::uint8_t, 16> to{};
};

std::optional<IpAddress> address_in(const rtattr* a, bool v4) {
  const auto* bytes = static_cast<const std::uint8_t*>(RTA_DATA(a));
  const std::size_t size = RTA_PAYLOAD(a);
  if (size != (v4 ? 4U : 16U)) return std::nullopt;
  if (v4) return IpAddress::v4(bytes[0], bytes[1], bytes[2], bytes[3]);
  ByteArray<16> out;
  std::memcpy(out.data(), bytes, out.size());
  return IpAddress::v6(out);
}

std::optional<Gateway> read_route(const nlmsghdr* head, bool v4) {
  if (head->nlmsg_type != RTM_NEWROUTE || head->nlmsg_len < NLMSG_LENGTH(sizeof(rtmsg))) return std::nullopt;
  const auto* route = static_cast<const rtmsg*>(NLMSG_DATA(head));
  std::optional<IpAddress> router, local;
  int index = 0;
  int left = static_cast<int>(head->nlmsg_len - NLMSG_LENGTH(sizeof(rtmsg)));
  for (const rtattr* a = RTM_RTA(route); RTA_OK(a, left); a = RTA_NEXT(a, left)) {
    if (a->rta_type == RTA_GATEWAY) router = address_in(a, v4);
    if (a->rta_type == RTA_PREFSRC) local = address_in(a, v4);
    if (a->rta_type == RTA_OIF && RTA_PAYLOAD(a) == sizeof index) std::memcpy(&index, RTA_DATA(a), sizeof index);
  }
  if (!router || !local || router->is_loopback()) return std::nullopt;
  if (router->is_link_local()) router->scope = static_cast<std::uint32_t>(index);
  return Gateway{*router, *local};
}

std::optional<Gateway> gateway(int socket, bool v4) {
  Question question;
  const std::size_t size = v4 ? 4 : 16;
  const auto far = far_away(v4);
  question.attribute.rta_type = RTA_DST;
  question.attribute.rta_len = static_cast<unsigned short>(RTA_LENGTH(size));
  std::memcpy(question.to.data(), far.bytes.data() + (v4 ? 12 : 0), size);
  question.route.rtm_family = v4 ? AF_INET : AF_INET6;
  question.route.rtm_dst_len = static_cast<unsigned char>(8 * size);
  question.head.nlmsg_type = RTM_GETROUTE;
  question.head.nlmsg_flags = NLM_F_REQUEST;
  question.head.nlmsg_len = static_cast<std::uint32_t>(NLMSG_LENGTH(sizeof(rtmsg)) + RTA_SPACE(size));
  if (::send(socket, &question, question.head.nlmsg_len, 0) < 0) return std::nullopt;
  // The kernel has answered by then: with a route, or with why there is none.
  alignas(nlmsghdr) std::array<char, 4096> buffer;
  const auto n = ::recv(socket, buffer.data(), buffer.size(), MSG_DONTWAIT);
  const auto* head = reinterpret_cast<const nlmsghdr*>(buffer.data());
  if (n < 0 || !NLMSG_OK(head, static_cast<std::size_t>(n))) return std::nullopt;
  return read_route(head, v4);
}

}  // namespace

std::vector<Gateway> default_gateways() {
  std::vector<Gateway> out;
  const Fd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (!socket) return out;
  for (const bool v4 : {true, false}) {
    if (const auto found = gateway(socket.get(), v4)) out.push_back(*found);
  }
  return out;
}

}  // namespace linnet::io
