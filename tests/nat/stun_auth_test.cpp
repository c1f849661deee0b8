// Tags, keys and the nonce's cookie (RFC 8489, section 9 and 14.5 to 14.12).
#include "nat/stun_auth.h"

#include <gmock/gmock.h>

#include "nat/stun_builder.h"

namespace linnet::nat::stun {
namespace {

using testing::ElementsAre;

const TransactionId kAuthId{};
const Bytes kKey = copy(view("key"));

TEST(StunAuth, ATruncatedTagOfSixteenBytesAndMoreHolds) {
  for (std::size_t size = 16; size <= 32; size += 4) {
    Builder out(Class::request, Method::binding, kAuthId);
    out.integrity_sha256(kKey, size);
    EXPECT_TRUE(integrity_sha256_holds(*Message::parse(out.written()), kKey)) << size;
  }
}

TEST(StunAuth, ATagOfAnotherLengthNeverHolds) {
  // Right but for its length: what an attacker who guesses a byte at a time would send.
  for (const std::size_t size : {0U, 4U, 12U, 15U, 17U, 36U}) {
    Builder head(Class::request, Method::binding, kAuthId);
    auto tag = copy(integrity_sha256(head.written(), kKey, (size + 3) / 4 * 4));
    tag.resize(size);
    head.bytes(Attr::message_integrity_sha256, tag);
    EXPECT_FALSE(integrity_sha256_holds(*Message::parse(head.written()), kKey)) << size;
  }
  Builder out(Class::request, Method::binding, kAuthId);
  auto tag = copy(integrity(out.written(), kKey));
  tag.resize(16);
  out.bytes(Attr::message_integrity, tag);
  EXPECT_FALSE(integrity_holds(*Message::parse(out.written()), kKey));
}

TEST(StunAuth, TheFeaturesComeOutOfTheNonceAsTheyWentIn) {
  for (const bool algorithms : {false, true}) {
    for (const bool anonymity : {false, true}) {
      const SecurityFeatures features{algorithms, anonymity};
      EXPECT_EQ(features_of(nonce_with(features, "rest")), features);
      EXPECT_EQ(features_of(nonce_with(features, "")), features);
    }
  }
  EXPECT_EQ(nonce_with({true, true}, "x"), "obMatJos2AAADx");
  EXPECT_EQ(features_of("obMatJos2AAA"), std::nullopt);
  EXPECT_EQ(features_of("obMatJos2AA=A"), std::nullopt);
  EXPECT_EQ(features_of("f//499k954d6OL34oL9FSTvy64sA"), std::nullopt);
}

TEST(StunAuth, PasswordAlgorithmsAreListedInOrder) {
  Builder out(Class::error, Method::allocate, kAuthId);
  constexpr PasswordAlgorithm kBoth[] = {PasswordAlgorithm::sha256, PasswordAlgorithm::md5};
  out.password_algorithms(kBoth);
  EXPECT_THAT(*Message::parse(out.written())->password_algorithms(),
              ElementsAre(PasswordAlgorithm::sha256, PasswordAlgorithm::md5));
}

TEST(StunAuth, ParametersOfAPasswordAlgorithmAreSteppedOver) {
  Builder out(Class::error, Method::allocate, kAuthId);
  out.bytes(Attr::password_algorithms, Bytes{0, 9, 0, 1, 77, 0, 0, 0, 0, 2, 0, 0});
  EXPECT_THAT(*Message::parse(out.written())->password_algorithms(),
              ElementsAre(static_cast<PasswordAlgorithm>(9), PasswordAlgorithm::sha256));
  Builder cut(Class::error, Method::allocate, kAuthId);
  cut.bytes(Attr::password_algorithms, Bytes{0, 9, 0, 5, 77, 0, 0, 0});
  EXPECT_EQ(Message::parse(cut.written())->password_algorithms().error(), Fault::malformed);
}

TEST(StunBuilder, AMessageThatWouldGrowTooLongKeepsWhatItHas) {
  Builder out(Class::indication, Method::data, kAuthId);
  out.bytes(Attr::data, Bytes(65'000, 1)).bytes(Attr::data, Bytes(1'000, 2));
  EXPECT_FALSE(out.ok());
  const auto m = Message::parse(out.written());
  ASSERT_TRUE(m);
  EXPECT_EQ(m->attributes().size(), 1U);
}

}  // namespace
}  // namespace linnet::nat::stun
