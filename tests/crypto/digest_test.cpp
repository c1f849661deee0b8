// Published vectors of the digests that other protocols ask for.
#include "crypto/digest.h"

#include <gtest/gtest.h>

namespace linnet::crypto {
namespace {

TEST(Digest, Md5OfRfc1321) {
  EXPECT_EQ(to_hex(*md5({})), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(to_hex(*md5({view("message"), view(" digest")})), "f96b697d7cb7938d525a2f31aaf161d0");
}

TEST(Digest, Sha256OfFips180) {
  EXPECT_EQ(to_hex(sha256({view("a"), view("bc")})),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Digest, HmacSha1OfRfc2202) {
  EXPECT_EQ(to_hex(hmac_sha1(Bytes(20, 0x0b), {view("Hi "), view("There")})),
            "b617318655057264e28bc0b6fb378c8ef146be00");
  EXPECT_EQ(to_hex(hmac_sha1(view("Jefe"), {view("what do ya want for nothing?")})),
            "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
  // A key longer than the block is hashed first.
  EXPECT_EQ(to_hex(hmac_sha1(Bytes(80, 0xaa), {view("Test Using Larger Than Block-Size Key - Hash Key First")})),
            "aa4ae5e15272d00e95705637ce8a3b55ed402112");
  EXPECT_EQ(to_hex(hmac_sha1({}, {})), "fbdb1d1b18aa6c08324b7d64b71fb76370690e1d") << "no key and no message";
}

TEST(Digest, HmacSha256OfRfc4231) {
  EXPECT_EQ(to_hex(hmac_sha256(view("Jefe"), {view("what do ya want "), view("for nothing?")})),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(to_hex(hmac_sha256(Bytes(131, 0xaa), {view("Test Using Larger Than Block-Size Key - Hash Key First")})),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

}  // namespace
}  // namespace linnet::crypto
