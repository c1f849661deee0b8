#include "nat/stun_fingerprint.h"

namespace linnet::nat::stun {
namespace {

constexpr std::array<std::uint32_t, 256> make_table() {
  std::array<std::uint32_t, 256> out{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    auto crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? crc >> 1 ^ 0xedb88320U : crc >> 1;
    out[i] = crc;
  }
  return out;
}
constexpr auto kTable = make_table();

}  // namespace

std::uint32_t fingerprint(ByteView before) {
  std::uint32_t crc = 0xffffffff;
  for (const auto byte : before) crc = kTable[(crc ^ byte) & 0xff] ^ crc >> 8;
  return ~crc ^ 0x5354554eU;
}

}  // namespace linnet::nat::stun
