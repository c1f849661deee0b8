// Writes a STUN message (RFC 8489). The length in the header is right after every call. A message that would grow over
// kMaxMessage keeps what it has and says so in ok().
#pragma once

#include <span>
#include <string_view>

#include "base/endpoint.h"
#include "nat/stun.h"

namespace linnet::nat::stun {

class Builder {
 public:
  // `room`: a byte string whose memory is used again.
  Builder(Class message_class, Method method, const TransactionId& id, Bytes room = {});

  Builder& bytes(Attr type, ByteView value);
  Builder& text(Attr type, std::string_view value) { return bytes(type, view(value)); }
  Builder& flag(Attr type) { return bytes(type, {}); }
  Builder& u32(Attr type, std::uint32_t value);
  Builder& u64(Attr type, std::uint64_t value);
  // Two bytes and two reserved ones: CHANNEL-NUMBER, RESPONSE-PORT.
  Builder& u16(Attr type, std::uint16_t value) { return u32(type, std::uint32_t{value} << 16); }
  // One byte and three reserved ones: REQUESTED-TRANSPORT, REQUESTED-ADDRESS-FAMILY.
  Builder& u8(Attr type, std::uint8_t value) { return u32(type, std::uint32_t{value} << 24); }
  // The XOR- attributes are written so.
  Builder& endpoint(Attr type, const Endpoint& endpoint);
  // The RFC's own words when no reason is given.
  Builder& error(ErrorCode code, std::string_view reason = {});
  Builder& unknown_attributes(std::span<const Attr> list);
  Builder& password_algorithm(PasswordAlgorithm algorithm);
  Builder& password_algorithms(std::span<const PasswordAlgorithm> list);

  // In this order, at the end, each at most once. `size`: 16 to 32 bytes, a multiple of 4.
  Builder& integrity(ByteView key);
  Builder& integrity_sha256(ByteView key, std::size_t size = 32);
  Builder& fingerprint();

  bool ok() const { return ok_; }
  ByteView written() const { return out_; }
  Bytes take() { return std::move(out_); }

 private:
  // Room for the value of a new attribute, or an empty span.
  MutableBytes add(Attr type, std::size_t length);

  Bytes out_;
  bool ok_ = true;
};

std::string_view reason_of(ErrorCode code);

}  // namespace linnet::nat::stun
