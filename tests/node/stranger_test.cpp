// Check 39 of the security page: who asks for thousands of names and rings everybody learns the address of nobody. What
// the stranger's node can read is all there is to learn from: every plain text that its keys open is looked at.
#include <gtest/gtest.h>

#include "people_fixture.h"

namespace linnet::node {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A suite that shows what was opened with it. Everything else is the one it stands for.
class Spy final : public crypto::Suite {
 public:
  explicit Spy(const crypto::Suite& real) : real_(real) {}

  crypto::DhPair ephemeral_pair(const crypto::Secret& seed) const override { return real_.ephemeral_pair(seed); }
  crypto::Signature sign(const crypto::SigningPair& pair, ByteView message) const override {
    return real_.sign(pair, message);
  }
  bool verify(ByteView key, ByteView message, const crypto::Signature& signature) const override {
    return real_.verify(key, message, signature);
  }
  Result<crypto::Secret> dh(const crypto::DhPair& mine, const crypto::SessionKey& theirs) const override {
    return real_.dh(mine, theirs);
  }
  crypto::Mac seal_in_place(const crypto::Secret& key, std::uint64_t nonce, ByteView ad,
                            MutableBytes text) const override {
    return real_.seal_in_place(key, nonce, ad, text);
  }
  Result<MutableBytes> open_in_place(const crypto::Secret& key, std::uint64_t nonce, ByteView ad,
                                     MutableBytes sealed) const override {
    auto out = real_.open_in_place(key, nonce, ad, sealed);
    if (out && seen) seen(*out);
    return out;
  }
  crypto::Hash512 hash512(std::initializer_list<ByteView> parts) const override { return real_.hash512(parts); }
  void hkdf(ByteView key, ByteView input, std::span<crypto::Hash512> outputs) const override {
    real_.hkdf(key, input, outputs);
  }
  crypto::Mac mac(ByteView key, std::initializer_list<ByteView> parts) const override { return real_.mac(key, parts); }

  std::function<void(ByteView plain)> seen;

 private:
  const crypto::Suite& real_;
};

struct Stranger : ::testing::Test {
  Town town{crypto::typed_suite()};
  Spy spy{crypto::typed_suite()};
  Resident* eve = nullptr;
  std::size_t read = 0;   // plain texts
  std::size_t found = 0;  // addresses of leaves in them, or in datagrams as they came

  void SetUp() override {
    town.build();
    town.next_suite = &spy;
    eve = &town.add("eve@e.example");
    town.next_suite = nullptr;
    spy.seen = [this](ByteView plain) {
      ++read;
      look_at(plain);
    };
    town.delivered = [this](const Resident& to, const Endpoint& from, ByteView bytes) {
      if (&to != eve) return;
      look_at(bytes);
      for (const auto& person : town.people)
        if (person.get() != eve && person->endpoint == from) ++found;
    };
  }

  // All people but Eve live at 198.52.x.7:4400, as numbers or as text.
  void look_at(ByteView bytes) {
    for (std::size_t i = 0; i + 6 <= bytes.size(); ++i) {
      const bool leaf = bytes[i] == 198 && bytes[i + 1] == 52 && bytes[i + 3] == 7;
      if (leaf && bytes[i + 4] == 0x11 && bytes[i + 5] == 0x30 && bytes[i + 2] != eve->endpoint.ip.bytes[14]) ++found;
    }
    const auto own = "198.52." + std::to_string(eve->endpoint.ip.bytes[14]) + ".";
    for (auto at = text(bytes).find("198.52."); at != std::string_view::npos; at = text(bytes).find("198.52.", at + 1))
      if (text(bytes).substr(at, own.size()) != own) ++found;
  }

  std::size_t ringing() {
    std::size_t out = 0;
    for (const auto& call : eve->node->status(town.now()).calls) out += call.state == CallState::ringing ? 1 : 0;
    return out;
  }
  void hang_up() {
    town.tell(*eve, command::Hangup{});
    town.run_until([&] { return eve->node->status(town.now()).calls.empty(); }, seconds(30));
  }
};

TEST_F(Stranger, WhoAsksForTenThousandNamesAndRingsThemLearnsNoAddress) {
  constexpr std::size_t kNames = 10'000;
  constexpr std::size_t kPeople = 32;  // of the names that somebody has
  constexpr std::size_t kAtOnce = 8;
  for (std::size_t i = 0; i < kPeople; ++i) town.add("name" + std::to_string(i * 311) + "@town.example");
  ASSERT_TRUE(town.all_online(seconds(60)));
  town.flows.clear();
  std::size_t rang = 0;
  for (std::size_t i = 0; i < kNames; i += kAtOnce) {
    for (std::size_t n = i; n < i + kAtOnce; ++n) town.call(*eve, "name" + std::to_string(n) + "@town.example");
    const auto settled = [&] { return eve->node->status(town.now()).calls.size() == ringing(); };
    town.run_until(settled, seconds(20));
    rang += ringing();
    if (ringing() > 0) town.run_for(seconds(3));
    hang_up();
    eve->events.clear();
  }
  EXPECT_EQ(rang, kPeople) << "everybody there is was rung";
  EXPECT_GT(read, kNames) << "there was something to learn from";
  EXPECT_EQ(found, 0U);
  for (const auto& person : town.people) EXPECT_EQ(town.flows.count({person->endpoint, eve->endpoint}), 0U);
}

TEST_F(Stranger, LearnsTheAddressOfWhoAnswers) {
  auto& bob = town.add("bob@town.example");
  bob.answers = true;
  ASSERT_TRUE(town.all_online());
  town.call(*eve, "bob@town.example");
  ASSERT_TRUE(town.run_until([&] { return found > 0; }, seconds(10))) << "or this test could not fail";
}

}  // namespace
}  // namespace linnet::node
