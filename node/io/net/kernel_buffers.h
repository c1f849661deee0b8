// How many bytes of datagrams the kernel may hold for a socket: what comes while we look elsewhere.
#pragma once

#include <sys/socket.h>

namespace linnet::io {

// As much as the system allows (net.core.rmem_max, wmem_max); more with CAP_NET_ADMIN.
inline void set_kernel_buffers(int fd, int receive_bytes, int send_bytes) {
  if (::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &receive_bytes, sizeof receive_bytes) != 0)
    ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
  ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &send_bytes, sizeof send_bytes);
}

}  // namespace linnet::io
