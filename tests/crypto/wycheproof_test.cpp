// Project Wycheproof's cases for the three primitives that sessions and records rest on.
#include "crypto/aead.h"
#include "test_data.h"

namespace linnet::crypto {
namespace {

using nlohmann::json;

template <class Check>
void for_each_case(const std::string& file, std::size_t expected, Check check) {
  const auto path = test_data(file);
  LINNET_NEED_DATA(path);
  const auto all = read_json(path);
  std::size_t ran = 0;
  for (const auto& group : all.at("testGroups")) {
    for (const auto& test : group.at("tests")) {
      SCOPED_TRACE("tcId " + std::to_string(test.at("tcId").get<int>()) + " " + test.at("comment").get<std::string>());
      check(group, test);
      ++ran;
    }
  }
  EXPECT_EQ(ran, expected);
}

TEST(Wycheproof, X25519GivesTheSharedSecretOrRefusesTheKey) {
  for_each_case("wycheproof/x25519.json", 518, [](const json&, const json& test) {
    const auto mine = shipped_suite().static_pair(Secret(fixed<32>(hex(test.at("private")))));
    const auto shared = shipped_suite().dh(mine, SessionKey{fixed<32>(hex(test.at("public")))});
    const auto expected = fixed<32>(hex(test.at("shared")));
    const bool degenerate = expected == ByteArray<32>{};
    ASSERT_EQ(shared.has_value(), !degenerate);
    if (shared) {
      EXPECT_EQ(to_hex(shared->bytes()), to_hex(expected));
    } else {
      EXPECT_EQ(shared.error(), Fault::bad_key);
      EXPECT_EQ(test.at("result"), "acceptable");
    }
  });
}

TEST(Wycheproof, Ed25519AcceptsExactlyTheValidSignatures) {
  for_each_case("wycheproof/ed25519.json", 151, [](const json& group, const json& test) {
    const auto key = hex(group.at("publicKey").at("pk"));
    const auto signature = hex(test.at("sig"));
    const bool valid = test.at("result") == "valid";
    if (signature.size() != 64) {  // no such signature can be held
      EXPECT_FALSE(valid);
      return;
    }
    EXPECT_EQ(shipped_suite().verify(key, hex(test.at("msg")), fixed<64>(signature)), valid);
  });
}

TEST(Wycheproof, ChaChaPolyOpensExactlyTheValidTexts) {
  for_each_case("wycheproof/chacha20_poly1305.json", 325, [](const json&, const json& test) {
    const bool valid = test.at("result") == "valid";
    const auto iv = hex(test.at("iv"));
    if (iv.size() != 12) {  // no such nonce can be held
      EXPECT_FALSE(valid);
      return;
    }
    const Secret key(fixed<32>(hex(test.at("key"))));
    const auto nonce = fixed<12>(iv);
    const auto ad = hex(test.at("aad"));
    const auto tag = fixed<16>(hex(test.at("tag")));
    auto opened = hex(test.at("ct"));
    ASSERT_EQ(aead_open(key, nonce, ad, opened, tag), valid);
    if (!valid) return;
    EXPECT_EQ(opened, hex(test.at("msg")));
    auto sealed = hex(test.at("msg"));
    EXPECT_EQ(aead_seal(key, nonce, ad, sealed), tag);
    EXPECT_EQ(sealed, hex(test.at("ct")));
  });
}

}  // namespace
}  // namespace linnet::crypto
