// Between our Endpoint and the socket API's sockaddr.
#pragma once

#include <sys/socket.h>

#include "base/endpoint.h"

namespace linnet::io {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

SocketAddress to_socket_address(const Endpoint& endpoint);
// The same without clearing the rest of a place that is used again and again.
void put_socket_address(const Endpoint& endpoint, SocketAddress& into);
Endpoint to_endpoint(const sockaddr_storage& address);  // IPv4 or IPv6; anything else gives the unspecified address

}  // namespace linnet::io
