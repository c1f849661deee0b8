// Stand-ins for the simulator: a fast mixing hash in place of every primitive but long-lived pairs and hash256. Sizes
// and decisions are those of the shipped suite: what was altered is refused, what is degenerate is refused. None of it
// is secret.
#include <algorithm>
#include <cassert>

#include "crypto/suite.h"

namespace linnet::crypto {
namespace {

__extension__ typedef unsigned __int128 Wide;

constexpr std::uint64_t kOdd1 = 0x9e3779b97f4a7c15U;
constexpr std::uint64_t kOdd2 = 0xd6e8feb86659fd93U;
constexpr std::uint64_t kOdd3 = 0xa0761d6478bd642fU;

// Both halves of the product, folded: every bit of a word reaches every bit of the result.
std::uint64_t fold(std::uint64_t a, std::uint64_t b) {
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

// Absorbs bytes as one string, however they are cut into parts; then gives as many bytes as asked.
class Mixer {
 public:
  explicit Mixer(std::uint64_t purpose) : a_(purpose * kOdd1 + 1), b_(purpose ^ kOdd2) {}

  Mixer& bytes(ByteView in) {
    if (in.empty()) return *this;
    length_ += in.size();
    if (held_ > 0) {
      const auto take = std::min(kBlock - held_, in.size());
      hold(in.first(take));
      in = in.subspan(take);
      if (held_ < kBlock) return *this;
      absorb(block_.data());
      held_ = 0;
    }
    for (; in.size() >= kBlock; in = in.subspan(kBlock)) absorb(in.data());
    hold(in);
    return *this;
  }

  // A whole field that may be long, as a datagram is: four lanes that do not wait for one another take it in first.
  Mixer& long_text(ByteView text) {
    if (text.size() < 2 * kStripe) return bytes(text);
    std::uint64_t w = kOdd1;
    std::uint64_t x = kOdd2;
    std::uint64_t y = kOdd3;
    std::uint64_t z = text.size();
    for (; text.size() >= kStripe; text = text.subspan(kStripe)) {
      const auto* at = text.data();
      w = fold(w ^ word(at), kOdd3 ^ word(at + 8));
      x = fold(x ^ word(at + 16), kOdd1 ^ word(at + 24));
      y = fold(y ^ word(at + 32), kOdd2 ^ word(at + 40));
      z = fold(z ^ word(at + 48), (kOdd1 ^ kOdd2) ^ word(at + 56));
    }
    absorb(w, x);
    absorb(y, z);
    return bytes(text);
  }

  // Ends a field: what follows cannot be taken for a part of it.
  Mixer& end() {
    std::fill(block_.begin() + static_cast<std::ptrdiff_t>(held_), block_.end(), std::uint8_t{0});
    absorb(block_.data());
    absorb(length_, kOdd3);
    held_ = 0;
    length_ = 0;
    return *this;
  }

  void give(MutableBytes out) {
    end();
    std::uint64_t n = 0;
    while (!out.empty()) {
      ++n;
      const std::uint64_t w = fold(a_ ^ (n * kOdd3), b_ + (n * kOdd1));
      const auto take = std::min<std::size_t>(8, out.size());
      std::memcpy(out.data(), &w, take);
      out = out.subspan(take);
    }
  }

  template <std::size_t N>
  ByteArray<N> take() {
    ByteArray<N> out;
    give(out);
    return out;
  }

 private:
  static constexpr std::size_t kBlock = 16;
  static constexpr std::size_t kStripe = 64;

  static std::uint64_t word(const std::uint8_t* at) {
    std::uint64_t out;
    std::memcpy(&out, at, sizeof out);
    return out;
  }

  void hold(ByteView in) {
    if (!in.empty()) std::memcpy(block_.data() + held_, in.data(), in.size());
    held_ += in.size();
  }

  void absorb(const std::uint8_t* block) { absorb(word(block), word(block + 8)); }

  void absorb(std::uint64_t v, std::uint64_t w) {
    a_ = fold(a_ ^ v, kOdd1 ^ w) + b_;
    b_ = ((b_ ^ w) * kOdd2) + a_;
  }

  std::uint64_t a_;
  std::uint64_t b_;
  std::uint64_t length_ = 0;
  std::size_t held_ = 0;
  ByteArray<kBlock> block_{};
};

// One purpose, one hash.
enum Purpose : std::uint64_t { kEphemeral = 1, kSign, kDh, kSeal, kHash, kHkdf, kMac };

ByteArray<8> little(std::uint64_t v) {
  ByteArray<8> out;
  std::memcpy(out.data(), &v, 8);
  return out;
}

// X25519 ignores the highest bit of a public key.
ByteArray<32> canonical(const SessionKey& key) {
  auto out = key.bytes;
  out[31] &= 0x7f;
  return out;
}

// The points 0 and 1. The other low-order points are refused by the shipped suite alone: nobody meets them by chance.
bool low_order(const ByteArray<32>& point) {
  return point[0] <= 1 && std::all_of(point.begin() + 1, point.end(), [](auto b) { return b == 0; });
}

class TypedSuite final : public Suite {
 public:
  DhPair ephemeral_pair(const Secret& seed) const override {
    DhPair out;
    out.secret = seed;
    out.public_key.bytes = Mixer(kEphemeral).bytes(seed.bytes()).take<32>();
    out.public_key.bytes[31] &= 0x7f;
    return out;
  }

  Signature sign(const SigningPair& pair, ByteView message) const override {
    return signature(pair.public_key, message);
  }

  bool verify(ByteView public_key, ByteView message, const Signature& given) const override {
    return public_key.size() == 32 && signature(public_key, message) == given;
  }

  Result<Secret> dh(const DhPair& mine, const SessionKey& theirs) const override {
    auto low = canonical(mine.public_key);
    auto high = canonical(theirs);
    if (low_order(high)) return fail(Fault::bad_key);
    if (high < low) std::swap(low, high);
    return Secret(Mixer(kDh).bytes(low).bytes(high).take<32>());
  }

  Mac seal_in_place(const Secret& key, std::uint64_t nonce, ByteView ad, MutableBytes text) const override {
    return tag(key, nonce, ad, text);
  }

  Result<MutableBytes> open_in_place(const Secret& key, std::uint64_t nonce, ByteView ad,
                                     MutableBytes sealed) const override {
    if (sealed.size() < kTagBytes) return fail(Fault::truncated);
    const auto text = sealed.first(sealed.size() - kTagBytes);
    if (!equal(tag(key, nonce, ad, text), sealed.last(kTagBytes))) return fail(Fault::bad_mac);
    return text;
  }

  Hash512 hash512(std::initializer_list<ByteView> parts) const override {
    Mixer mixer(kHash);
    for (const auto part : parts) mixer.bytes(part);
    return mixer.take<64>();
  }

  void hkdf(ByteView chaining_key, ByteView input, std::span<Hash512> outputs) const override {
    Mixer mixer(kHkdf);
    mixer.bytes(chaining_key).end().bytes(input);
    ByteArray<3 * 64> stream;
    assert(outputs.size() <= 3);
    mixer.give(stream);
    for (std::size_t i = 0; i < outputs.size(); ++i) std::copy_n(stream.begin() + 64 * i, 64, outputs[i].begin());
  }

  Mac mac(ByteView key, std::initializer_list<ByteView> parts) const override {
    Mixer mixer(kMac);
    mixer.bytes(key).end();
    if (parts.size() == 1) return mixer.long_text(*parts.begin()).take<16>();
    Bytes whole;
    for (const auto part : parts) append(whole, part);
    return mixer.long_text(whole).take<16>();
  }

 private:
  static Signature signature(ByteView public_key, ByteView message) {
    return Mixer(kSign).bytes(public_key).bytes(message).take<64>();
  }
  static Mac tag(const Secret& key, std::uint64_t nonce, ByteView ad, ByteView text) {
    return Mixer(kSeal).bytes(key.bytes()).bytes(little(nonce)).bytes(ad).end().bytes(text).take<16>();
  }
};

}  // namespace

const Suite& typed_suite() {
  static const TypedSuite suite;
  return suite;
}

}  // namespace linnet::crypto
