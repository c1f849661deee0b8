// A received STUN message (RFC 8489): one datagram, checked and taken apart once. Nothing is copied or allocated: the
// message is a view of the datagram and lives no longer.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string_view>

#include "base/endpoint.h"
#include "nat/stun.h"

namespace linnet::nat::stun {

inline constexpr std::size_t kMaxAttributes = 32;
inline constexpr std::size_t kMaxPasswordAlgorithms = 8;

// Of one message.
template <class T, std::size_t N>
struct FewOf {
  using value_type = T;
  using const_iterator = const T*;

  std::array<T, N> items{};
  std::size_t count = 0;

  void add(T item) {
    if (count < N) items[count++] = item;
  }
  const T* begin() const { return items.data(); }
  const T* end() const { return items.data() + count; }
  bool empty() const { return count == 0; }
  std::size_t size() const { return count; }
};
using AttrList = FewOf<Attr, kMaxAttributes>;

struct Error {
  ErrorCode code{};  // 300 to 699
  std::string_view reason;
};

// Enough to tell STUN from what else comes to the port: a first byte of 0 to 3 (RFC 7983), the cookie, a length that
// fits (RFC 8489, section 5).
bool is_stun(ByteView datagram);

class Message {
 public:
  struct Attribute {
    Attr type{};
    std::uint16_t offset = 0;  // of the value, in the message
    std::uint16_t length = 0;  // of the value, without padding
  };

  // Fault::truncated, malformed; too_big: over kMaxAttributes; bad_mac: FINGERPRINT is there and wrong. What follows
  // MESSAGE-INTEGRITY is ignored but for MESSAGE-INTEGRITY-SHA256 and FINGERPRINT, what follows that for FINGERPRINT.
  static Result<Message> parse(ByteView datagram);

  Method method() const { return method_; }
  Class message_class() const { return class_; }
  bool is(Class c, Method m) const { return class_ == c && method_ == m; }
  TransactionId id() const;
  ByteView bytes() const { return bytes_; }
  // Duplicates are here too; everything below takes the first.
  std::span<const Attribute> attributes() const { return {attributes_.data(), count_}; }

  const Attribute* attribute(Attr type) const;
  bool has(Attr type) const { return attribute(type) != nullptr; }
  ByteView value(const Attribute& attribute) const { return bytes_.subspan(attribute.offset, attribute.length); }

  // Fault::not_found when the attribute is absent, malformed when its value has another shape.
  Result<ByteView> value(Attr type) const;
  Result<std::uint8_t> u8(Attr type) const;    // the first of four bytes; the rest is reserved
  Result<std::uint16_t> u16(Attr type) const;  // the first two of four bytes; the rest is reserved
  Result<std::uint32_t> u32(Attr type) const;
  Result<std::uint64_t> u64(Attr type) const;
  // Of USERNAME, REALM, NONCE, SOFTWARE, ALTERNATE-DOMAIN within the RFC's bounds: UTF-8 is not looked at.
  Result<std::string_view> text(Attr type) const;
  // Of an address attribute; the XOR- ones are put right. The transport is UDP.
  Result<Endpoint> endpoint(Attr type) const;
  Result<Error> error() const;
  Result<AttrList> unknown_attributes() const;
  // One of PASSWORD-ALGORITHM, or the list of PASSWORD-ALGORITHMS; numbers that we do not know included.
  Result<PasswordAlgorithm> password_algorithm() const;
  Result<FewOf<PasswordAlgorithm, kMaxPasswordAlgorithms>> password_algorithms() const;

  // Comprehension-required attributes that are not among `understood`, each once: what a 420 lists.
  AttrList unknown_required(std::span<const Attr> understood) const;
  // Of a Binding answer: one that has such an attribute fails its transaction (sections 6.3.3 and 6.3.4).
  bool understood_answer() const;

 private:
  explicit Message(ByteView bytes) : bytes_(bytes) {}
  Status read_attributes();

  ByteView bytes_;
  Method method_{};
  Class class_{};
  std::size_t count_ = 0;
  std::array<Attribute, kMaxAttributes> attributes_;
};

}  // namespace linnet::nat::stun
