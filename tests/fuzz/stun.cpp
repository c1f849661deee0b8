// One datagram as a STUN message: every typed read stays inside, and what was read and is written again reads the same.
#include <algorithm>

#include "nat/stun_auth.h"
#include "nat/stun_builder.h"
#include "require.h"

using namespace linnet;
using namespace linnet::nat::stun;

namespace {

void read_all(const Message& m) {
  for (const auto& a : m.attributes()) {
    fuzz::require(m.attribute(a.type) <= &a);
    (void)m.u8(a.type);
    (void)m.u16(a.type);
    (void)m.u32(a.type);
    (void)m.u64(a.type);
    if (const auto text = m.text(a.type)) (void)features_of(*text);
    (void)m.endpoint(a.type);
  }
  (void)m.error();
  (void)m.unknown_attributes();
  (void)m.password_algorithm();
  (void)m.password_algorithms();
  const auto unknown = m.unknown_required({});
  fuzz::require(std::all_of(unknown.begin(), unknown.end(), comprehension_required));
  // A stranger's tag holds under no key that he does not have.
  const auto key = view("a key nobody has");
  fuzz::require(!integrity_holds(m, key) && !integrity_sha256_holds(m, key));
}

bool is_tag(Attr type) {
  return type == Attr::message_integrity || type == Attr::message_integrity_sha256 || type == Attr::fingerprint;
}

void write_again(const Message& m) {
  Builder out(m.message_class(), m.method(), m.id());
  std::size_t written = 0;
  for (const auto& a : m.attributes()) {
    if (is_tag(a.type)) break;
    const auto at = m.endpoint(a.type);
    // Only address attributes have that shape on purpose; written in their form, they read the same.
    if (at && m.attribute(a.type) == &a) {
      out.endpoint(a.type, *at);
    } else {
      out.bytes(a.type, m.value(a));
    }
    ++written;
  }
  out.integrity(view("key")).integrity_sha256(view("key")).fingerprint();
  if (!out.ok()) return;
  const auto again = Message::parse(out.written());
  if (written + 3 > kMaxAttributes) return fuzz::require(!again);
  fuzz::require(again.has_value() && again->attributes().size() == written + 3);
  fuzz::require(again->is(m.message_class(), m.method()) && again->id() == m.id());
  fuzz::require(integrity_holds(*again, view("key")) && integrity_sha256_holds(*again, view("key")));
  for (std::size_t i = 0; i < written; ++i) {
    const auto& a = m.attributes()[i];
    if (m.attribute(a.type) == &a && m.endpoint(a.type)) fuzz::require(m.endpoint(a.type) == again->endpoint(a.type));
  }
}

}  // namespace

// The input: a datagram. Its header's length is also put right, so that the input gets past the first door.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (const auto m = Message::parse(ByteView(data, size))) read_all(*m);
  if (size < kHeaderBytes || size > 65'000) return 0;
  Bytes right(data, data + size);
  right.resize(size / 4 * 4);
  const auto length = right.size() - kHeaderBytes;
  right[0] &= 3;
  right[2] = static_cast<std::uint8_t>(length >> 8);
  right[3] = static_cast<std::uint8_t>(length);
  std::copy_n(std::begin({0x21, 0x12, 0xa4, 0x42}), 4, right.begin() + 4);
  if (const auto m = Message::parse(right)) {
    read_all(*m);
    write_again(*m);
  }
  return 0;
}
