// The published cacophony and snow vectors: every pattern of 25519_ChaChaPoly_BLAKE2b, transport messages and handshake
// hash included.
#include <gmock/gmock.h>

#include "crypto/noise.h"
#include "test_data.h"

namespace linnet::crypto::noise {
namespace {

using nlohmann::json;

constexpr std::string_view kPrefix = "Noise_";
constexpr std::string_view kSuffix = "_25519_ChaChaPoly_BLAKE2b";

std::string pattern_of(const json& vector) {
  const auto name = vector.at("protocol_name").get<std::string>();
  EXPECT_TRUE(name.starts_with(kPrefix) && name.ends_with(kSuffix)) << name;
  return name.substr(kPrefix.size(), name.size() - kPrefix.size() - kSuffix.size());
}

std::optional<DhPair> pair_in(const json& vector, const std::string& field) {
  if (!vector.contains(field)) return std::nullopt;
  return shipped_suite().static_pair(Secret(fixed<32>(hex(vector.at(field)))));
}

Handshake party(const json& vector, const std::string& pattern, Role role) {
  const std::string who = role == Role::initiator ? "init_" : "resp_";
  const auto prologue = hex(vector.at(who + "prologue"));
  Setup setup;
  setup.pattern = pattern;
  setup.role = role;
  setup.prologue = prologue;
  setup.static_pair = pair_in(vector, who + "static");
  setup.ephemeral_pair = pair_in(vector, who + "ephemeral");
  if (vector.contains(who + "remote_static")) {
    setup.remote_static = SessionKey{fixed<32>(hex(vector.at(who + "remote_static")))};
  }
  if (vector.contains(who + "psks")) {
    for (const auto& psk : vector.at(who + "psks")) setup.further_psks.emplace_back(fixed<32>(hex(psk)));
  }
  if (!setup.further_psks.empty()) {
    setup.psk = setup.further_psks.front();
    setup.further_psks.erase(setup.further_psks.begin());
  }
  return {shipped_suite(), std::move(setup)};
}

// Both ends of one vector, message by message.
class Conversation {
 public:
  explicit Conversation(const json& vector)
      : vector_(vector),
        pattern_(pattern_of(vector)),
        one_way_(find_pattern(pattern_)->count == 1),
        ends_{party(vector, pattern_, Role::initiator), party(vector, pattern_, Role::responder)} {}

  void run() {
    std::size_t sender = 0;
    for (const auto& message : vector_.at("messages")) {
      if (ends_[0].finished()) {
        transport(sender, hex(message.at("payload")), hex(message.at("ciphertext")));
      } else {
        handshake(sender, hex(message.at("payload")), hex(message.at("ciphertext")));
      }
      if (!one_way_) sender = 1 - sender;
      if (testing::Test::HasFailure()) return;
    }
    ASSERT_TRUE(ends_[0].finished() && ends_[1].finished());
    EXPECT_EQ(ends_[0].handshake_hash(), ends_[1].handshake_hash());
    if (vector_.contains("handshake_hash")) {
      EXPECT_EQ(to_hex(ends_[0].handshake_hash()), to_hex(hex(vector_.at("handshake_hash"))));
    }
  }

 private:
  void handshake(std::size_t sender, const Bytes& payload, const Bytes& expected) {
    ASSERT_TRUE(ends_[sender].my_turn());
    Bytes sent;
    ASSERT_TRUE(ends_[sender].write(payload, sent));
    ASSERT_EQ(to_hex(sent), to_hex(expected));
    const auto read = ends_[1 - sender].read(sent);
    ASSERT_TRUE(read) << to_string(read.error());
    EXPECT_EQ(*read, payload);
  }

  void transport(std::size_t sender, const Bytes& payload, const Bytes& expected) {
    Bytes sent;
    const auto nonce = nonces_[sender]++;
    shipped_suite().seal(ends_[sender].split().send.key, nonce, {}, payload, sent);
    ASSERT_EQ(to_hex(sent), to_hex(expected));
    const auto read = shipped_suite().open_in_place(ends_[1 - sender].split().receive.key, nonce, {}, sent);
    ASSERT_TRUE(read);
    EXPECT_TRUE(equal(*read, payload));
  }

  const json& vector_;
  std::string pattern_;
  bool one_way_;
  Handshake ends_[2];
  std::uint64_t nonces_[2] = {0, 0};
};

void run_all(const std::string& file, std::size_t expected) {
  const auto path = test_data(file);
  LINNET_NEED_DATA(path);
  const auto all = read_json(path);
  std::size_t ran = 0;
  for (const auto& vector : all.at("vectors")) {
    SCOPED_TRACE(vector.at("protocol_name").get<std::string>());
    ASSERT_TRUE(find_pattern(pattern_of(vector)));
    Conversation(vector).run();
    ASSERT_FALSE(testing::Test::HasFailure());
    ++ran;
  }
  EXPECT_EQ(ran, expected);
}

TEST(NoiseVectors, CacophonyAgreesWithEveryPattern) { run_all("noise/cacophony.json", 59); }

TEST(NoiseVectors, SnowAgreesWithEveryPattern) { run_all("noise/snow.json", 51); }

}  // namespace
}  // namespace linnet::crypto::noise
