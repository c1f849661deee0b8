// Control messages of a datagram that is sent: its traffic class, how it is cut (cmsg(3), RFC 3542).
#pragma once

#include <netinet/in.h>
#include <netinet/ip.h>
#include <sys/socket.h>

#include <cstring>
#include <span>

#include "base/machine.h"

namespace linnet::io {

// Puts them one behind the other into `room`, which outlives the sending and is aligned as a cmsghdr.
class ControlWriter {
 public:
  ControlWriter(msghdr& message, std::span<std::uint8_t> room) : message_(message), room_(room) {}

  // The owner sees to the room: CMSG_SPACE(sizeof value) for each.
  template <class Value>
  void put(int level, int type, Value value) {
    auto* const head = reinterpret_cast<cmsghdr*>(room_.data() + used_);
    head->cmsg_level = level;
    head->cmsg_type = type;
    head->cmsg_len = CMSG_LEN(sizeof value);
    std::memcpy(CMSG_DATA(head), &value, sizeof value);
    used_ += CMSG_SPACE(sizeof value);
    message_.msg_control = room_.data();
    message_.msg_controllen = used_;
  }

 private:
  msghdr& message_;
  std::span<std::uint8_t> room_;
  std::size_t used_ = 0;
};

// A datagram that is marked says so itself: one socket carries voice and everything else. The DSCP is the upper six
// bits of the traffic class (RFC 2474 section 3).
inline void put_mark(const Endpoint& to, Mark mark, ControlWriter& control) {
  const bool v4 = to.ip.is_v4();
  control.put(v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_TOS : IPV6_TCLASS, static_cast<int>(mark) << 2);
}

}  // namespace linnet::io
