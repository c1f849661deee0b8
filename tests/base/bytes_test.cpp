#include "base/bytes.h"

#include <gtest/gtest.h>

#include "base/rng.h"

namespace linnet {
namespace {

TEST(Hex, ReadsBothCasesAndWritesLower) {
  EXPECT_EQ(to_hex(Bytes{0x00, 0xab, 0xff}), "00abff");
  EXPECT_EQ(from_hex("00ABff"), (Bytes{0x00, 0xab, 0xff}));
  EXPECT_EQ(from_hex(""), Bytes{});
  EXPECT_FALSE(from_hex("abc"));
  EXPECT_FALSE(from_hex("0g"));
  EXPECT_FALSE(from_hex(" 0"));
}

TEST(Base32, WritesTheVectorsOfRfc4648InLowerCase) {
  const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                         {"f", "my"},
                                                         {"fo", "mzxq"},
                                                         {"foo", "mzxw6"},
                                                         {"foob", "mzxw6yq"},
                                                         {"fooba", "mzxw6ytb"},
                                                         {"foobar", "mzxw6ytboi"}};
  for (const auto& [plain, encoded] : vectors) {
    EXPECT_EQ(to_base32(view(plain)), encoded);
    EXPECT_EQ(from_base32(encoded), copy(view(plain)));
  }
}

TEST(Base32, OfThirtyTwoBytesIsFiftyTwoCharacters) { EXPECT_EQ(to_base32(Bytes(32, 0xff)).size(), 52U); }

TEST(Base32, BringsBackEveryValueAndGivesItOneSpelling) {
  SeededRng rng(1);
  for (std::size_t size = 0; size <= 64; ++size) {
    Bytes bytes(size);
    rng.fill(bytes);
    const auto text = to_base32(bytes);
    ASSERT_EQ(from_base32(text), bytes);
    // Whatever else decodes, decodes to something else.
    for (std::size_t i = 0; i < text.size(); ++i) {
      for (const char c : std::string_view("abcdefghijklmnopqrstuvwxyz234567")) {
        auto other = text;
        other[i] = c;
        const auto decoded = from_base32(other);
        ASSERT_TRUE(other == text || !decoded || *decoded != bytes);
      }
    }
  }
}

TEST(Base32, RefusesOtherCharactersAndLengthsNobodyWrites) {
  for (const auto* bad : {"a", "abc", "abcdef", "m1", "m0", "my======", "m y", "mz"})
    EXPECT_FALSE(from_base32(bad)) << bad;
}

TEST(Reader, ReadsBigEndianFields) {
  const Bytes bytes = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17};
  Reader in(bytes);
  EXPECT_EQ(in.u8(), 0x01);
  EXPECT_EQ(in.u16(), 0x0203);
  EXPECT_EQ(in.u32(), 0x04050607U);
  EXPECT_EQ(in.u64(), 0x08090a0b0c0d0e0fU);
  EXPECT_EQ(in.array<1>()[0], 16);
  EXPECT_FALSE(in.done());
  EXPECT_EQ(in.rest().size(), 1U);
  EXPECT_TRUE(in.done());
}

TEST(Reader, FailsForGoodOnceItRanOut) {
  const Bytes bytes = {1, 2, 3};
  Reader in(bytes);
  EXPECT_EQ(in.u32(), 0U);
  EXPECT_FALSE(in.ok());
  EXPECT_EQ(in.u8(), 0) << "the bytes are there, but what they mean is lost";
  EXPECT_TRUE(in.rest().empty());
  EXPECT_FALSE(in.done());
}

TEST(Reader, RefusesALengthThatWouldWrap) {
  const Bytes bytes = {1, 2, 3};
  Reader in(bytes);
  EXPECT_TRUE(in.bytes(static_cast<std::size_t>(-1)).empty());
  EXPECT_FALSE(in.ok());
}

TEST(Writer, WritesWhatTheReaderReads) {
  SeededRng rng(2);
  for (int round = 0; round < 200; ++round) {
    const auto a = static_cast<std::uint8_t>(rng.u64());
    const auto b = static_cast<std::uint16_t>(rng.u64());
    const auto c = rng.u32();
    const auto d = rng.u64();
    const auto tail = rng.array<9>();
    auto bytes = Writer().u8(a).u16(b).u32(c).u64(d).zeros(3).bytes(tail).take();
    ASSERT_EQ(bytes.size(), 1U + 2 + 4 + 8 + 3 + 9);
    Reader in(bytes);
    EXPECT_EQ(in.u8(), a);
    EXPECT_EQ(in.u16(), b);
    EXPECT_EQ(in.u32(), c);
    EXPECT_EQ(in.u64(), d);
    EXPECT_EQ(in.array<3>(), ByteArray<3>{});
    EXPECT_EQ(in.array<9>(), tail);
    EXPECT_TRUE(in.done());
  }
}

TEST(Fault, HasATextOfItsOwn) {
  for (int i = 0; i <= static_cast<int>(Fault::io); ++i) {
    EXPECT_NE(to_string(static_cast<Fault>(i)), "unknown") << i;
    for (int j = 0; j < i; ++j) EXPECT_NE(to_string(static_cast<Fault>(i)), to_string(static_cast<Fault>(j)));
  }
}

}  // namespace
}  // namespace linnet
