#include "crypto/identity.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "each_suite.h"

namespace linnet::crypto {
namespace {

constexpr Wall kToday{1'800'000'000};
constexpr std::chrono::hours kDay{24};
constexpr std::chrono::minutes kForgiven{5};

class WithIdentity : public EachSuite {
 protected:
  Identity make(std::string_view name = "alice@acme.example", std::uint64_t seed = 5) {
    SeededRng rng(seed);
    return make_identity(suite(), rng, name.empty() ? Address() : Address::parse(name).value(), kToday);
  }
  static Bytes bytes_of(const DeviceCertificate& c) {
    Writer out;
    write(out, c);
    return out.take();
  }
  // Signs again after a change, as AK itself could.
  DeviceCertificate resigned(const Identity& identity, DeviceCertificate c) {
    c.signature = suite().sign(identity.account, certificate_statement(c));
    return c;
  }
};

class Certificate : public WithIdentity {};
LINNET_EACH_SUITE(Certificate);
class KeyFile : public WithIdentity {};
LINNET_EACH_SUITE(KeyFile);
class SessionKeyStatement : public WithIdentity {};
LINNET_EACH_SUITE(SessionKeyStatement);
class MakingAnIdentity : public WithIdentity {};
LINNET_EACH_SUITE(MakingAnIdentity);

TEST_P(Certificate, VerifiesWhileItIsValid) {
  const auto c = make().certificate;
  EXPECT_TRUE(verify(suite(), c, kToday));
  EXPECT_TRUE(verify(suite(), c, kToday + 30 * kDay));
  EXPECT_TRUE(verify(suite(), c, kToday - kForgiven));
  EXPECT_TRUE(verify(suite(), c, kToday + 30 * kDay + kForgiven));
  EXPECT_EQ(verify(suite(), c, kToday - kForgiven - std::chrono::seconds(1)).error(), Fault::expired);
  EXPECT_EQ(verify(suite(), c, kToday + 30 * kDay + kForgiven + std::chrono::seconds(1)).error(), Fault::expired);
}

TEST_P(Certificate, IsNeverGoodForMoreThanThirtyDays) {
  const auto identity = make();
  auto c = identity.certificate;
  c.not_after = c.not_before + 30 * kDay + std::chrono::seconds(1);
  EXPECT_EQ(verify(suite(), resigned(identity, c), kToday).error(), Fault::refused);
}

TEST_P(Certificate, RefusesTimesThatMakeNoSense) {
  const auto identity = make();
  constexpr auto kMin = std::numeric_limits<std::int64_t>::min();
  constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
  for (const auto& [from, to] : {std::pair{kMin, kMax},
                                 {kMax, kMin},
                                 {std::int64_t{0}, kMax},
                                 {kMax - 1, kMax},
                                 {kMin, kMin + 1},
                                 {std::int64_t{-1}, std::int64_t{5}},
                                 {linnet::seconds(kToday), linnet::seconds(kToday)}}) {
    auto c = identity.certificate;
    c.not_before = Wall{from};
    c.not_after = Wall{to};
    EXPECT_FALSE(verify(suite(), resigned(identity, c), kToday)) << from << " " << to;
  }
}

// Sums with what a stranger may send would overflow, before any signature is looked at.
TEST_P(Certificate, ThatSpeaksOfTheEndOfTimeIsNotEvenRead) {
  constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
  for (const auto from : {kMax - 10, kMax - 30 * 86400, std::int64_t{1} << 41}) {
    auto c = make().certificate;
    c.not_before = Wall{from};
    c.not_after = Wall{from + 5};
    const auto bytes = bytes_of(c);
    Reader in(bytes);
    EXPECT_EQ(read_device_certificate(in).error(), Fault::malformed);
    EXPECT_EQ(verify(suite(), c, c.not_before).error(), Fault::malformed);
  }
}

TEST_P(Certificate, ReadsBackWhatWasWritten) {
  const auto c = make().certificate;
  const auto bytes = bytes_of(c);
  ASSERT_EQ(bytes.size(), kDeviceCertificateBytes);
  Reader in(bytes);
  const auto back = read_device_certificate(in).value();
  EXPECT_TRUE(in.done());
  EXPECT_EQ(bytes_of(back), bytes);
  EXPECT_TRUE(verify(suite(), back, kToday));
}

TEST_P(Certificate, RefusesEveryTruncationAndEveryBitFlip) {
  const auto bytes = bytes_of(make().certificate);
  const auto accepted = [&](ByteView candidate) {
    Reader in(candidate);
    const auto c = read_device_certificate(in);
    return c && in.done() && verify(suite(), *c, kToday);
  };
  ASSERT_TRUE(accepted(bytes));
  for (std::size_t n = 0; n < bytes.size(); ++n) EXPECT_FALSE(accepted(ByteView(bytes).first(n))) << n;
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    auto bad = bytes;
    bad[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    EXPECT_FALSE(accepted(bad)) << bit;
  }
}

TEST_P(Certificate, OfAnotherAccountIsRefused) {
  auto c = make().certificate;
  c.account = make("bob@acme.example", 6).account_key();
  EXPECT_EQ(verify(suite(), c, kToday).error(), Fault::bad_signature);
}

TEST_P(Certificate, IsRenewedAtHalfItsLifeAndKeepsDeviceAndEpoch) {
  auto identity = make();
  identity.certificate.epoch = 4;
  EXPECT_FALSE(needs_renewal(identity.certificate, kToday));
  EXPECT_FALSE(needs_renewal(identity.certificate, kToday + 15 * kDay - std::chrono::seconds(1)));
  EXPECT_TRUE(needs_renewal(identity.certificate, kToday + 15 * kDay));
  EXPECT_TRUE(needs_renewal(identity.certificate, kToday - kDay)) << "made while the clock was ahead";
  const auto later = kToday + 40 * kDay;
  renew_certificate(suite(), identity, later);
  EXPECT_TRUE(verify(suite(), identity.certificate, later));
  EXPECT_EQ(identity.certificate.device, identity.device_key());
  EXPECT_EQ(identity.certificate.epoch, 4U);
  EXPECT_FALSE(needs_renewal(identity.certificate, later));
}

TEST_P(SessionKeyStatement, HoldsForOneDeviceOneNetworkAndOneKey) {
  const auto alice = make();
  const auto bob = make("bob@acme.example", 6);
  const auto network = network_id("linnet");
  const auto signature = sign_session_key(suite(), alice.device, network, alice.session_key());
  const auto good = [&](const DeviceKey& device, const NetworkId& net, const SessionKey& key) {
    return verify_session_key(suite(), device, net, key, signature);
  };
  EXPECT_TRUE(good(alice.device_key(), network, alice.session_key()));
  EXPECT_FALSE(good(bob.device_key(), network, alice.session_key()));
  EXPECT_FALSE(good(alice.device_key(), network_id("other"), alice.session_key()));
  EXPECT_FALSE(good(alice.device_key(), network, bob.session_key()));
}

TEST_P(MakingAnIdentity, DrawsThreeUnrelatedKeysFromTheRandomnessHandedIn) {
  const auto a = make();
  EXPECT_NE(a.account.public_key, a.device.public_key);
  EXPECT_NE(a.device.seed.bytes(), a.session.secret.bytes());
  EXPECT_EQ(make().device.public_key, a.device.public_key);
  EXPECT_NE(make("alice@acme.example", 6).device.public_key, a.device.public_key);
}

TEST_P(MakingAnIdentity, WithoutANameGivesItsKeyName) {
  const auto nameless = make("");
  EXPECT_TRUE(nameless.address.proves(nameless.account_key()));
  EXPECT_EQ(nameless.key_name(), nameless.address);
  EXPECT_TRUE(make().key_name().proves(make().account_key()));
  EXPECT_EQ(make().key_name().user(), "alice");
}

TEST_P(KeyFile, BringsBackTheWholeIdentity) {
  for (const auto* name : {"alice@acme.example", ""}) {
    const auto identity = make(name);
    const auto back = load_identity(suite(), save_identity(suite(), identity));
    ASSERT_TRUE(back) << to_string(back.error());
    EXPECT_EQ(back->address, identity.address);
    EXPECT_EQ(back->account.public_key, identity.account.public_key);
    EXPECT_EQ(back->device.public_key, identity.device.public_key);
    EXPECT_EQ(back->session.public_key, identity.session.public_key);
    EXPECT_EQ(back->session.secret.bytes(), identity.session.secret.bytes());
    EXPECT_EQ(bytes_of(back->certificate), bytes_of(identity.certificate));
  }
}

TEST_P(KeyFile, RefusesEveryTruncationEveryBitFlipAndWhatFollows) {
  const auto file = save_identity(suite(), make());
  for (std::size_t n = 0; n < file.size(); ++n) EXPECT_FALSE(load_identity(suite(), ByteView(file).first(n))) << n;
  for (std::size_t bit = 0; bit < file.size() * 8; ++bit) {
    auto bad = file;
    bad[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    EXPECT_FALSE(load_identity(suite(), bad)) << bit;
  }
  auto longer = file;
  longer.push_back('\n');
  EXPECT_FALSE(load_identity(suite(), longer));
}

TEST_P(KeyFile, SaysWhyItIsRefused) {
  const auto file = save_identity(suite(), make());
  auto newer = file;
  newer[11] = '2';
  EXPECT_EQ(load_identity(suite(), newer).error(), Fault::unsupported);
  EXPECT_EQ(load_identity(suite(), view("-----BEGIN PRIVATE KEY-----")).error(), Fault::malformed);
  EXPECT_EQ(load_identity(suite(), {}).error(), Fault::truncated);
  auto flipped = file;
  flipped[40] ^= 1;
  EXPECT_EQ(load_identity(suite(), flipped).error(), Fault::bad_mac);
}

TEST_P(KeyFile, RefusesPartsThatDoNotBelongTogetherHoweverWellTheyAreSummed) {
  auto stolen = make();
  stolen.certificate = make("bob@acme.example", 6).certificate;
  EXPECT_EQ(load_identity(suite(), save_identity(suite(), stolen)).error(), Fault::mismatch);

  auto unsigned_one = make();
  unsigned_one.certificate.epoch = 9;
  EXPECT_EQ(load_identity(suite(), save_identity(suite(), unsigned_one)).error(), Fault::bad_signature);

  auto posing = make("");
  posing.address = make("", 6).address;
  EXPECT_EQ(load_identity(suite(), save_identity(suite(), posing)).error(), Fault::mismatch);
}

TEST(Fingerprint, IsTwelveGroupsOfFiveDigitsAndDependsOnEveryByte) {
  AccountKey key;
  const auto base = fingerprint(key);
  ASSERT_EQ(base.size(), 12U * 5 + 11);
  for (std::size_t i = 0; i < base.size(); ++i) {
    if (i % 6 == 5) {
      EXPECT_EQ(base[i], ' ');
    } else {
      EXPECT_TRUE(base[i] >= '0' && base[i] <= '9');
    }
  }
  std::set<std::string> seen = {base};
  for (std::size_t i = 0; i < 32; ++i) {
    AccountKey other;
    other.bytes[i] = 1;
    EXPECT_TRUE(seen.insert(fingerprint(other)).second) << i;
  }
  // The first group is BLAKE2b-256(AK), as one big-endian number, modulo 100,000.
  const auto hash = hash256({key}).bytes;
  std::uint64_t low = 0;
  for (const auto b : hash) low = (low * 256 + b) % 100000;
  EXPECT_EQ(std::stoull(base.substr(0, 5)), low);
}

}  // namespace
}  // namespace linnet::crypto
