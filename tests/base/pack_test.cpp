#include "base/pack.h"

#include <gtest/gtest.h>

#include "base/rng.h"

namespace linnet::pack {
namespace {

std::string fault(const Bytes& bytes) {
  const auto v = read(bytes);
  return v ? std::string("read") : std::string(to_string(v.error()));
}

Bytes repeat(std::uint8_t byte, std::size_t n) { return Bytes(n, byte); }

TEST(Pack, ReadsWhatItWrote) {
  Packer p;
  p.map(5).key(1).uint(7).key(2).bin(view("bytes")).key(3).str("text").key(4).array(3).integer(-1).boolean(true).nil();
  p.key(300).integer(12);
  const auto v = read(p.take()).value();
  EXPECT_EQ(v.uint_at(1), 7U);
  EXPECT_EQ(text(v.bin_at(2)), "bytes");
  EXPECT_EQ(v.str_at(3), "text");
  ASSERT_EQ(v.array_at(4).size(), 3U);
  EXPECT_EQ(*v.array_at(4)[0].negative(), -1);
  EXPECT_TRUE(*v.array_at(4)[1].boolean());
  EXPECT_EQ(v.uint_at(300), 12U);
}

TEST(Pack, ReadsANumberHoweverItIsSpelled) {
  const Bytes spellings[] = {{32}, {0xcc, 32}, {0xcd, 0, 32}, {0xd0, 32}, {0xd1, 0, 32}, {0xd2, 0, 0, 0, 32}};
  for (const auto& spelling : spellings) {
    const auto value = read(spelling);
    ASSERT_TRUE(value && value->uint()) << to_hex(spelling);
    EXPECT_EQ(*value->uint(), 32U);
  }
  const auto below = read(Bytes{0xd1, 0xff, 0xff});
  ASSERT_TRUE(below && below->negative());
  EXPECT_EQ(*below->negative(), -1);
  EXPECT_EQ(below->uint(), nullptr);
}

TEST(Pack, GivesTheFallbackForAFieldThatIsAbsentOrOfAnotherKind) {
  const auto v = read(Packer().map(1).key(1).str("x").take()).value();
  EXPECT_EQ(v.uint_at(1, 9), 9U);
  EXPECT_EQ(v.uint_at(2, 9), 9U);
  EXPECT_TRUE(v.bin_at(1).empty());
  EXPECT_TRUE(v.str_at(2).empty());
  EXPECT_TRUE(v.array_at(1).empty());
  EXPECT_FALSE(v.array_bin_at<4>(1));
  EXPECT_EQ(v.field(1)->field(1), nullptr) << "no map has no fields";
}

TEST(Pack, ABinFieldOfFixedLengthHasThatLength) {
  const auto v = read(Packer().map(1).key(1).bin(view("1234")).take()).value();
  EXPECT_TRUE(v.array_bin_at<4>(1));
  EXPECT_FALSE(v.array_bin_at<3>(1));
  EXPECT_FALSE(v.array_bin_at<5>(1));
}

TEST(Pack, RefusesBombs) {
  EXPECT_NE(fault({0xdd, 0xff, 0xff, 0xff, 0xff}), "read");
  EXPECT_EQ(fault({0xdd, 0xff, 0xff, 0xff, 0xff}), "too big");
  EXPECT_EQ(fault({0xdf, 0xff, 0xff, 0xff, 0xff}), "too big");
  EXPECT_NE(fault({0xdb, 0xff, 0xff, 0xff, 0xff}), "read");
  EXPECT_NE(fault({0xc6, 0xff, 0xff, 0xff, 0xff}), "read");
  EXPECT_EQ(fault(repeat(0x91, 1 << 20)), "too big");
  EXPECT_EQ(fault(repeat(0x81, 1 << 20)), "malformed") << "a map as a key";
}

TEST(Pack, RefusesWideAndNestedArraysByTheirSumToo) {
  // Ten arrays of a thousand: each within its own limit, together over kMaxNodes.
  Packer p;
  p.array(10);
  for (int i = 0; i < 10; ++i) {
    p.array(1000);
    for (int j = 0; j < 1000; ++j) p.nil();
  }
  EXPECT_EQ(fault(p.take()), "too big");
}

TEST(Pack, HoldsEachLimitExactly) {
  const auto array = [](std::size_t n) {
    Packer p;
    p.array(n);
    for (std::size_t i = 0; i < n; ++i) p.nil();
    return p.take();
  };
  EXPECT_EQ(fault(array(kMaxArray)), "read");
  EXPECT_EQ(fault(array(kMaxArray + 1)), "too big");

  const auto map = [](std::size_t n) {
    Packer p;
    p.map(n);
    for (std::size_t i = 0; i < n; ++i) p.key(i).nil();
    return p.take();
  };
  EXPECT_EQ(fault(map(kMaxMap)), "read");
  EXPECT_EQ(fault(map(kMaxMap + 1)), "too big");

  EXPECT_EQ(fault(Packer().bin(Bytes(kMaxBlob)).take()), "read");
  EXPECT_EQ(fault(Packer().bin(Bytes(kMaxBlob + 1)).take()), "too big");
  EXPECT_EQ(fault(Packer().str(std::string(kMaxBlob, 'x')).take()), "read");
  EXPECT_EQ(fault(Packer().str(std::string(kMaxBlob + 1, 'x')).take()), "too big");

  const auto deep = [](std::size_t n) {
    auto bytes = repeat(0x91, n);
    bytes.push_back(0xc0);
    return bytes;
  };
  EXPECT_EQ(fault(deep(kMaxDepth)), "read");
  EXPECT_EQ(fault(deep(kMaxDepth + 1)), "too big");

  // An outer array, eight with their nils, and what is wanted of the ninth: all of them count.
  const auto values = [](std::size_t n) {
    constexpr std::size_t kEach = 500;
    Packer p;
    p.array(9);
    for (int i = 0; i < 8; ++i) {
      p.array(kEach - 1);
      for (std::size_t j = 0; j < kEach - 1; ++j) p.nil();
    }
    const auto left = n - 8 * kEach - 2;
    p.array(left);
    for (std::size_t j = 0; j < left; ++j) p.nil();
    return p.take();
  };
  EXPECT_EQ(fault(values(kMaxNodes)), "read");
  EXPECT_EQ(fault(values(kMaxNodes + 1)), "too big");
}

TEST(Pack, RefusesKindsWeNeverSend) {
  EXPECT_EQ(fault({0xca, 0, 0, 0, 0}), "unsupported");              // float 32
  EXPECT_EQ(fault({0xcb, 0, 0, 0, 0, 0, 0, 0, 0}), "unsupported");  // float 64
  EXPECT_EQ(fault({0xd4, 1, 0}), "unsupported");                    // fixext 1
  EXPECT_EQ(fault({0xc7, 0, 1}), "unsupported");                    // ext 8, empty
  EXPECT_EQ(fault({0xd6, 0xff, 0, 0, 0, 0}), "unsupported");        // timestamp
  EXPECT_NE(fault({0xc1}), "read");                                 // never used
}

TEST(Pack, RefusesKeysThatAreNotNumbersAndKeysTwice) {
  EXPECT_EQ(fault({0x81, 0xa1, 'a', 0x01}), "malformed");
  EXPECT_EQ(fault({0x81, 0xff, 0x01}), "malformed");
  EXPECT_EQ(fault({0x81, 0xc0, 0x01}), "malformed");
  EXPECT_EQ(fault({0x82, 0x01, 0x01, 0x01, 0x02}), "malformed");
  EXPECT_EQ(fault({0x82, 0x01, 0x01, 0xcc, 0x01, 0x02}), "malformed") << "the same key in another spelling";
  EXPECT_EQ(fault({0x81, 0x91, 0x01, 0x01}), "malformed");
}

TEST(Pack, RefusesEveryTruncationAndWhatFollows) {
  Packer p;
  p.map(3).key(1).bin(view("some bytes")).key(2).array(2).uint(70000).str("s").key(3).integer(-70000);
  const auto bytes = p.take();
  ASSERT_EQ(fault(bytes), "read");
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    EXPECT_NE(fault(Bytes(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n))), "read") << n;
  }
  auto longer = bytes;
  longer.push_back(0xc0);
  EXPECT_EQ(fault(longer), "malformed");
}

