// Byte strings, and a reader and a writer that know where their bytes end.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace linnet {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;
using MutableBytes = std::span<std::uint8_t>;
template <std::size_t N>
using ByteArray = std::array<std::uint8_t, N>;

inline ByteView view(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline Bytes copy(ByteView bytes) { return {bytes.begin(), bytes.end()}; }
inline void append(Bytes& to, ByteView bytes) { to.insert(to.end(), bytes.begin(), bytes.end()); }
inline bool equal(ByteView a, ByteView b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
}

std::string to_hex(ByteView bytes);
std::optional<Bytes> from_hex(std::string_view hex);

// RFC 4648 base32 in lower case without padding: 32 bytes are 52 characters.
std::string to_base32(ByteView bytes);
// Refuses characters outside the alphabet and non-zero trailing bits, so that one value has one spelling.
std::optional<Bytes> from_base32(std::string_view text);

// Reads big-endian fields. After the first failure every further read fails too, so a parser may
// read all its fields and ask ok() once.
class Reader {
 public:
  explicit Reader(ByteView bytes) : rest_(bytes) {}

  std::uint8_t u8() { return static_cast<std::uint8_t>(uint(1)); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(uint(2)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(uint(4)); }
  std::uint64_t u64() { return uint(8); }
  ByteView bytes(std::size_t n);
  template <std::size_t N>
  ByteArray<N> array() {
    ByteArray<N> out{};
    auto v = bytes(N);
    if (!v.empty()) std::memcpy(out.data(), v.data(), N);
    return out;
  }
  ByteView rest() { return bytes(rest_.size()); }
  std::size_t remaining() const { return rest_.size(); }
  bool ok() const { return ok_; }
  bool done() const { return ok_ && rest_.empty(); }

 private:
  std::uint64_t uint(int n);

  ByteView rest_;
  bool ok_ = true;
};

// Appends big-endian fields to a byte string.
class Writer {
 public:
  Writer() = default;
  explicit Writer(std::size_t reserve) { out_.reserve(reserve); }

  Writer& u8(std::uint8_t v) { return uint(v, 1); }
  Writer& u16(std::uint16_t v) { return uint(v, 2); }
  Writer& u32(std::uint32_t v) { return uint(v, 4); }
  Writer& u64(std::uint64_t v) { return uint(v, 8); }
  Writer& bytes(ByteView v) {
    append(out_, v);
    return *this;
  }
  Writer& zeros(std::size_t n) {
    out_.resize(out_.size() + n);
    return *this;
  }
  std::size_t size() const { return out_.size(); }
  ByteView written() const { return out_; }
  Bytes take() { return std::move(out_); }

 private:
  Writer& uint(std::uint64_t v, int n) {
    for (int i = n - 1; i >= 0; --i) out_.push_back(static_cast<std::uint8_t>(v >> (8 * i)));
    return *this;
  }

  Bytes out_;
};

}  // namespace linnet
