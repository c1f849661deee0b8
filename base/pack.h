// msgpack with limits. Writing uses msgpack-c's packer; reading goes through its visitor, which need not throw.
// Limits on every unpack (protocol.md section 2): array 1,024, map 256, str/bin 64 KiB, ext 0, depth 16.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace linnet::pack {

inline constexpr std::size_t kMaxArray = 1024;
inline constexpr std::size_t kMaxMap = 256;
inline constexpr std::size_t kMaxBlob = 64 * 1024;
inline constexpr std::size_t kMaxDepth = 16;
inline constexpr std::size_t kMaxNodes = 4096;  // all values of one message together

// A value that was read. Asking for another kind than it holds gives the stated nothing, never an exception,
// so a parser may ask for all its fields and check once.
class Value {
 public:
  using Array = std::vector<Value>;
  // Our messages are maps from small unsigned integers; other keys are refused.
  using Map = std::map<std::uint64_t, Value>;

  Value() = default;
  explicit Value(bool v) : v_(v) {}
  explicit Value(std::uint64_t v) : v_(v) {}
  explicit Value(std::int64_t v) : v_(v) {}
  explicit Value(std::string v) : v_(std::move(v)) {}
  explicit Value(Bytes v) : v_(std::move(v)) {}
  explicit Value(Array v) : v_(std::move(v)) {}
  explicit Value(Map v) : v_(std::move(v)) {}

  const std::uint64_t* uint() const { return std::get_if<std::uint64_t>(&v_); }
  const std::int64_t* negative() const { return std::get_if<std::int64_t>(&v_); }
  const bool* boolean() const { return std::get_if<bool>(&v_); }
  const std::string* str() const { return std::get_if<std::string>(&v_); }
  const Bytes* bin() const { return std::get_if<Bytes>(&v_); }
  const Array* array() const { return std::get_if<Array>(&v_); }
  const Map* map() const { return std::get_if<Map>(&v_); }

  // Field of a map, or null: also when this is no map.
  const Value* field(std::uint64_t key) const;
  // Shorthands for optional fields of a map: the fallback stands for absent or of another kind.
  std::uint64_t uint_at(std::uint64_t key, std::uint64_t fallback = 0) const;
  ByteView bin_at(std::uint64_t key) const;
  std::string_view str_at(std::uint64_t key) const;
  const Array& array_at(std::uint64_t key) const;
  // A bin field of exactly N bytes.
  template <std::size_t N>
  std::optional<ByteArray<N>> array_bin_at(std::uint64_t key) const {
    const auto b = bin_at(key);
    if (b.size() != N) return std::nullopt;
    ByteArray<N> out;
    std::memcpy(out.data(), b.data(), N);
    return out;
  }

 private:
  std::variant<std::monostate, bool, std::uint64_t, std::int64_t, std::string, Bytes, Array, Map> v_;
};

// The whole of `bytes` is one value; trailing bytes, duplicate keys and anything over a limit are faults.
Result<Value> read(ByteView bytes);

// Writes msgpack into a byte string. The caller says how many elements follow, as msgpack does.
class Packer {
 public:
  Packer() = default;
  explicit Packer(std::size_t reserve) { out_.reserve(reserve); }

  Packer& map(std::size_t fields);
  Packer& array(std::size_t elements);
  Packer& key(std::uint64_t k) { return uint(k); }
  Packer& uint(std::uint64_t v);
  Packer& integer(std::int64_t v);
  Packer& boolean(bool v);
  Packer& bin(ByteView v);
  Packer& str(std::string_view v);
  Packer& nil();
  Bytes take() { return std::move(out_); }
  std::size_t size() const { return out_.size(); }

 private:
  Bytes out_;
};

// The bytes of a number.
constexpr std::size_t uint_size(std::uint64_t v) {
  return v < 128 ? 1 : v < 256 ? 2 : v < 65'536 ? 3 : v <= 0xffffffffU ? 5 : 9;
}

}  // namespace linnet::pack
