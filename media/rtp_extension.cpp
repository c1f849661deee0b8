#include "media/rtp_extension.h"

#include <algorithm>

namespace linnet::media {
namespace {

constexpr std::size_t kProfileAndLength = 4;
constexpr std::uint8_t kEndOfElements = 15;  // in the form of one octet

// The head of the next element, the padding before it passed over; false at the end of the elements.
bool read_head(Reader& in, bool one_octet, std::uint8_t& id, std::size_t& length) {
  std::uint8_t head = 0;
  while (head == 0) {
    if (in.remaining() == 0) return false;
    head = in.u8();
  }
  id = one_octet ? head >> 4 : head;
  length = one_octet ? (head & 0x0fU) + 1U : in.u8();
  return id != 0 && !(one_octet && id == kEndOfElements);
}

std::size_t elements_size(std::span<const ExtensionElement> elements, ExtensionForm form) {
  std::size_t out = 0;
  const std::size_t head = form == ExtensionForm::one_octet ? 1 : 2;
  for (const auto& e : elements) out += fits(e, form) ? head + e.data.size() : 0;
  return out;
}

std::size_t whole_words(std::size_t octets) { return (octets + 3) / 4; }

}  // namespace

std::optional<ByteView> ExtensionElements::find(std::uint8_t id) const {
  for (const auto& e : std::span(elements).first(count))
    if (e.id == id) return e.data;
  return std::nullopt;
}

Result<ExtensionElements> parse_elements(std::uint16_t profile, ByteView data) {
  const bool one_octet = profile == kOneOctetProfile;
  if (!one_octet && (profile & 0xfff0U) != kTwoOctetProfile) return fail(Fault::unsupported);
  ExtensionElements out;
  Reader in(data);
  std::uint8_t id = 0;
  std::size_t length = 0;
  while (out.count < kMaxElements && read_head(in, one_octet, id, length)) {
    const auto value = in.bytes(length);
    if (!in.ok()) return fail(Fault::truncated);
    out.elements[out.count++] = {id, value};
  }
  if (!in.ok()) return fail(Fault::truncated);
  return out;
}

bool fits(const ExtensionElement& element, ExtensionForm form) {
  if (form == ExtensionForm::two_octets) return element.id != 0 && element.data.size() <= 255;
  return element.id >= 1 && element.id <= kMaxOneOctetId && !element.data.empty() && element.data.size() <= 16;
}

ExtensionForm form_for(std::span<const ExtensionElement> elements) {
  const bool small =
      std::all_of(elements.begin(), elements.end(), [](const auto& e) { return fits(e, ExtensionForm::one_octet); });
  return small ? ExtensionForm::one_octet : ExtensionForm::two_octets;
}

std::size_t extension_size(std::span<const ExtensionElement> elements, ExtensionForm form) {
  const std::size_t octets = elements_size(elements, form);
  return octets == 0 ? 0 : kProfileAndLength + 4 * whole_words(octets);
}

void write_elements(Bytes& out, std::span<const ExtensionElement> elements, ExtensionForm form) {
  const std::size_t octets = elements_size(elements, form);
  if (octets == 0) return;
  const bool one_octet = form == ExtensionForm::one_octet;
  const std::uint16_t profile = one_octet ? kOneOctetProfile : kTwoOctetProfile;
  const std::size_t words = whole_words(octets);
  for (const std::size_t v : {std::size_t{profile} >> 8, profile & std::size_t{0xff}, words >> 8, words & 0xff})
    out.push_back(static_cast<std::uint8_t>(v));
  for (const auto& e : elements) {
    if (!fits(e, form)) continue;
    if (one_octet) {
      out.push_back(static_cast<std::uint8_t>(e.id << 4 | (e.data.size() - 1)));
    } else {
      out.push_back(e.id);
      out.push_back(static_cast<std::uint8_t>(e.data.size()));
    }
    append(out, e.data);
  }
  out.resize(out.size() + 4 * words - octets);  // padding is zero
}

}  // namespace linnet::media
