#include "node/io/net/batch_sender.h"

#include <netinet/in.h>
#include <netinet/udp.h>

#include <algorithm>
#include <cerrno>

#include "node/io/net/control_message.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

namespace linnet::io {

// The last group of that place decides: an older one would let this datagram overtake.
BatchSender::Group* BatchSender::fitting(int fd, const Endpoint& to, std::size_t size, Mark mark) {
  const auto oldest = groups_count_ - std::min(groups_count_, kLookBack);
  for (auto i = groups_count_; i-- > oldest;) {
    auto& group = groups_[i];
    if (group.fd != fd || group.to.port != to.port || !(group.to.ip == to.ip)) continue;
    const bool fits = segments_ && !group.closed && mark == group.mark && size <= group.size && size > 0 &&
                      group.bytes + size <= kMaxBytes;
    return fits ? &group : nullptr;
  }
  return nullptr;
}

void BatchSender::add(int fd, const Endpoint& to, MutableBytes bytes, Mark mark) {
  if (datagrams_ == kBatch) flush();
  const auto at = static_cast<std::uint8_t>(datagrams_++);
  bytes_[at] = bytes;
  if (auto* group = fitting(fd, to, bytes.size(), mark)) {
    next_[group->last] = at;
    group->last = at;
    ++group->count;
    group->bytes += static_cast<std::uint32_t>(bytes.size());
    group->closed = bytes.size() < group->size;
    return;
  }
  auto& group = groups_[groups_count_++];
  group.fd = fd;
  group.to = to;
  group.mark = mark;
  group.size = static_cast<std::uint16_t>(bytes.size());
  group.closed = false;
  group.bytes = static_cast<std::uint32_t>(bytes.size());
  group.count = 1;
  group.first = group.last = at;
}

void BatchSender::flush() {
  for (std::size_t first = 0; first < groups_count_;) {
    auto last = first + 1;
    while (last < groups_count_ && groups_[last].fd == groups_[first].fd) ++last;
    send_run(first, last);
    first = last;
  }
  datagrams_ = groups_count_ = 0;
}

void BatchSender::lay_out(const Group& group, iovec* into) const {
  auto at = group.first;
  for (std::size_t i = 0; i < group.count; ++i, at = next_[at]) into[i] = {bytes_[at].data(), bytes_[at].size()};
}

std::size_t BatchSender::prepare(std::size_t first, std::size_t last) {
  std::size_t vectors = 0;
  for (auto i = first; i < last; ++i) {
    const auto& group = groups_[i];
    put_socket_address(group.to, places_[i]);
    lay_out(group, &vectors_[vectors]);
    auto& head = messages_[i].msg_hdr;
    head = {};
    head.msg_name = &places_[i].storage;
    head.msg_namelen = places_[i].size;
    head.msg_iov = &vectors_[vectors];
    head.msg_iovlen = group.count;
    vectors += group.count;
    ControlWriter control(head, controls_[i].bytes);
    if (group.mark != Mark::best_effort) put_mark(group.to, group.mark, control);
    if (group.count > 1) control.put(IPPROTO_UDP, UDP_SEGMENT, group.size);
  }
  return vectors;
}

namespace {

// How many left. One alone is cheaper by the call for one.
int send_some(int fd, mmsghdr* messages, std::size_t count) {
  if (count == 1) return ::sendmsg(fd, &messages->msg_hdr, MSG_DONTWAIT) < 0 ? -1 : 1;
  return ::sendmmsg(fd, messages, static_cast<unsigned>(count), MSG_DONTWAIT);
}

}  // namespace

void BatchSender::send_run(std::size_t first, std::size_t last) {
  (void)prepare(first, last);
  while (first < last) {
    const int sent = send_some(groups_[first].fd, &messages_[first], last - first);
    if (sent > 0) {
      first += static_cast<std::size_t>(sent);
      continue;
    }
    if (sent < 0 && errno == EINTR) continue;
    const auto& group = groups_[first];
    const bool later = errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS;
    if (group.count == 1 || later) {
      lost_ += group.count;
    } else {
      send_singly(first);  // too long for the way, or the card cannot cut
    }
    ++first;
  }
}

void BatchSender::send_singly(std::size_t which) {
  if (errno == EIO || errno == ENOPROTOOPT) segments_ = false;
  const auto& group = groups_[which];
  auto head = messages_[which].msg_hdr;
  head.msg_iovlen = 1;
  head.msg_control = nullptr;
  head.msg_controllen = 0;
  Control room;
  ControlWriter control(head, room.bytes);
  if (group.mark != Mark::best_effort) put_mark(group.to, group.mark, control);
  for (std::size_t i = 0; i < group.count; ++i, ++head.msg_iov) {
    if (::sendmsg(group.fd, &head, MSG_DONTWAIT) < 0) ++lost_;
  }
}

}  // namespace linnet::io
