// Key-compromise impersonation (security.md, check 8): who stole the victim's static secret still cannot pose as others
// to the victim.
#include <gtest/gtest.h>

#include "crypto/noise.h"
#include "noise_fixture.h"
#include "test_data.h"

namespace linnet::crypto::noise {
namespace {

// The shipped suite in the hands of a thief. For the static key he only pretends to own he has no secret; wherever that
// key meets another, he puts in what he can compute.
class ThiefSuite final : public Suite {
 public:
  ThiefSuite(const DhPair& stolen, const DhPair& own, const SessionKey& pretended)
      : stolen_(stolen), own_(own), pretended_(pretended) {}

  enum class Guess { stolen_with_theirs, own_with_theirs, stolen_with_pretended, own_with_pretended, zeros, count_ };
  void guess(Guess guess) { guess_ = guess; }

  Result<Secret> dh(const DhPair& mine, const SessionKey& theirs) const override {
    const auto& s = shipped_suite();
    if (mine.public_key != pretended_) return s.dh(mine, theirs);
    // Static with static: the stolen secret does it from the other side. This is what breaks IK.
    if (theirs == stolen_.public_key) return s.dh(stolen_, pretended_);
    switch (guess_) {
      case Guess::stolen_with_theirs: return s.dh(stolen_, theirs);
      case Guess::own_with_theirs: return s.dh(own_, theirs);
      case Guess::stolen_with_pretended: return s.dh(stolen_, pretended_);
      case Guess::own_with_pretended: return s.dh(own_, pretended_);
      default: return Secret();
    }
  }
  DhPair ephemeral_pair(const Secret& seed) const override { return shipped_suite().ephemeral_pair(seed); }
  Signature sign(const SigningPair& p, ByteView m) const override { return shipped_suite().sign(p, m); }
  bool verify(ByteView k, ByteView m, const Signature& s) const override { return shipped_suite().verify(k, m, s); }
  Mac seal_in_place(const Secret& k, std::uint64_t n, ByteView ad, MutableBytes t) const override {
    return shipped_suite().seal_in_place(k, n, ad, t);
  }
  // Tags that do not verify do not stop him.
  Result<MutableBytes> open_in_place(const Secret&, std::uint64_t, ByteView, MutableBytes s) const override {
    return s.first(s.size() - kTagBytes);
  }
  Hash512 hash512(std::initializer_list<ByteView> parts) const override { return shipped_suite().hash512(parts); }
  void hkdf(ByteView ck, ByteView in, std::span<Hash512> out) const override { shipped_suite().hkdf(ck, in, out); }
  Mac mac(ByteView key, std::initializer_list<ByteView> parts) const override {
    return shipped_suite().mac(key, parts);
  }

 private:
  DhPair stolen_;
  DhPair own_;
  SessionKey pretended_;
  Guess guess_ = Guess::zeros;
};

constexpr int kTries = 1000;

class Impersonation : public testing::Test {
 protected:
  DhPair pretended(const Party& who) {
    DhPair out;
    out.secret = Secret(rng_.array<32>());
    out.public_key = who.pair.public_key;
    return out;
  }

  Handshake thief(std::string_view pattern, Role role, const Party& posed_as, int round) {
    suite_.emplace(victim_.pair, own_.ephemeral, posed_as.pair.public_key);
    suite_->guess(static_cast<ThiefSuite::Guess>(round % static_cast<int>(ThiefSuite::Guess::count_)));
    noise::Setup setup;
    setup.pattern = pattern;
    setup.role = role;
    setup.static_pair = pretended(posed_as);
    setup.ephemeral_pair = own_.ephemeral;
    if (role == Role::initiator) setup.remote_static = victim_.pair.public_key;
    return {*suite_, std::move(setup)};
  }

  Handshake victim(std::string_view pattern, Role role, std::optional<SessionKey> peer = std::nullopt) {
    return victim_.start(pattern, role, peer, std::nullopt, "");
  }

  void fresh() {
    victim_.ephemeral = shipped_suite().ephemeral_pair(Secret(rng_.array<32>()));
    own_.ephemeral = shipped_suite().ephemeral_pair(Secret(rng_.array<32>()));
  }

  SeededRng rng_{8};
  Party victim_{shipped_suite(), rng_};
  Party friend_{shipped_suite(), rng_};
  Party own_{shipped_suite(), rng_};
  std::optional<ThiefSuite> suite_;
};

TEST_F(Impersonation, WhoStoleTheSecretOfACalledPersonCannotCallHimAsAnother) {
  int believed = 0;
  for (int round = 0; round < kTries; ++round) {
    fresh();
    auto v = victim("XK", Role::responder);
    auto t = thief("XK", Role::initiator, friend_, round);
    ASSERT_TRUE(v.read(must_write(t, "")));
    ASSERT_TRUE(t.read(must_write(v, "")));
    believed += v.read(must_write(t, "I am your friend")) ? 1 : 0;
    EXPECT_FALSE(v.finished());
  }
  EXPECT_EQ(believed, 0);
}

TEST_F(Impersonation, WhoStoleTheSecretOfACallerCannotAnswerHimAsAnother) {
  int believed = 0;
  for (int round = 0; round < kTries; ++round) {
    fresh();
    auto v = victim("XK", Role::initiator, friend_.pair.public_key);
    auto t = thief("XK", Role::responder, friend_, round);
    ASSERT_TRUE(t.read(must_write(v, ""))) << "he goes on although he could not open it";
    believed += v.read(must_write(t, "I am your friend")) ? 1 : 0;
  }
  EXPECT_EQ(believed, 0);
}

TEST_F(Impersonation, TheSameThiefDoesFoolTheResponderOfIk) {
  // Why Linnet does not speak IK, and proof that this thief would be noticed if XK let him in.
  auto v = victim("IK", Role::responder);
  auto t = thief("IK", Role::initiator, friend_, 0);
  ASSERT_TRUE(v.read(must_write(t, "I am your friend")));
  EXPECT_EQ(v.remote_static(), friend_.pair.public_key);
}

}  // namespace
}  // namespace linnet::crypto::noise
