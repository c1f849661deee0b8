#include "nat/pcp.h"

namespace linnet::nat::pcp {
namespace {

constexpr std::uint8_t kResponseBit = 0x80;
constexpr std::size_t kHeader = 24;
constexpr std::size_t kMapBytes = 36;
constexpr std::size_t kOptionHeader = 4;
constexpr std::uint8_t kPreferFailure = 2;  // section 13.2

std::optional<Protocol> protocol_of(std::uint8_t number) {
  if (number == static_cast<std::uint8_t>(Protocol::tcp)) return Protocol::tcp;
  if (number == static_cast<std::uint8_t>(Protocol::udp)) return Protocol::udp;
  return std::nullopt;
}

void put(Writer& out, const Map& map) {
  out.bytes(map.nonce).u8(static_cast<std::uint8_t>(map.protocol)).zeros(3).u16(map.internal).u16(map.external.port);
  out.bytes(map.external.ip.bytes);
}

Result<Map> get(Reader& in) {
  Map out;
  out.nonce = in.array<12>();
  const auto protocol = protocol_of(in.u8());
  (void)in.bytes(3);
  out.internal = in.u16();
  out.external.port = in.u16();
  out.external.ip.bytes = in.array<16>();
  if (!in.ok() || !protocol) return fail(Fault::malformed);
  out.protocol = *protocol;
  out.external.transport = *protocol == Protocol::udp ? Transport::udp : Transport::tcp;
  return out;
}

// Options follow one another in multiples of four.
bool skip_options(Reader& in) {
  while (in.ok() && in.remaining() >= kOptionHeader) {
    (void)in.u16();
    const std::size_t length = in.u16();
    (void)in.bytes((length + 3) / 4 * 4);
  }
  return in.done();
}

bool right_size(ByteView bytes) {
  return bytes.size() >= kHeader && bytes.size() <= kMaxMessage && bytes.size() % 4 == 0;
}

}  // namespace

Bytes write(const MapRequest& request) {
  Writer out(kHeader + kMapBytes + kOptionHeader);
  out.u8(kVersion).u8(static_cast<std::uint8_t>(Opcode::map)).zeros(2);
  out.u32(static_cast<std::uint32_t>(request.lifetime.count())).bytes(request.client.bytes);
  put(out, request.map);
  if (request.prefer_failure) out.u8(kPreferFailure).zeros(3);
  return out.take();
}

Bytes write(const Response& response) {
  Writer out(kHeader + kMapBytes);
  out.u8(response.version).u8(static_cast<std::uint8_t>(response.opcode) | kResponseBit).u8(0);
  out.u8(static_cast<std::uint8_t>(response.code)).u32(static_cast<std::uint32_t>(response.lifetime.count()));
  out.u32(static_cast<std::uint32_t>(response.epoch.count())).zeros(12);
  if (response.map) put(out, *response.map);
  return out.take();
}

Result<MapRequest> read_map_request(ByteView bytes) {
  if (!right_size(bytes)) return fail(Fault::malformed);
  Reader in(bytes);
  if (in.u8() != kVersion) return fail(Fault::unsupported);
  if (in.u8() != static_cast<std::uint8_t>(Opcode::map)) return fail(Fault::unsupported);
  (void)in.u16();
  MapRequest out;
  out.lifetime = std::chrono::seconds(in.u32());
  out.client.bytes = in.array<16>();
  auto map = get(in);
  if (!map) return fail(map.error());
  out.map = *map;
  out.prefer_failure = in.remaining() > 0 && bytes[bytes.size() - in.remaining()] == kPreferFailure;
  if (!skip_options(in)) return fail(Fault::malformed);
  return out;
}

Result<Response> read_response(ByteView bytes) {
  if (bytes.size() < 4 || bytes.size() > kMaxMessage) return fail(Fault::malformed);
  Reader in(bytes);
  Response out;
  out.version = in.u8();
  const auto opcode = in.u8();
  if ((opcode & kResponseBit) == 0) return fail(Fault::malformed);
  (void)in.u8();
  out.code = static_cast<Code>(in.u8());
  out.opcode = static_cast<Opcode>(opcode & ~kResponseBit);
  // A server of NAT-PMP says its version 0 and the code of RFC 6886, which is 1 as well.
  if (out.version != kVersion) {
    if (out.code != Code::unsupported_version) return fail(Fault::unsupported);
    return out;
  }
  if (!right_size(bytes)) return fail(Fault::malformed);
  out.lifetime = std::chrono::seconds(in.u32());
  out.epoch = std::chrono::seconds(in.u32());
  (void)in.bytes(12);
  if (out.opcode == Opcode::announce) return out;
  if (out.opcode != Opcode::map) return fail(Fault::unsupported);
  if (in.remaining() < kMapBytes) {
    if (out.code == Code::success) return fail(Fault::malformed);
    return out;  // an error need not repeat what it is about
  }
  auto map = get(in);
  if (!map) return fail(map.error());
  if (!skip_options(in)) return fail(Fault::malformed);
  out.map = *map;
  return out;
}

}  // namespace linnet::nat::pcp
