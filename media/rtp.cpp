#include "media/rtp.h"

#include <algorithm>

namespace linnet::media {
namespace {

constexpr std::uint8_t kVersion = 2;

Status read_extension(Reader& in, RtpPacket& packet) {
  packet.extension_profile = in.u16();
  const std::size_t words = in.u16();
  packet.extension = in.bytes(words * 4);
  if (!in.ok()) return fail(Fault::truncated);
  return {};
}

}  // namespace

Result<RtpPacket> parse_rtp(ByteView bytes) {
  Reader in(bytes);
  const std::uint8_t first = in.u8();
  const std::uint8_t second = in.u8();
  RtpPacket packet;
  auto& h = packet.header;
  h.sequence = in.u16();
  h.timestamp = in.u32();
  h.ssrc = in.u32();
  if (!in.ok()) return fail(Fault::truncated);
  if (first >> 6 != kVersion) return fail(Fault::malformed);
  h.marker = (second & 0x80) != 0;
  h.payload_type = second & 0x7f;
  h.csrc_count = first & 0x0f;
  for (std::size_t i = 0; i < h.csrc_count; ++i) h.csrc[i] = in.u32();
  if (!in.ok()) return fail(Fault::truncated);
  if ((first & 0x10) != 0) {
    if (auto read = read_extension(in, packet); !read) return fail(read.error());
  }
  packet.payload = in.rest();
  if ((first & 0x20) != 0) {
    // The last octet counts the padding, itself included.
    if (packet.payload.empty()) return fail(Fault::malformed);
    const std::size_t padding = packet.payload.back();
    if (padding == 0 || padding > packet.payload.size()) return fail(Fault::malformed);
    packet.payload = packet.payload.first(packet.payload.size() - padding);
  }
  return packet;
}

void write_rtp(Bytes& out, const RtpHeader& header, ByteView payload) {
  write_rtp(out, header, {}, ExtensionForm::one_octet, payload);
}

void write_rtp(Bytes& out, const RtpHeader& h, std::span<const ExtensionElement> elements, ExtensionForm form,
               ByteView payload) {
  const auto put = [&out](std::uint64_t v, int bytes) {
    for (int i = bytes - 1; i >= 0; --i) out.push_back(static_cast<std::uint8_t>(v >> (8 * i)));
  };
  const std::size_t csrcs = std::min<std::size_t>(h.csrc_count, kMaxCsrc);
  const std::uint64_t extended = extension_size(elements, form) != 0 ? 0x10 : 0;
  put(static_cast<std::uint64_t>(kVersion << 6) | extended | csrcs, 1);
  put((h.marker ? 0x80U : 0U) | (h.payload_type & 0x7fU), 1);
  put(h.sequence, 2);
  put(h.timestamp, 4);
  put(h.ssrc, 4);
  for (std::size_t i = 0; i < csrcs; ++i) put(h.csrc[i], 4);
  write_elements(out, elements, form);
  append(out, payload);
}

bool is_rtcp(ByteView packet) { return packet.size() >= 2 && packet[1] >= 192 && packet[1] <= 223; }

std::optional<std::uint32_t> sender_ssrc(ByteView packet) {
  const std::size_t at = is_rtcp(packet) ? 4 : 8;
  if (packet.size() < at + 4) return std::nullopt;
  return Reader(packet.subspan(at, 4)).u32();
}

}  // namespace linnet::media
