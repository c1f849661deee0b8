#include "nat/stun_message.h"

#include <algorithm>

#include "nat/stun_fingerprint.h"

namespace linnet::nat::stun {
namespace {

constexpr std::uint16_t at16(ByteView bytes, std::size_t at) {
  return static_cast<std::uint16_t>(bytes[at] << 8 | bytes[at + 1]);
}
constexpr std::size_t padded(std::size_t n) { return (n + 3) & ~std::size_t{3}; }

// Class and method interleave in the 14 bits of the type (RFC 8489, section 5).
constexpr Class class_of(std::uint16_t type) { return static_cast<Class>((type >> 7 & 2) | (type >> 4 & 1)); }
constexpr Method method_of(std::uint16_t type) {
  return static_cast<Method>((type >> 2 & 0x0f80) | (type >> 1 & 0x0070) | (type & 0x000f));
}

std::size_t text_limit(Attr type) {
  switch (type) {
    case Attr::username: return 508;
    case Attr::alternate_domain: return 255;
    default: return 763;  // REALM, NONCE, SOFTWARE: fewer than 128 characters
  }
}

bool reads_xored(Attr type) {
  return type == Attr::xor_mapped_address || type == Attr::xor_peer_address || type == Attr::xor_relayed_address;
}

}  // namespace

bool is_stun(ByteView d) {
  return d.size() >= kHeaderBytes && d[0] < 4 && d[4] == 0x21 && d[5] == 0x12 && d[6] == 0xa4 && d[7] == 0x42 &&
         d[3] % 4 == 0 && at16(d, 2) + kHeaderBytes == d.size();
}

Result<Message> Message::parse(ByteView datagram) {
  if (datagram.size() < kHeaderBytes) return fail(Fault::truncated);
  if (datagram.size() > kMaxMessage) return fail(Fault::too_big);
  if (!is_stun(datagram)) return fail(Fault::malformed);
  Message out(datagram);
  const auto type = at16(datagram, 0);
  out.class_ = class_of(type);
  out.method_ = method_of(type);
  if (const auto read = out.read_attributes(); !read) return fail(read.error());
  return out;
}

Status Message::read_attributes() {
  enum class After { nothing, integrity, integrity_sha256, fingerprint } after = After::nothing;
  std::size_t at = kHeaderBytes;
  while (at < bytes_.size()) {
    if (bytes_.size() - at < 4) return fail(Fault::truncated);
    if (after == After::fingerprint) return fail(Fault::malformed);  // it is the last one (section 14.7)
    const Attribute a{static_cast<Attr>(at16(bytes_, at)), static_cast<std::uint16_t>(at + 4), at16(bytes_, at + 2)};
    if (padded(a.length) > bytes_.size() - a.offset) return fail(Fault::truncated);
    at = a.offset + padded(a.length);
    const bool ignored =
        (after == After::integrity && a.type != Attr::message_integrity_sha256 && a.type != Attr::fingerprint) ||
        (after == After::integrity_sha256 && a.type != Attr::fingerprint);
    if (ignored) continue;
    if (count_ == kMaxAttributes) return fail(Fault::too_big);
    attributes_[count_++] = a;
    if (a.type == Attr::message_integrity) {
      after = After::integrity;
    } else if (a.type == Attr::message_integrity_sha256) {
      after = After::integrity_sha256;
    } else if (a.type == Attr::fingerprint) {
      after = After::fingerprint;
      if (a.length != 4) return fail(Fault::malformed);
      if (u32(a.type) != fingerprint(bytes_.first(a.offset - 4U))) return fail(Fault::bad_mac);
    }
  }
  return {};
}

TransactionId Message::id() const {
  TransactionId out;
  std::copy_n(bytes_.begin() + 8, out.size(), out.begin());
  return out;
}

const Message::Attribute* Message::attribute(Attr type) const {
  const auto all = attributes();
  const auto found = std::find_if(all.begin(), all.end(), [type](const Attribute& a) { return a.type == type; });
  return found == all.end() ? nullptr : &*found;
}

Result<ByteView> Message::value(Attr type) const {
  const auto* found = attribute(type);
  if (found == nullptr) return fail(Fault::not_found);
  return value(*found);
}

Result<std::uint8_t> Message::u8(Attr type) const {
  const auto bytes = value(type);
  if (!bytes) return fail(bytes.error());
  // EVEN-PORT alone is one byte, and padding.
  if (bytes->size() != (type == Attr::even_port ? 1U : 4U)) return fail(Fault::malformed);
  return (*bytes)[0];
}

Result<std::uint16_t> Message::u16(Attr type) const {
  const auto bytes = value(type);
  if (!bytes) return fail(bytes.error());
  if (bytes->size() != 4) return fail(Fault::malformed);
  return at16(*bytes, 0);
}

Result<std::uint32_t> Message::u32(Attr type) const {
  const auto bytes = value(type);
  if (!bytes) return fail(bytes.error());
  if (bytes->size() != 4) return fail(Fault::malformed);
  return Reader(*bytes).u32();
}

Result<std::uint64_t> Message::u64(Attr type) const {
  const auto bytes = value(type);
  if (!bytes) return fail(bytes.error());
  if (bytes->size() != 8) return fail(Fault::malformed);
  return Reader(*bytes).u64();
}

Result<std::string_view> Message::text(Attr type) const {
  const auto bytes = value(type);
  if (!bytes) return fail(bytes.error());
  if (bytes->size() > text_limit(type)) return fail(Fault::too_big);
  return linnet::text(*bytes);
}

// Section 14.1 and 14.2: a zero byte, the family, the port, the address.
Result<Endpoint> Message::endpoint(Attr type) const {
  const auto bytes = value(type);
  if (!bytes) return fail(bytes.error());
  if (bytes->size() != 8 && bytes->size() != 20) return fail(Fault::malformed);
  const bool v4 = bytes->size() == 8;
  if ((*bytes)[1] != (v4 ? 1 : 2)) return fail(Fault::malformed);
  const auto mask = bytes_.subspan(4);  // the cookie and the transaction id
  const bool xored = reads_xored(type);
  auto port = at16(*bytes, 2);
  ByteArray<16> address{};
  for (std::size_t i = 0; i < bytes->size() - 4; ++i)
    address[i] = static_cast<std::uint8_t>((*bytes)[4 + i] ^ (xored ? mask[i] : 0));
  if (xored) port = static_cast<std::uint16_t>(port ^ (kMagicCookie >> 16));
  const auto ip = v4 ? IpAddress::v4(address[0], address[1], address[2], address[3]) : IpAddress::v6(address);
  return Endpoint{ip, port, Transport::udp};
}

Result<Error> Message::error() const {
  const auto bytes = value(Attr::error_code);
  if (!bytes) return fail(bytes.error());
  if (bytes->size() < 4) return fail(Fault::malformed);
  if (bytes->size() > 4 + 763) return fail(Fault::too_big);
  const int hundreds = (*bytes)[2] & 7;
  const int rest = (*bytes)[3];
  if (hundreds < 3 || hundreds > 6 || rest > 99) return fail(Fault::malformed);
  return Error{static_cast<ErrorCode>(100 * hundreds + rest), linnet::text(bytes->subspan(4))};
}

Result<AttrList> Message::unknown_attributes() const {
  const auto bytes = value(Attr::unknown_attributes);
  if (!bytes) return fail(bytes.error());
  if (bytes->size() % 2 != 0) return fail(Fault::malformed);
  if (bytes->size() / 2 > kMaxAttributes) return fail(Fault::too_big);
  AttrList out;
  for (std::size_t i = 0; i < bytes->size(); i += 2) out.add(static_cast<Attr>(at16(*bytes, i)));
  return out;
}

Result<PasswordAlgorithm> Message::password_algorithm() const {
  const auto bytes = value(Attr::password_algorithm);
  if (!bytes) return fail(bytes.error());
  if (bytes->size() < 4 || padded(at16(*bytes, 2)) + 4 != padded(bytes->size())) return fail(Fault::malformed);
  return static_cast<PasswordAlgorithm>(at16(*bytes, 0));
}

Result<FewOf<PasswordAlgorithm, kMaxPasswordAlgorithms>> Message::password_algorithms() const {
  const auto bytes = value(Attr::password_algorithms);
  if (!bytes) return fail(bytes.error());
  FewOf<PasswordAlgorithm, kMaxPasswordAlgorithms> out;
  Reader in(*bytes);
  while (in.remaining() > 0) {
    const auto number = in.u16();
    const std::size_t parameters = in.u16();
    (void)in.bytes(std::min(padded(parameters), std::max(parameters, in.remaining())));
    if (!in.ok()) return fail(Fault::malformed);
    if (out.count == kMaxPasswordAlgorithms) return fail(Fault::too_big);
    out.add(static_cast<PasswordAlgorithm>(number));
  }
  return out;
}

AttrList Message::unknown_required(std::span<const Attr> understood) const {
  AttrList out;
  for (const auto& a : attributes()) {
    const bool known = std::find(understood.begin(), understood.end(), a.type) != understood.end();
    const bool listed = std::find(out.begin(), out.end(), a.type) != out.end();
    if (comprehension_required(a.type) && !known && !listed) out.add(a.type);
  }
  return out;
}

bool Message::understood_answer() const {
  constexpr Attr kUnderstood[] = {Attr::mapped_address,
                                  Attr::username,
                                  Attr::message_integrity,
                                  Attr::error_code,
                                  Attr::unknown_attributes,
                                  Attr::realm,
                                  Attr::nonce,
                                  Attr::message_integrity_sha256,
                                  Attr::password_algorithm,
                                  Attr::userhash,
                                  Attr::xor_mapped_address,
                                  Attr::padding};
  return unknown_required(kUnderstood).empty();
}

}  // namespace linnet::nat::stun
