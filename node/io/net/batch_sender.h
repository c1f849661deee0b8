// Sends datagrams that lie in somebody's buffers, many with one system call. Those of one size to one place become one
// message that the kernel, or the network card, cuts (UDP_SEGMENT, Linux 4.18): it goes through the kernel once.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstdint>

#include "base/machine.h"
#include "node/io/net/address.h"

namespace linnet::io {

class BatchSender {
 public:
  static constexpr std::size_t kBatch = 64;

  // The bytes stay the caller's until flush(). What goes to one place by one socket keeps its order. Allocates nothing.
  void add(int fd, const Endpoint& to, MutableBytes bytes, Mark mark = Mark::best_effort);
  // What the kernel does not take now is lost, as on any router.
  void flush();
  bool empty() const { return datagrams_ == 0; }
  std::uint64_t lost() const { return lost_; }

 private:
  static constexpr std::size_t kLookBack = 8;       // groups
  static constexpr std::size_t kMaxBytes = 60'000;  // of a group

  struct Group {
    int fd = -1;
    Endpoint to;
    Mark mark = Mark::best_effort;
    std::uint16_t size = 0;  // of each datagram but the last
    bool closed = false;     // a shorter one came: it is the last
    std::uint32_t bytes = 0;
    std::uint8_t count = 0;
    std::uint8_t first = 0;
    std::uint8_t last = 0;
  };
  struct alignas(cmsghdr) Control {
    std::array<std::uint8_t, CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(std::uint16_t))> bytes;
  };

  Group* fitting(int fd, const Endpoint& to, std::size_t size, Mark mark);
  std::size_t prepare(std::size_t first, std::size_t last);
  void send_run(std::size_t first, std::size_t last);
  void send_singly(std::size_t which);
  void lay_out(const Group& group, iovec* into) const;

  std::size_t datagrams_ = 0;
  std::size_t groups_count_ = 0;
  std::array<Group, kBatch> groups_;
  std::array<MutableBytes, kBatch> bytes_;
  std::array<std::uint8_t, kBatch> next_;
  std::array<iovec, kBatch> vectors_;
  std::array<mmsghdr, kBatch> messages_;
  std::array<SocketAddress, kBatch> places_;
  std::array<Control, kBatch> controls_;
  bool segments_ = true;  // the kernel knows how
  std::uint64_t lost_ = 0;
};

}  // namespace linnet::io
