// General header extension of RTP (RFC 8285): small elements, each with an identifier that a=extmap gave a meaning.
//
//   one octet of head   profile 0xBEDE   ID 1..14, 1..16 octets of data     |ID:4|length - 1:4| data ...
//   two octets          profile 0x100x   ID 1..255, 0..255 octets of data   |ID:8|length:8| data ...
#pragma once

#include <array>
#include <optional>
#include <span>

#include "base/bytes.h"
#include "base/result.h"

namespace linnet::media {

inline constexpr std::uint16_t kOneOctetProfile = 0xbede;
inline constexpr std::uint16_t kTwoOctetProfile = 0x1000;  // the last four bits are the application's
inline constexpr std::size_t kMaxElements = 16;            // that are read of one packet; the others are left
inline constexpr std::uint8_t kMaxOneOctetId = 14;

struct ExtensionElement {
  std::uint8_t id = 0;
  ByteView data;  // a view into the packet
};

struct ExtensionElements {
  std::array<ExtensionElement, kMaxElements> elements{};
  std::size_t count = 0;

  // The data of the first element of that identifier.
  std::optional<ByteView> find(std::uint8_t id) const;
};

// `data` is what follows the extension's length. What ends the reading (section 4.2: identifier 15 in the first form,
// identifier 0 with a length) leaves the elements before it. Faults: unsupported (another profile), truncated (an
// element is longer than what is left).
Result<ExtensionElements> parse_elements(std::uint16_t profile, ByteView data);

// What carries these elements; both forms need room for their heads, data and padding to 32 bits.
enum class ExtensionForm : std::uint8_t { one_octet, two_octets };
// The smaller form in which every identifier and length is possible. One stream keeps to one form (section 4.1.2), so
// a sender asks once, with every identifier it may use and its greatest length.
ExtensionForm form_for(std::span<const ExtensionElement> elements);
// Whether an element can be written in it.
bool fits(const ExtensionElement& element, ExtensionForm form);
// Octets the extension takes in the packet with profile and length; 0 when no element fits.
std::size_t extension_size(std::span<const ExtensionElement> elements, ExtensionForm form);
// Appends profile, length and elements; nothing when no element fits. Those that do not are left out.
void write_elements(Bytes& out, std::span<const ExtensionElement> elements, ExtensionForm form);

}  // namespace linnet::media
