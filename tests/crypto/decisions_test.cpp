// The simulator may run on stand-ins because they decide as the shipped suite does: for one seed, the same step of the
// same story is accepted, or refused for the same reason.
#include <gtest/gtest.h>

#include <string>

#include "crypto/guard.h"
#include "crypto/identity.h"
#include "noise_fixture.h"

namespace linnet::crypto {
namespace {

using noise::Handshake;
using noise::Role;

// One letter per decision.
class Story {
 public:
  Story(const Suite& suite, std::uint64_t seed) : suite_(&suite), rng_(seed), alice_(suite, rng_), bob_(suite, rng_) {}

  std::string tell() {
    for (int i = 0; i < 8; ++i) handshake();
    for (int i = 0; i < 8; ++i) certificate();
    for (int i = 0; i < 8; ++i) frame();
    for (int i = 0; i < 8; ++i) cookie();
    return told_;
  }

 private:
  void note(bool ok) { told_ += ok ? '+' : '-'; }
  template <class T>
  void note(const Result<T>& r) {
    told_ += r ? std::string("+") : std::string(to_string(r.error())) + ";";
  }

  // Leaves it, flips a bit, cuts it short, or puts zeros in place of its head.
  Bytes meddle(Bytes bytes) {
    if (bytes.empty()) return bytes;
    switch (rng_.below(6)) {
      case 0: bytes[rng_.below(bytes.size())] ^= static_cast<std::uint8_t>(1U << rng_.below(8)); break;
      case 1: bytes.resize(rng_.below(bytes.size())); break;
      case 2: std::fill_n(bytes.begin(), std::min<std::size_t>(32, bytes.size()), std::uint8_t{0}); break;
      default: break;
    }
    return bytes;
  }

  void handshake() {
    const auto& spoken = noise::kSpoken[rng_.below(std::size(noise::kSpoken))];
    const auto psk = spoken.psk ? std::optional(Secret(rng_.array<32>())) : std::nullopt;
    auto a = alice_.start(spoken.pattern, Role::initiator,
                          spoken.responder_known ? std::optional(bob_.pair.public_key) : std::nullopt, psk);
    auto b = bob_.start(spoken.pattern, Role::responder, std::nullopt, psk);
    for (int step = 0; step < 6 && !(a.finished() && b.finished()); ++step) {
      auto& sender = a.my_turn() ? a : b;
      auto& receiver = a.my_turn() ? b : a;
      Bytes message;
      const auto wrote = sender.write(view("payload"), message);
      told_ += wrote ? '+' : '-';
      if (!wrote) return;
      note(receiver.read(meddle(message)));
    }
  }

  void certificate() {
    const Wall now{1'800'000'000 + static_cast<std::int64_t>(rng_.below(3'000'000))};
    auto identity = make_identity(*suite_, rng_, Address::parse("alice@acme.example").value(), Wall{1'800'000'000});
    Writer out;
    write(out, identity.certificate);
    const auto bytes = meddle(out.take());
    Reader in(bytes);
    const auto read = read_device_certificate(in);
    note(read);
    if (read) told_ += verify(*suite_, *read, now) ? '+' : '-';
    note(load_identity(*suite_, meddle(save_identity(*suite_, identity))));
  }

  void frame() {
    const Secret key(rng_.array<32>());
    Bytes sealed;
    suite_->seal(key, rng_.below(3), view("header"), view("voice"), sealed);
    auto received = meddle(sealed);
    note(suite_->open_in_place(key, rng_.below(3), view("header"), received));
  }

  void cookie() {
    CookieJar jar(*suite_, rng_);
    const Endpoint here{IpAddress::v4(static_cast<std::uint32_t>(rng_.below(3))), 1};
    const Endpoint there{IpAddress::v4(static_cast<std::uint32_t>(rng_.below(3))), 1};
    const Time later{std::chrono::minutes(rng_.below(8))};
    const auto mac2 = suite_->mac(jar.cookie_for(Time{}, here), {view("message")});
    note(jar.check_mac2(later, there, view("message"), mac2));
    note(
        Mac1(*suite_, bob_.pair.public_key).check(view("m"), Mac1(*suite_, alice_.pair.public_key).compute(view("m"))));
  }

  const Suite* suite_;
  SeededRng rng_;
  noise::Party alice_;
  noise::Party bob_;
  std::string told_;
};

TEST(Decisions, AreTheSameWithTheShippedSuiteAndItsStandIn) {
  std::size_t refusals = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const auto shipped = Story(shipped_suite(), seed).tell();
    ASSERT_EQ(shipped, Story(typed_suite(), seed).tell()) << "seed " << seed;
    refusals += static_cast<std::size_t>(std::count(shipped.begin(), shipped.end(), ';'));
  }
  EXPECT_GT(refusals, 300U);
}

}  // namespace
}  // namespace linnet::crypto
