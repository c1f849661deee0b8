#include "crypto/text.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <optional>

namespace linnet::crypto {
namespace {

struct Range {
  std::uint32_t first;
  std::uint32_t last;
};

// Controls, separators, format characters, private use and noncharacters (Unicode general categories Cc, Zs, Zl, Zp,
// Cf, Co), and the blanks among the letters.
constexpr Range kUnseen[] = {
    {0x0000, 0x0020}, {0x007f, 0x00a0}, {0x00ad, 0x00ad},   {0x034f, 0x034f},   {0x061c, 0x061c},    {0x115f, 0x1160},
    {0x1680, 0x1680}, {0x17b4, 0x17b5}, {0x180b, 0x180f},   {0x2000, 0x200f},   {0x2028, 0x202f},    {0x205f, 0x206f},
    {0x3000, 0x3000}, {0x3164, 0x3164}, {0xe000, 0xf8ff},   {0xfdd0, 0xfdef},   {0xfe00, 0xfe0f},    {0xfeff, 0xfeff},
    {0xffa0, 0xffa0}, {0xfff0, 0xffff}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0x10ffff},
};

// Takes one character off the front. Refuses overlong forms, surrogates and what is above U+10FFFF.
std::optional<std::uint32_t> next(std::string_view& text) {
  const auto byte = [&text](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const auto lead = byte(0);
  const std::size_t length = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if ((lead >= 0x80 && lead < 0xc2) || lead > 0xf4 || text.size() < length) return std::nullopt;
  std::uint32_t out = length == 1 ? lead : lead & (0x7fU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return std::nullopt;
    out = out << 6 | (byte(i) & 0x3fU);
  }
  constexpr std::uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  if (out < kSmallest[length] || out > 0x10ffff || (out >= 0xd800 && out <= 0xdfff)) return std::nullopt;
  text.remove_prefix(length);
  return out;
}

}  // namespace

bool is_visible_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto c = next(text);
    if (!c) return false;
    const auto in = [c](const Range& r) { return *c >= r.first && *c <= r.last; };
    if (std::any_of(std::begin(kUnseen), std::end(kUnseen), in)) return false;
  }
  return true;
}

bool is_utf8(std::string_view text) {
  while (!text.empty())
    if (!next(text)) return false;
  return true;
}

}  // namespace linnet::crypto
