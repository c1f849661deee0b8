// base/endpoint: any text and any bytes; what is accepted comes back the same.
#include "base/endpoint.h"

#include "require.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using linnet::Endpoint;
  using linnet::fuzz::require;
  const linnet::ByteView bytes(data, size);
  if (const auto e = Endpoint::parse(linnet::text(bytes))) require(Endpoint::parse(e->to_string()) == *e);
  linnet::Reader in(bytes);
  const auto read = linnet::read_endpoint(in);
  if (!read) return 0;
  linnet::Writer out;
  write(out, *read);
  require(linnet::equal(out.written(), bytes.first(size - in.remaining())));
  return 0;
}
