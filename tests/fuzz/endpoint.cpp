// base/endpoint: any text and any bytes; what is accepted comes back the same.
#include "base/endpoint.h"

#include "require.h"

namespace {

using linnet::IpAddress;
using linnet::fuzz::require;

// Each address is of one kind, and is itself in every way of comparing.
void judge(const linnet::Endpoint& e) {
  const auto& ip = e.ip;
  const int kinds = ip.is_unspecified() + ip.is_loopback() + ip.is_link_local() + ip.is_private() + ip.is_multicast() +
                    ip.is_global();
  require(kinds == 1);
  require(ip.prefix() == IpAddress::v6(ip.bytes).prefix() && ip.prefix()[0] == (ip.is_v4() ? 4 : 6));
  auto other = e;
  require(std::hash<linnet::Endpoint>{}(other) == std::hash<linnet::Endpoint>{}(e));
  other.port ^= 1;
  require(other != e && std::hash<linnet::Endpoint>{}(other) != std::hash<linnet::Endpoint>{}(e));
  require(!to_string(e.transport).empty() && IpAddress::parse(ip.to_string()) == ip);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using linnet::Endpoint;
  const linnet::ByteView bytes(data, size);
  if (const auto e = Endpoint::parse(linnet::text(bytes))) {
    require(Endpoint::parse(e->to_string()) == *e);
    judge(*e);
  }
  linnet::Reader in(bytes);
  const auto read = linnet::read_endpoint(in);
  if (!read) return 0;
  judge(*read);
  linnet::Writer out;
  write(out, *read);
  require(linnet::equal(out.written(), bytes.first(size - in.remaining())));
  return 0;
}
