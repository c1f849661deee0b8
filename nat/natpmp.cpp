#include "nat/natpmp.h"

namespace linnet::nat::natpmp {
namespace {

constexpr std::uint8_t kResponseBit = 0x80;

bool maps(Opcode opcode) { return opcode == Opcode::map_udp || opcode == Opcode::map_tcp; }

std::uint32_t count(std::chrono::seconds s) { return static_cast<std::uint32_t>(s.count()); }

}  // namespace

Bytes write_address_request() { return {kVersion, static_cast<std::uint8_t>(Opcode::external_address)}; }

Bytes write(const MapRequest& request) {
  Writer out(12);
  out.u8(kVersion).u8(static_cast<std::uint8_t>(request.opcode)).u16(0).u16(request.internal).u16(request.external);
  out.u32(count(request.lifetime));
  return out.take();
}

Bytes write(const Response& response) {
  Writer out(16);
  out.u8(kVersion).u8(static_cast<std::uint8_t>(response.opcode) | kResponseBit);
  out.u16(static_cast<std::uint16_t>(response.code)).u32(count(response.epoch));
  if (maps(response.opcode)) {
    out.u16(response.internal).u16(response.external).u32(count(response.lifetime));
  } else {
    out.bytes(ByteView(response.address.bytes).last(4));
  }
  return out.take();
}

Result<MapRequest> read_map_request(ByteView bytes) {
  Reader in(bytes);
  if (in.u8() != kVersion) return fail(Fault::unsupported);
  MapRequest out;
  out.opcode = static_cast<Opcode>(in.u8());
  (void)in.u16();
  out.internal = in.u16();
  out.external = in.u16();
  out.lifetime = std::chrono::seconds(in.u32());
  if (!in.done() || !maps(out.opcode)) return fail(Fault::malformed);
  return out;
}

Result<Response> read_response(ByteView bytes) {
  Reader in(bytes);
  Response out;
  const auto version = in.u8();
  const auto opcode = in.u8();
  out.opcode = static_cast<Opcode>(opcode & ~kResponseBit);
  out.code = static_cast<Code>(in.u16());
  out.epoch = std::chrono::seconds(in.u32());
  if (!in.ok() || version != kVersion || (opcode & kResponseBit) == 0) return fail(Fault::malformed);
  if (!maps(out.opcode) && out.opcode != Opcode::external_address) return fail(Fault::unsupported);
  if (out.code != Code::success && in.remaining() == 0) return out;  // an error may end here (section 3.5)
  if (out.opcode == Opcode::external_address) {
    const auto address = in.u32();
    if (!in.done()) return fail(Fault::malformed);
    out.address = IpAddress::v4(address);
    return out;
  }
  out.internal = in.u16();
  out.external = in.u16();
  out.lifetime = std::chrono::seconds(in.u32());
  if (!in.done()) return fail(Fault::malformed);
  return out;
}

}  // namespace linnet::nat::natpmp
