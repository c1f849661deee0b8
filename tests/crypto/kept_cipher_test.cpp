// Published vectors, and what a kept key must not keep from one packet to the next.
#include "crypto/kept_cipher.h"

#include <gtest/gtest.h>

#include "crypto/digest.h"

namespace linnet::crypto {
namespace {

using Mode = KeptAes::Mode;
using Way = KeptAes::Way;

// Test case 16 of the GCM specification (McGrew and Viega).
class GcmOfTheSpecification : public testing::Test {
 protected:
  KeptAes aes =
      *KeptAes::make(Mode::gcm, *from_hex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"));
  const Bytes nonce = *from_hex("cafebabefacedbaddecaf888");
  const Bytes ad = *from_hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
  const Bytes text = *from_hex(
      "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657"
      "ba637b39");
  const Bytes sealed = *from_hex(
      "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0a"
      "bcc9f662");
  const Bytes tag = *from_hex("76fc6ece0f4e1768cddf8853bb2d551b");

  bool open(Bytes& bytes, ByteView with) {
    return aes.begin(nonce, Way::open) && aes.authenticate(ad) && aes.apply(bytes) && aes.check(with);
  }
  void expect_sealed_rightly() {
    Bytes bytes = text, made(16);
    ASSERT_TRUE(aes.begin(nonce, Way::seal) && aes.authenticate(ad) && aes.apply(bytes) && aes.tag(made));
    EXPECT_EQ(to_hex(bytes), to_hex(sealed));
    EXPECT_EQ(to_hex(made), to_hex(tag));
  }
};

TEST_F(GcmOfTheSpecification, IsSealed) { expect_sealed_rightly(); }

TEST_F(GcmOfTheSpecification, IsOpened) {
  Bytes bytes = sealed;
  EXPECT_TRUE(open(bytes, tag));
  EXPECT_EQ(to_hex(bytes), to_hex(text));
}

TEST_F(GcmOfTheSpecification, IsSealedInParts) {
  Bytes bytes = text, made(16);
  ASSERT_TRUE(aes.begin(nonce, Way::seal));
  ASSERT_TRUE(aes.authenticate(ByteView(ad).first(3)) && aes.authenticate(ByteView(ad).subspan(3)));
  ASSERT_TRUE(aes.apply(MutableBytes(bytes).first(7)) && aes.apply(MutableBytes(bytes).subspan(7)));
  ASSERT_TRUE(aes.tag(made));
  EXPECT_EQ(to_hex(bytes), to_hex(sealed));
  EXPECT_EQ(to_hex(made), to_hex(tag));
}

TEST_F(GcmOfTheSpecification, IsRefusedWithAnyBitOfItsTagChanged) {
  for (std::size_t bit = 0; bit < tag.size() * 8; ++bit) {
    Bytes bytes = sealed, bad = tag;
    bad[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    EXPECT_FALSE(open(bytes, bad)) << bit;
  }
  Bytes bytes = sealed;
  EXPECT_TRUE(open(bytes, tag)) << "a forgery must not spoil the key for what is authentic";
}

TEST_F(GcmOfTheSpecification, APacketThatWasBrokenOffLeavesNothingBehind) {
  Bytes other(40, 0x55);
  ASSERT_TRUE(aes.begin(Bytes(12, 1), Way::open) && aes.authenticate(other) && aes.apply(other));
  expect_sealed_rightly();
  ASSERT_TRUE(aes.begin(Bytes(12, 2), Way::seal) && aes.authenticate(other));
  Bytes bytes = sealed;
  EXPECT_TRUE(open(bytes, tag));
}

TEST(KeptAes, AnEmptyTextHasATagToo) {
  // Test case 13: no text, no additional data.
  auto aes = *KeptAes::make(Mode::gcm, Bytes(32));
  Bytes made(16);
  ASSERT_TRUE(aes.begin(Bytes(12), Way::seal) && aes.tag(made));
  EXPECT_EQ(to_hex(made), "530f8afbc74536b9a963b4f1c4cb738b");
  ASSERT_TRUE(aes.begin(Bytes(12), Way::open));
  EXPECT_TRUE(aes.check(made));
}

TEST(KeptAes, CounterModeOfSp80038a) {
  // Section F.5.1.
  auto aes = *KeptAes::make(Mode::counter, *from_hex("2b7e151628aed2a6abf7158809cf4f3c"));
  const Bytes counter = *from_hex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
  for (int time = 0; time < 2; ++time) {
    Bytes bytes = *from_hex("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51");
    ASSERT_TRUE(aes.begin(counter, Way::seal) && aes.apply(bytes));
    EXPECT_EQ(to_hex(bytes), "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff");
  }
  EXPECT_FALSE(aes.authenticate(counter)) << "counter mode authenticates nothing";
}

TEST(KeptAes, KeysAndNoncesOfOtherLengthsAreRefused) {
  for (const std::size_t size : {0, 15, 17, 24, 31, 33, 44}) {
    EXPECT_FALSE(KeptAes::make(Mode::gcm, Bytes(size))) << size;
    EXPECT_FALSE(KeptAes::make(Mode::counter, Bytes(size))) << size;
  }
  auto aes = *KeptAes::make(Mode::gcm, Bytes(32));
  EXPECT_FALSE(aes.begin(Bytes(16), Way::seal));
  EXPECT_FALSE(aes.begin(Bytes(11), Way::seal));
}

TEST(KeptHmacSha1, IsThatOfDigestForEachMessageAnew) {
  for (const std::size_t size : {0, 20, 80}) {
    const Bytes key(size, 0xaa);
    auto mac = *KeptHmacSha1::make(key);
    for (const auto* message : {"Test Using Larger Than Block-Size Key - Hash Key First", "", "Hi There"}) {
      ByteArray<20> made{};
      ASSERT_TRUE(mac.begin() && mac.add(view(message)) && mac.tag(made));
      EXPECT_EQ(to_hex(made), to_hex(hmac_sha1(key, {view(message)}))) << size << message;
    }
  }
}

TEST(KeptHmacSha1, AMessageThatWasBrokenOffLeavesNothingBehind) {
  auto mac = *KeptHmacSha1::make(Bytes(20, 0x0b));
  ASSERT_TRUE(mac.begin() && mac.add(view("of another")));
  ByteArray<20> made{};
  ASSERT_TRUE(mac.begin() && mac.add(view("Hi There")) && mac.tag(made));
  EXPECT_EQ(to_hex(made), "b617318655057264e28bc0b6fb378c8ef146be00") << "RFC 2202, case 1";
}

TEST(KeptHmacSha1, IsCutToWhatIsAskedFor) {
  auto mac = *KeptHmacSha1::make(Bytes(20, 0x0b));
  Bytes made(10);
  ASSERT_TRUE(mac.begin() && mac.add(view("Hi ")) && mac.add(view("There")) && mac.tag(made));
  EXPECT_EQ(to_hex(made), "b617318655057264e28b") << "RFC 2202, case 1";
  Bytes longer(21);
  ASSERT_TRUE(mac.begin());
  EXPECT_FALSE(mac.tag(longer));
}

}  // namespace
}  // namespace linnet::crypto
