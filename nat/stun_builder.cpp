#include "nat/stun_builder.h"

#include <algorithm>

#include "nat/stun_auth.h"
#include "nat/stun_fingerprint.h"

namespace linnet::nat::stun {
namespace {

void put16(MutableBytes to, std::size_t value) {
  to[0] = static_cast<std::uint8_t>(value >> 8);
  to[1] = static_cast<std::uint8_t>(value);
}
void put32(MutableBytes to, std::uint32_t value) {
  put16(to, value >> 16);
  put16(to.subspan(2), value & 0xffff);
}

std::uint16_t type_of(Class message_class, Method method) {
  const auto c = static_cast<unsigned>(message_class);
  const auto m = static_cast<unsigned>(method);
  return static_cast<std::uint16_t>((m & 0x0f80) << 2 | (m & 0x0070) << 1 | (m & 0x000f) | (c & 2) << 7 | (c & 1) << 4);
}

bool is_xored(Attr type) {
  return type == Attr::xor_mapped_address || type == Attr::xor_peer_address || type == Attr::xor_relayed_address;
}

}  // namespace

Builder::Builder(Class message_class, Method method, const TransactionId& id, Bytes room) : out_(std::move(room)) {
  out_.clear();
  out_.resize(kHeaderBytes);
  const MutableBytes header(out_);
  put16(header, type_of(message_class, method));
  put32(header.subspan(4), kMagicCookie);
  std::copy(id.begin(), id.end(), out_.begin() + 8);
}

MutableBytes Builder::add(Attr type, std::size_t length) {
  const auto whole = 4 + ((length + 3) & ~std::size_t{3});
  if (!ok_ || length > kMaxMessage || out_.size() + whole > kMaxMessage) {
    ok_ = false;
    return {};
  }
  const auto at = out_.size();
  out_.resize(at + whole);
  const MutableBytes all(out_);
  put16(all.subspan(2), out_.size() - kHeaderBytes);
  put16(all.subspan(at), static_cast<std::uint16_t>(type));
  put16(all.subspan(at + 2), length);
  return all.subspan(at + 4, length);
}

Builder& Builder::bytes(Attr type, ByteView value) {
  const auto to = add(type, value.size());
  if (!to.empty()) std::copy(value.begin(), value.end(), to.begin());
  return *this;
}

Builder& Builder::u32(Attr type, std::uint32_t value) {
  const auto to = add(type, 4);
  if (!to.empty()) put32(to, value);
  return *this;
}

Builder& Builder::u64(Attr type, std::uint64_t value) {
  const auto to = add(type, 8);
  if (to.empty()) return *this;
  put32(to, static_cast<std::uint32_t>(value >> 32));
  put32(to.subspan(4), static_cast<std::uint32_t>(value));
  return *this;
}

Builder& Builder::endpoint(Attr type, const Endpoint& endpoint) {
  const bool v4 = endpoint.ip.is_v4();
  const std::size_t length = v4 ? 4 : 16;
  const auto to = add(type, 4 + length);
  if (to.empty()) return *this;
  const bool xored = is_xored(type);
  to[0] = 0;
  to[1] = v4 ? 1 : 2;
  put16(to.subspan(2), endpoint.port ^ (xored ? kMagicCookie >> 16 : 0U));
  for (std::size_t i = 0; i < length; ++i)
    to[4 + i] = static_cast<std::uint8_t>(endpoint.ip.bytes[16 - length + i] ^ (xored ? out_[4 + i] : 0));
  return *this;
}

Builder& Builder::error(ErrorCode code, std::string_view reason) {
  if (reason.empty()) reason = reason_of(code);
  const auto to = add(Attr::error_code, 4 + reason.size());
  if (to.empty()) return *this;
  const auto number = static_cast<unsigned>(code);
  put32(to, number / 100 << 8 | number % 100);
  std::copy(reason.begin(), reason.end(), to.begin() + 4);
  return *this;
}

Builder& Builder::unknown_attributes(std::span<const Attr> list) {
  const auto to = add(Attr::unknown_attributes, 2 * list.size());
  for (std::size_t i = 0; 2 * i < to.size(); ++i) put16(to.subspan(2 * i), static_cast<std::uint16_t>(list[i]));
  return *this;
}

Builder& Builder::password_algorithm(PasswordAlgorithm algorithm) {
  return u16(Attr::password_algorithm, static_cast<std::uint16_t>(algorithm));
}

Builder& Builder::password_algorithms(std::span<const PasswordAlgorithm> list) {
  const auto to = add(Attr::password_algorithms, 4 * list.size());
  for (std::size_t i = 0; 4 * i < to.size(); ++i) put32(to.subspan(4 * i), static_cast<std::uint32_t>(list[i]) << 16);
  return *this;
}

Builder& Builder::integrity(ByteView key) {
  const auto tag = stun::integrity(out_, key);
  return bytes(Attr::message_integrity, tag);
}

Builder& Builder::integrity_sha256(ByteView key, std::size_t size) {
  const auto tag = stun::integrity_sha256(out_, key, size);
  return bytes(Attr::message_integrity_sha256, ByteView(tag).first(size));
}

Builder& Builder::fingerprint() {
  const auto to = add(Attr::fingerprint, 4);
  if (!to.empty()) put32(to, stun::fingerprint(ByteView(out_).first(out_.size() - 8)));
  return *this;
}

std::string_view reason_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::try_alternate: return "Try Alternate";
    case ErrorCode::bad_request: return "Bad Request";
    case ErrorCode::unauthenticated: return "Unauthenticated";
    case ErrorCode::forbidden: return "Forbidden";
    case ErrorCode::unknown_attribute: return "Unknown Attribute";
    case ErrorCode::allocation_mismatch: return "Allocation Mismatch";
    case ErrorCode::stale_nonce: return "Stale Nonce";
    case ErrorCode::address_family_not_supported: return "Address Family not Supported";
    case ErrorCode::wrong_credentials: return "Wrong Credentials";
    case ErrorCode::unsupported_transport: return "Unsupported Transport Protocol";
    case ErrorCode::peer_address_family_mismatch: return "Peer Address Family Mismatch";
    case ErrorCode::connection_already_exists: return "Connection Already Exists";
    case ErrorCode::connection_timeout_or_failure: return "Connection Timeout or Failure";
    case ErrorCode::allocation_quota_reached: return "Allocation Quota Reached";
    case ErrorCode::role_conflict: return "Role Conflict";
    case ErrorCode::server_error: return "Server Error";
    case ErrorCode::insufficient_capacity: return "Insufficient Capacity";
  }
  return "Error";
}

}  // namespace linnet::nat::stun
