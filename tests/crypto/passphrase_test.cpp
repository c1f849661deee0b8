#include "crypto/passphrase.h"

#include <gtest/gtest.h>

#include "crypto/suite.h"

namespace linnet::crypto {
namespace {

constexpr std::string_view kMagic = "linnet-test-1\n";
constexpr LockCost kCheap{1, LockCost::kLeastMemory};

struct LockedFile : testing::Test {
  SeededRng rng{4};
  Bytes plain = copy(view("what nobody else may read"));
  PassphraseKey key = PassphraseKey::make("correct horse", rng.array<16>(), kCheap).value();
  Bytes file = key.lock(rng, kMagic, plain);

  // With a right checksum, as who writes a file by purpose would make it.
  static Bytes summed(Bytes body) {
    const auto sum = hash256({view("linnet-1 locked file"), body});
    append(body, sum);
    return body;
  }
};

TEST_F(LockedFile, OpensWithItsPassphraseAndWithNoOther) {
  const auto opened = unlock(kMagic, file, "correct horse");
  ASSERT_TRUE(opened);
  EXPECT_TRUE(equal(opened->plain, plain));
  for (const auto* wrong : {"", "correct horse ", "Correct horse", "x"})
    EXPECT_EQ(unlock(kMagic, file, wrong).error(), Fault::bad_key) << wrong;
}

TEST_F(LockedFile, HidesWhatIsInIt) {
  EXPECT_EQ(text(file).find("nobody"), std::string_view::npos);
  EXPECT_FALSE(equal(key.lock(rng, kMagic, plain), file)) << "the nonce is drawn each time";
}

TEST_F(LockedFile, TellsDamageFromAWrongPassphrase) {
  for (std::size_t bit = 0; bit < file.size() * 8; ++bit) {
    auto damaged = file;
    damaged[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    const auto opened = unlock(kMagic, damaged, "correct horse");
    ASSERT_FALSE(opened) << bit;
    ASSERT_NE(opened.error(), Fault::bad_key) << bit;
  }
  for (std::size_t n = 0; n < file.size(); ++n) {
    const auto opened = unlock(kMagic, ByteView(file).first(n), "correct horse");
    ASSERT_FALSE(opened) << n;
    ASSERT_NE(opened.error(), Fault::bad_key) << n;
  }
}

TEST_F(LockedFile, WrittenByPurposeMayNotAskForAllOurMemory) {
  for (const auto& [operations, memory] : {std::pair<std::uint32_t, std::uint64_t>{1, ~std::uint64_t{0}},
                                           {~std::uint32_t{0}, LockCost::kLeastMemory},
                                           {0, LockCost::kLeastMemory},
                                           {1, 0},
                                           {LockCost::kMostOperations + 1, LockCost::kLeastMemory},
                                           {1, LockCost::kMostMemory + 1}}) {
    Writer out;
    out.bytes(view(kMagic)).u32(operations).u64(memory).zeros(16 + 24 + 40);
    EXPECT_EQ(unlock(kMagic, summed(out.take()), "x").error(), Fault::too_big);
  }
}

TEST_F(LockedFile, AuthenticatesItsHead) {
  // Another cost under a right checksum: the key comes out different, or the head does not fit the seal.
  auto body = Bytes(file.begin(), file.end() - 32);
  body[kMagic.size() + 3] = 2;  // operations
  EXPECT_EQ(unlock(kMagic, summed(body), "correct horse").error(), Fault::bad_key);
}

TEST_F(LockedFile, TakesNoEmptyPassphraseAndNoEndlessOne) {
  EXPECT_EQ(PassphraseKey::make("", rng.array<16>(), kCheap).error(), Fault::refused);
  EXPECT_EQ(PassphraseKey::make(std::string(kMaxPassphrase + 1, 'x'), rng.array<16>(), kCheap).error(), Fault::refused);
}

TEST_F(LockedFile, IsNotTakenForAnotherKind) {
  EXPECT_EQ(unlock("linnet-other-1\n", file, "correct horse").error(), Fault::malformed);
}

}  // namespace
}  // namespace linnet::crypto