TEST(Pack, SurvivesEveryBitFlipAndNoise) {
  SeededRng rng(9);
  Packer p;
  p.map(2).key(1).array(2).uint(1).bin(view("abc")).key(2).str("xyz");
  const auto bytes = p.take();
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    auto bad = bytes;
    bad[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    (void)read(bad);
  }
  int accepted = 0;
  for (int i = 0; i < 100'000; ++i) {
    Bytes noise(1 + rng.below(40));
    rng.fill(noise);
    accepted += read(noise) ? 1 : 0;
  }
  EXPECT_GT(accepted, 100);
  EXPECT_LT(accepted, 50'000);
}

// A random value within the limits, written and remembered as text.
std::string describe(const Value& v) {
  if (const auto* u = v.uint()) return "u" + std::to_string(*u);
  if (const auto* n = v.negative()) return "n" + std::to_string(*n);
  if (const auto* b = v.boolean()) return *b ? "t" : "f";
  if (const auto* s = v.str()) return "s" + to_hex(view(*s));
  if (const auto* b = v.bin()) return "b" + to_hex(*b);
  std::string out;
  if (const auto* a = v.array()) {
    for (const auto& e : *a) out += describe(e) + ",";
    return "[" + out + "]";
  }
  if (const auto* m = v.map()) {
    for (const auto& [key, value] : *m) out += std::to_string(key) + ":" + describe(value) + ",";
    return "{" + out + "}";
  }
  return "nil";
}

std::string write_any(SeededRng& rng, Packer& p, int depth) {
  Bytes blob(rng.below(40));
  rng.fill(blob);
  switch (rng.below(depth > 0 ? 8 : 6)) {
    case 0: p.nil(); return "nil";
    case 1: p.boolean(true); return "t";
    case 2: {
      const auto v = rng.u64() >> rng.below(64);
      p.uint(v);
      return "u" + std::to_string(v);
    }
    case 3: {
      const auto v = -1 - static_cast<std::int64_t>(rng.u64() >> (1 + rng.below(63)));
      p.integer(v);
      return "n" + std::to_string(v);
    }
    case 4: p.bin(blob); return "b" + to_hex(blob);
    case 5: p.str(text(blob)); return "s" + to_hex(blob);
    case 6: {
      const auto n = rng.below(5);
      p.array(n);
      std::string out;
      for (std::uint64_t i = 0; i < n; ++i) out += write_any(rng, p, depth - 1) + ",";
      return "[" + out + "]";
    }
    default: {
      const auto n = rng.below(5);
      p.map(n);
      std::string out;
      for (std::uint64_t i = 0; i < n; ++i) {
        p.key(i * 1000);
        out += std::to_string(i * 1000) + ":";
        out += write_any(rng, p, depth - 1) + ",";
      }
      return "{" + out + "}";
    }
  }
}

TEST(Pack, BringsBackAnyValueWithinTheLimits) {
  SeededRng rng(10);
  for (int i = 0; i < 5000; ++i) {
    Packer p;
    const auto expected = write_any(rng, p, 5);
    const auto v = read(p.take());
    ASSERT_TRUE(v) << expected;
    ASSERT_EQ(describe(*v), expected);
  }
}

}  // namespace
}  // namespace linnet::pack
