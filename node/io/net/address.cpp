#include "node/io/net/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

namespace linnet::io {

SocketAddress to_socket_address(const Endpoint& endpoint) {
  SocketAddress out;
  put_socket_address(endpoint, out);
  return out;
}

void put_socket_address(const Endpoint& endpoint, SocketAddress& out) {
  if (endpoint.ip.is_v4()) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(endpoint.port);
    std::memcpy(&in.sin_addr, endpoint.ip.bytes.data() + 12, 4);
    std::memcpy(&out.storage, &in, sizeof in);
    out.size = sizeof in;
    return;
  }
  sockaddr_in6 in{};
  in.sin6_family = AF_INET6;
  in.sin6_port = htons(endpoint.port);
  in.sin6_scope_id = endpoint.ip.scope;
  std::memcpy(&in.sin6_addr, endpoint.ip.bytes.data(), 16);
  std::memcpy(&out.storage, &in, sizeof in);
  out.size = sizeof in;
}

Endpoint to_endpoint(const sockaddr_storage& address) {
  Endpoint out;
  if (address.ss_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, &address, sizeof in);
    out.ip = IpAddress::v4(ntohl(in.sin_addr.s_addr));
    out.port = ntohs(in.sin_port);
  } else if (address.ss_family == AF_INET6) {
    sockaddr_in6 in{};
    std::memcpy(&in, &address, sizeof in);
    ByteArray<16> bytes;
    std::memcpy(bytes.data(), &in.sin6_addr, 16);
    out.ip = IpAddress::v6(bytes, in.sin6_scope_id);
    out.port = ntohs(in.sin6_port);
  }
  return out;
}

}  // namespace linnet::io
