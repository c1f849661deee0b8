#include "crypto/suite.h"

#include <gtest/gtest.h>

#include <set>

#include "each_suite.h"
#include "test_data.h"

namespace linnet::crypto {
namespace {

class EitherSuite : public EachSuite {};

LINNET_EACH_SUITE(EitherSuite);

TEST_P(EitherSuite, BothEndsOfADhAgreeWhateverKindTheirKeysAre) {
  for (int i = 0; i < 20; ++i) {
    const auto s = suite().static_pair(Secret(rng_.array<32>()));
    const auto e = suite().ephemeral_pair(Secret(rng_.array<32>()));
    const auto other = suite().ephemeral_pair(Secret(rng_.array<32>()));
    EXPECT_EQ(suite().dh(s, e.public_key)->bytes(), suite().dh(e, s.public_key)->bytes());
    EXPECT_EQ(suite().dh(other, e.public_key)->bytes(), suite().dh(e, other.public_key)->bytes());
    EXPECT_NE(suite().dh(s, e.public_key)->bytes(), suite().dh(s, other.public_key)->bytes());
  }
}

TEST_P(EitherSuite, IgnoresTheHighestBitOfAPublicKeyAsX25519Does) {
  const auto a = suite().ephemeral_pair(secret(1));
  const auto b = suite().ephemeral_pair(secret(2));
  auto flipped = b.public_key;
  flipped.bytes[31] ^= 0x80;
  EXPECT_EQ(suite().dh(a, b.public_key)->bytes(), suite().dh(a, flipped)->bytes());
}

TEST_P(EitherSuite, RefusesTheDegeneratePublicKeys) {
  const auto mine = suite().ephemeral_pair(secret(1));
  SessionKey one;
  one.bytes[0] = 1;
  EXPECT_EQ(suite().dh(mine, SessionKey{}).error(), Fault::bad_key);
  EXPECT_EQ(suite().dh(mine, one).error(), Fault::bad_key);
}

TEST(ShippedSuite, RefusesEveryLowOrderPoint) {
  // Order 8 and their twins, and the non-canonical spellings of 0 and 1 (RFC 7748, section 6.1; cr.yp.to/ecdh.html).
  for (const auto* point : {"0000000000000000000000000000000000000000000000000000000000000000",
                            "0100000000000000000000000000000000000000000000000000000000000000",
                            "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
                            "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
                            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                            "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                            "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"}) {
    const SessionKey theirs{fixed<32>(*from_hex(point))};
    EXPECT_EQ(shipped_suite().dh(shipped_suite().static_pair(secret(7)), theirs).error(), Fault::bad_key) << point;
  }
}

TEST_P(EitherSuite, OpensWhatItSealed) {
  for (std::size_t size : {0U, 1U, 7U, 8U, 9U, 64U, 1184U}) {
    Bytes plain(size);
    rng_.fill(plain);
    Bytes frame = {0xaa};
    suite().seal(secret(1), 5, view("header"), plain, frame);
    ASSERT_EQ(frame.size(), 1 + size + kTagBytes);
    EXPECT_EQ(frame[0], 0xaa);
    const auto opened = suite().open_in_place(secret(1), 5, view("header"), MutableBytes(frame).subspan(1));
    ASSERT_TRUE(opened);
    EXPECT_TRUE(equal(*opened, plain));
    EXPECT_EQ(opened->data(), frame.data() + 1);
  }
}

TEST_P(EitherSuite, RefusesAFrameOfAnotherKeyNonceHeaderOrBit) {
  const auto refused = [&](const Secret& key, std::uint64_t nonce, std::string_view ad, Bytes frame) {
    return !suite().open_in_place(key, nonce, view(ad), frame).has_value();
  };
  Bytes frame;
  suite().seal(secret(1), 5, view("ad"), view("some voice"), frame);
  EXPECT_FALSE(refused(secret(1), 5, "ad", frame));
  EXPECT_TRUE(refused(secret(2), 5, "ad", frame));
  EXPECT_TRUE(refused(secret(1), 6, "ad", frame));
  EXPECT_TRUE(refused(secret(1), 5, "aD", frame));
  EXPECT_TRUE(refused(secret(1), 5, "", frame));
  for (std::size_t n = 0; n < frame.size(); ++n)
    EXPECT_TRUE(refused(secret(1), 5, "ad", Bytes(frame.begin(), frame.begin() + static_cast<long>(n))));
  for (std::size_t bit = 0; bit < frame.size() * 8; ++bit) {
    auto bad = frame;
    bad[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    EXPECT_TRUE(refused(secret(1), 5, "ad", bad)) << bit;
  }
}

TEST_P(EitherSuite, TheBoundaryBetweenHeaderAndTextIsSealedToo) {
  Bytes a;
  Bytes b;
  suite().seal(secret(1), 0, view("ab"), view("c"), a);
  suite().seal(secret(1), 0, view("a"), view("bc"), b);
  EXPECT_FALSE(equal(ByteView(a).last(16), ByteView(b).last(16)));
}

TEST_P(EitherSuite, VerifiesItsOwnSignatureAndNoOther) {
  const auto pair = suite().signing_pair(secret(1));
  const auto other = suite().signing_pair(secret(2));
  const auto signature = suite().sign(pair, view("statement"));
  EXPECT_TRUE(suite().verify(pair.public_key, view("statement"), signature));
  EXPECT_FALSE(suite().verify(pair.public_key, view("Statement"), signature));
  EXPECT_FALSE(suite().verify(other.public_key, view("statement"), signature));
  EXPECT_FALSE(suite().verify(ByteView(pair.public_key).first(31), view("statement"), signature));
  for (std::size_t bit = 0; bit < 512; ++bit) {
    auto bad = signature;
    bad[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    EXPECT_FALSE(suite().verify(pair.public_key, view("statement"), bad)) << bit;
  }
}

TEST_P(EitherSuite, HashesTheConcatenationHoweverItIsCut) {
  Bytes whole(200);
  rng_.fill(whole);
  const auto all = ByteView(whole);
  const auto expected = suite().hash512({all});
  const auto tag = suite().mac(secret(1).bytes(), {all});
  for (int i = 0; i < 500; ++i) {
    const auto a = rng_.below(whole.size() + 1);
    const auto b = a + rng_.below(whole.size() - a + 1);
    ASSERT_EQ(suite().hash512({all.first(a), all.subspan(a, b - a), all.subspan(b)}), expected);
    ASSERT_EQ(suite().mac(secret(1).bytes(), {all.first(a), all.subspan(a, b - a), all.subspan(b)}), tag);
  }
}

TEST_P(EitherSuite, NoTwoInputsShareAHash) {
  std::set<Hash512> seen;
  for (std::size_t size = 0; size < 40; ++size) {
    Bytes zeros(size, 0);
    EXPECT_TRUE(seen.insert(suite().hash512({zeros})).second) << size;
    for (std::size_t bit = 0; bit < size * 8; ++bit) {
      zeros[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
      EXPECT_TRUE(seen.insert(suite().hash512({zeros})).second);
      zeros[bit / 8] = 0;
    }
  }
}

TEST_P(EitherSuite, DerivesIndependentOutputs) {
  std::array<Hash512, 3> three;
  std::array<Hash512, 2> two;
  const Bytes ck(64, 1);
  suite().hkdf(ck, view("input"), three);
  suite().hkdf(ck, view("input"), two);
  EXPECT_EQ(three[0], two[0]);
  EXPECT_EQ(three[1], two[1]);
  EXPECT_NE(three[0], three[1]);
  EXPECT_NE(three[1], three[2]);
  suite().hkdf(ck, view("inpuT"), two);
  EXPECT_NE(three[0], two[0]);
}

TEST_P(EitherSuite, LongLivedPairsAreRealAndEqualInBoth) {
  EXPECT_EQ(suite().signing_pair(secret(5)).public_key, shipped_suite().signing_pair(secret(5)).public_key);
  EXPECT_EQ(suite().static_pair(secret(5)).public_key, shipped_suite().static_pair(secret(5)).public_key);
}

TEST(ShippedSuite, SignsTheFirstMessageOfRfc8032) {
  const auto seed = fixed<32>(*from_hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"));
  const auto pair = shipped_suite().signing_pair(Secret(seed));
  EXPECT_EQ(to_hex(pair.public_key), "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
  EXPECT_EQ(to_hex(shipped_suite().sign(pair, {})),
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f059"
            "5bbe24655"
            "141438e7a100b");
}

TEST(Hash256Of, IsBlake2bOfTheConcatenation) {
  EXPECT_EQ(to_hex(hash256({})), "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
  EXPECT_EQ(hash256({view("ab"), view("c")}), hash256({view("abc")}));
}

TEST(SecretBytes, AreWipedWhenMovedFrom) {
  auto a = secret(4);
  const Secret b = std::move(a);
  EXPECT_EQ(a.bytes(), ByteArray<32>{});  // NOLINT(bugprone-use-after-move): this is what is promised
  EXPECT_EQ(b.bytes(), secret(4).bytes());
  Secret c;
  c = secret(6);
  EXPECT_EQ(c.bytes(), secret(6).bytes());
}

TEST(Same, ComparesLengthAndBytes) {
  EXPECT_TRUE(same(view("abc"), view("abc")));
  EXPECT_TRUE(same({}, {}));
  EXPECT_FALSE(same(view("abc"), view("abd")));
  EXPECT_FALSE(same(view("abc"), view("ab")));
}

}  // namespace
}  // namespace linnet::crypto
