// security.md, check 14: take any field out of what proves who somebody is, or leave it blank, and it is refused: in a
// record, a device certificate, an invitation, a supernode's descriptor and the payloads of the session handshake. And
// check 3 for those payloads: every truncation and every flipped bit.
#include <gtest/gtest.h>

#include <functional>

#include "base/bytes.h"
#include "crypto/invitation.h"
#include "overlay/hello.h"

namespace linnet::overlay {
namespace {

constexpr Wall kNow{1'800'000'000};
const crypto::NetworkId kNetwork = crypto::network_id("linnet");

struct Field {
  const char* name;
  std::size_t bytes;
};

// Something that is proven, its fields in the order of the wire, and the door that judges it.
struct Proof {
  const char* name;
  Bytes wire;
  std::vector<Field> fields;
  std::function<bool(ByteView)> accepted;
};

const std::vector<Field> kCertificate{{"account key", 32}, {"device key", 32}, {"not before", 8},
                                      {"not after", 8},    {"epoch", 4},       {"account's signature", 64}};

std::vector<Field> with_certificate(std::vector<Field> before, const std::vector<Field>& after) {
  before.insert(before.end(), kCertificate.begin(), kCertificate.end());
  before.insert(before.end(), after.begin(), after.end());
  return before;
}

struct World {
  const crypto::Suite& suite = crypto::shipped_suite();
  SeededRng rng{7};
  crypto::Address name = *crypto::Address::parse("alice@demo.example");
  crypto::Identity alice = crypto::make_identity(suite, rng, name, kNow);

  World() {
    alice.certificate.epoch = 3;  // no field is zero by chance
    crypto::renew_certificate(suite, alice, kNow);
  }
  dht::SignedRecord record() {
    dht::RecordBody body;
    body.session = alice.session_key();
    body.homes.push_back({{IpAddress::v4(203, 0, 113, 1), 4400, Transport::udp}, crypto::SessionKey{}, 7});
    return *dht::make_record(suite, alice, kNetwork, name, body, 5, kNow, std::chrono::hours(1));
  }
  dht::Contact descriptor() {
    dht::Contact out;
    out.endpoint = {IpAddress::v4(203, 0, 113, 1), 4400, Transport::udp};
    out.device = alice.device_key();
    out.session = alice.session_key();
    out.signature = crypto::sign_session_key(suite, alice.device, kNetwork, out.session);
    out.position = dht::position(out.endpoint.ip, out.device);
    return out;
  }
  std::vector<Field> record_fields(const Bytes& wire) const {
    const std::size_t around = 1 + 32 + 32 + crypto::kDeviceCertificateBytes + 24 + 2 + 64;
    return with_certificate({{"version", 1}, {"network", 32}, {"user key", 32}},
                            {{"sequence", 8},
                             {"not before", 8},
                             {"expiry", 8},
                             {"length", 2},
                             {"sealed inside", wire.size() - around},
                             {"device's signature", 64}});
  }
  bool hello(ByteView b) const { return read_hello(suite, kNetwork, alice.session_key(), kNow, b).has_value(); }

  Proof certificate() {
    Writer out;
    crypto::write(out, alice.certificate);
    return {"certificate", out.take(), kCertificate, [this](ByteView b) {
              Reader in(b);
              const auto c = crypto::read_device_certificate(in);
              return c && in.done() && crypto::verify(suite, *c, kNow);
            }};
  }
  Proof signed_record() {
    auto wire = record().wire;
    auto fields = record_fields(wire);
    return {"record", std::move(wire), std::move(fields), [this](ByteView b) {
              const auto r = dht::read_record(suite, kNetwork, b);
              return r && dht::check_time(*r, kNow) && dht::open_record(suite, *r, name);
            }};
  }
  Proof invitation() {
    crypto::Invitation one;
    one.account = alice.account_key();
    one.address = name;
    one.via.push_back({{IpAddress::v4(203, 0, 113, 1), 4400, Transport::udp}, alice.session_key()});
    one.expires = kNow + std::chrono::hours(24);
    one.secret = rng.array<16>();
    auto code = crypto::write_invitation(suite, alice, kNetwork, one)->substr(7);
    for (auto& c : code) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return {
        "invitation",
        from_base32(code).value(),
        {{"version", 1},
         {"network", 8},
         {"account key", 32},
         {"name's length", 2},
         {"name", name.text().size()},
         {"count", 1},
         {"endpoint", 8},
         {"session key", 32},
         {"expiry", 8},
         {"secret", 16},
         {"signature", 64}},
        [this](ByteView b) { return crypto::read_invitation(suite, kNetwork, "LINNET-" + to_base32(b)).has_value(); }};
  }
  Proof client_hello() {
    return {"client hello", write_client_hello(suite, alice, kNetwork, std::nullopt),
            with_certificate({{"kind", 1}}, {{"signature over the session key", 64}}),
            [this](ByteView b) { return hello(b); }};
  }
  Proof supernode_hello() {
    Proof out{"hello of a supernode", write_client_hello(suite, alice, kNetwork, descriptor()),
              with_certificate({{"kind", 1}}, {{"signature over the session key", 64},
                                               {"endpoint", 8},
                                               {"device key again", 32},
                                               {"session key", 32},
                                               {"signature again", 64}}),
              [this](ByteView b) { return hello(b); }};
    return out;
  }
  Proof person_hello() {
    const auto one = record();
    auto fields = record_fields(one.wire);
    fields.insert(fields.begin(), {{"kind", 1}, {"name's length", 2}, {"name", name.text().size()}});
    return {"person hello", write_person_hello(name, one), std::move(fields), [this](ByteView b) { return hello(b); }};
  }
  Proof greeting() {
    return {"greeting",
            write_greeting(descriptor(), kNow),
            {{"endpoint", 8}, {"device key", 32}, {"session key", 32}, {"signature", 64}, {"time", 8}},
            [this](ByteView b) { return read_greeting(suite, kNetwork, alice.session_key(), b).has_value(); }};
  }
};

struct Kind {
  const char* name;
  Proof (World::*make)();
};
void PrintTo(const Kind& kind, std::ostream* out) { *out << kind.name; }  // else a test is named by addresses

struct MissingField : testing::TestWithParam<Kind> {
  World world;
  Proof proof = (world.*GetParam().make)();
};
INSTANTIATE_TEST_SUITE_P(Kinds, MissingField,
                         testing::Values(Kind{"certificate", &World::certificate},
                                         Kind{"record", &World::signed_record}, Kind{"invitation", &World::invitation},
                                         Kind{"client_hello", &World::client_hello},
                                         Kind{"supernode_hello", &World::supernode_hello},
                                         Kind{"person_hello", &World::person_hello},
                                         Kind{"greeting", &World::greeting}));

TEST_P(MissingField, IsRefusedCutOutAndBlank) {
  ASSERT_TRUE(proof.accepted(proof.wire)) << proof.name;
  std::size_t at = 0;
  for (const auto& field : proof.fields) {
    const auto begin = proof.wire.begin() + static_cast<std::ptrdiff_t>(at);
    const auto end = begin + static_cast<std::ptrdiff_t>(field.bytes);
    Bytes without(proof.wire.begin(), begin);
    without.insert(without.end(), end, proof.wire.end());
    EXPECT_FALSE(proof.accepted(without)) << proof.name << " without " << field.name;
    Bytes blank = proof.wire;
    std::fill_n(blank.begin() + static_cast<std::ptrdiff_t>(at), field.bytes, 0);
    ASSERT_NE(blank, proof.wire) << field.name << " was blank before";
    EXPECT_FALSE(proof.accepted(blank)) << proof.name << " with blank " << field.name;
    at += field.bytes;
  }
  EXPECT_EQ(at, proof.wire.size()) << "every byte belongs to a field";
}

TEST_P(MissingField, EveryTruncationIsRefused) {
  for (std::size_t n = 0; n < proof.wire.size(); ++n) {
    // A supernode's hello without its descriptor is a leaf's.
    const bool leaf = GetParam().make == &World::supernode_hello && n == world.client_hello().wire.size();
    if (!leaf) {
      EXPECT_FALSE(proof.accepted(ByteView(proof.wire).first(n))) << proof.name << ' ' << n;
    }
  }
}

// The endpoint of a descriptor is its sender's word, believed after a round trip: whatever it says, the keys stay.
TEST_P(MissingField, NoFlippedBitChangesWhoItIs) {
  const auto descriptor_at = GetParam().make == &World::supernode_hello ? world.client_hello().wire.size() : 0;
  const bool is_greeting = GetParam().make == &World::greeting;
  const bool has_endpoint = GetParam().make == &World::supernode_hello || is_greeting;
  for (std::size_t bit = 0; bit < proof.wire.size() * 8; ++bit) {
    const auto at = bit / 8;
    if (has_endpoint && at >= descriptor_at && at < descriptor_at + 8) continue;
    if (is_greeting && at >= proof.wire.size() - 8) continue;  // its time
    auto bad = proof.wire;
    bad[at] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    ASSERT_FALSE(proof.accepted(bad)) << proof.name << " bit " << bit;
  }
}

}  // namespace
}  // namespace linnet::overlay
