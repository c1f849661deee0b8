#include "node/path_message.h"

#include <algorithm>

namespace linnet::node::path_message {
namespace {

enum class Kind : std::uint8_t { network = 16, ask = 17, paths = 18 };

Writer& start(Writer& out, Kind kind) { return out.u8(static_cast<std::uint8_t>(kind)); }

void put(Writer& out, const Network& n) {
  out.u8(static_cast<std::uint8_t>(n.type))
      .u8(static_cast<std::uint8_t>(n.mapping))
      .u8(static_cast<std::uint8_t>(n.filtering));
}

Bytes written(const Network& network) {
  Writer out;
  start(out, Kind::network);
  put(out, network);
  return out.take();
}

Bytes written(const Ask&) {
  Writer out;
  start(out, Kind::ask);
  return out.take();
}

Bytes written(const Paths& paths) {
  Writer out;
  start(out, Kind::paths);
  put(out, paths.network);
  const auto n = std::min(paths.tried.size(), kMaxTried);
  out.u8(static_cast<std::uint8_t>(n));
  for (std::size_t i = 0; i < n; ++i) {
    linnet::write(out, paths.tried[i].endpoint);
    out.u8(paths.tried[i].answered ? 1 : 0);
  }
  return out.take();
}

Result<Network> get_network(Reader& in) {
  const auto type = in.u8(), mapping = in.u8(), filtering = in.u8();
  if (!in.ok()) return fail(Fault::truncated);
  constexpr auto kLast = static_cast<std::uint8_t>(nat::Dependence::address_and_port);
  if (type > static_cast<std::uint8_t>(NatType::udp_blocked) || mapping > kLast || filtering > kLast)
    return fail(Fault::malformed);
  return Network{static_cast<NatType>(type), static_cast<nat::Dependence>(mapping),
                 static_cast<nat::Dependence>(filtering)};
}

Result<Paths> get_paths(Reader& in) {
  const auto network = get_network(in);
  if (!network) return fail(network.error());
  Paths out{*network, {}};
  const std::size_t n = in.u8();
  if (n > kMaxTried) return fail(Fault::too_big);
  for (std::size_t i = 0; i < n; ++i) {
    const auto endpoint = read_endpoint(in);
    if (!endpoint) return fail(endpoint.error());
    const auto answered = in.u8();
    if (answered > 1) return fail(Fault::malformed);
    out.tried.push_back({*endpoint, answered == 1});
  }
  return out;
}

template <class T>
Result<Message> whole(const Reader& in, Result<T> value) {
  if (!value) return fail(value.error());
  if (!in.done()) return fail(in.ok() ? Fault::malformed : Fault::truncated);
  return Message(std::move(*value));
}

}  // namespace

Bytes write(const Message& message) {
  return std::visit([](const auto& m) { return written(m); }, message);
}

Result<Message> read(ByteView bytes) {
  Reader in(bytes);
  const auto kind = static_cast<Kind>(in.u8());
  if (!in.ok()) return fail(Fault::truncated);
  switch (kind) {
    case Kind::network: {
      auto network = get_network(in);
      return whole(in, std::move(network));
    }
    case Kind::ask: return whole<Ask>(in, Ask{});
    case Kind::paths: {
      auto paths = get_paths(in);
      return whole(in, std::move(paths));
    }
  }
  return fail(Fault::unsupported);
}

}  // namespace linnet::node::path_message
