#include "dht/record.h"

#include "crypto/sealed_box.h"
#include "tests/dht/support.h"

namespace linnet::dht::test {
namespace {

class Record : public ::testing::TestWithParam<const crypto::Suite*> {
 protected:
  const crypto::Suite& suite = *GetParam();
  crypto::Identity who = person(suite, 1, "alice");
  crypto::Address name = address("alice");
};
INSTANTIATE_TEST_SUITE_P(Suites, Record, ::testing::Values(&crypto::shipped_suite(), &crypto::typed_suite()));

RecordBody full_body() {
  RecordBody out;
  out.session.bytes.fill(9);
  out.capabilities = 0xffffffffffffffffU;
  for (std::uint8_t i = 0; i < kMaxHomes; ++i) {
    const Endpoint at{*IpAddress::parse("2001:db8::5"), static_cast<std::uint16_t>(60000 + i), Transport::tls};
    out.homes.push_back({at, crypto::SessionKey{}, ~std::uint64_t{0}});
  }
  return out;
}

TEST_P(Record, TheNameOpensWhatWasSealed) {
  const auto body = full_body();
  const auto made = make_record(suite, who, network(), name, body, 5, kNow, std::chrono::hours(2));
  ASSERT_TRUE(made);
  EXPECT_LE(made->wire.size(), kMaxRecord);
  const auto read = read_record(suite, network(), made->wire);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->user, crypto::user_key(name));
  EXPECT_EQ(read->sequence, 5U);
  EXPECT_EQ(read->device(), who.device_key());
  EXPECT_EQ(read->account(), who.account_key());
  EXPECT_TRUE(check_time(*read, kNow));
  const auto opened = open_record(suite, *read, name);
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->session, body.session);
  EXPECT_EQ(opened->homes, body.homes);
  EXPECT_EQ(opened->capabilities, body.capabilities);
}

TEST_P(Record, AnotherNameOpensNothing) {
  auto made = record_for(suite, who, name);
  EXPECT_EQ(open_record(suite, made, address("bob")).error(), Fault::mismatch);
  made.user = crypto::user_key(address("bob"));  // even when the place is forged, the key is another
  EXPECT_EQ(open_record(suite, made, address("bob")).error(), Fault::bad_mac);
}

TEST_P(Record, EveryBitFlipAndTruncationIsRefused) {
  const auto made = record_for(suite, who, name);
  for (std::size_t n = 0; n < made.wire.size(); ++n)
    EXPECT_FALSE(read_record(suite, network(), ByteView(made.wire).first(n))) << n;
  auto longer = made.wire;
  longer.push_back(0);
  EXPECT_FALSE(read_record(suite, network(), longer));
  for (std::size_t bit = 0; bit < made.wire.size() * 8; bit += GetParam() == &crypto::shipped_suite() ? 5 : 1) {
    auto flipped = made.wire;
    flipped[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    ASSERT_FALSE(read_record(suite, network(), flipped)) << bit;
  }
}

TEST_P(Record, ACertificateOfAnotherDeviceIsRefused) {
  auto mixed = who;
  mixed.device = person(suite, 2).device;  // signs with a key that alice's account never certified
  const auto made = make_record(suite, mixed, network(), name, {}, 1, kNow, std::chrono::hours(1));
  ASSERT_TRUE(made);
  EXPECT_EQ(read_record(suite, network(), made->wire).error(), Fault::bad_signature);
}

TEST_P(Record, AnotherNetworksRecordIsRefused) {
  EXPECT_EQ(read_record(suite, crypto::network_id("other"), record_for(suite, who, name).wire).error(),
            Fault::mismatch);
}

TEST_P(Record, IsGoodInItsTimeOnly) {
  const auto made = record_for(suite, who, name);
  EXPECT_TRUE(check_time(made, kNow));
  EXPECT_TRUE(check_time(made, kNow + std::chrono::seconds(3599)));
  EXPECT_EQ(check_time(made, kNow + std::chrono::seconds(3600)).error(), Fault::expired);
  EXPECT_EQ(check_time(made, kNow - std::chrono::seconds(301)).error(), Fault::expired);
  auto old_certificate = made;
  old_certificate.certificate.not_after = kNow - std::chrono::seconds(301);
  EXPECT_EQ(check_time(old_certificate, kNow).error(), Fault::expired);
}

TEST_P(Record, LivesTwoHoursAtMost) {
  EXPECT_FALSE(make_record(suite, who, network(), name, {}, 1, kNow, kMaxRecordLife + std::chrono::seconds(1)));
  EXPECT_FALSE(make_record(suite, who, network(), name, {}, 1, kNow, std::chrono::seconds(0)));
  auto made = record_for(suite, who, name);
  made.expiry = made.not_before + kMaxRecordLife + std::chrono::seconds(1);
  EXPECT_EQ(check_time(made, kNow).error(), Fault::too_big);
}

TEST_P(Record, HasRoomForFourHomesAndNoMore) {
  auto body = full_body();
  body.homes.push_back(body.homes[0]);
  EXPECT_EQ(make_record(suite, who, network(), name, body, 1, kNow, std::chrono::hours(1)).error(), Fault::too_big);
}

TEST_P(Record, SendsCallersToHostsOnly) {
  RecordBody body;
  body.session.bytes.fill(9);
  body.homes.push_back({endpoint(0x0a000001, 0), crypto::SessionKey{}, 1});
  body.homes.push_back({endpoint(0xe0000001), crypto::SessionKey{}, 2});
  body.homes.push_back({endpoint(1), crypto::SessionKey{}, 3});  // 0.0.0.1
  body.homes.push_back({endpoint(0x0a000001), crypto::SessionKey{}, 4});
  const auto made = make_record(suite, who, network(), name, body, 5, kNow, std::chrono::hours(1));
  ASSERT_TRUE(made);
  const auto opened = open_record(suite, *made, name);
  ASSERT_TRUE(opened);
  ASSERT_EQ(opened->homes.size(), 1U);
  EXPECT_EQ(opened->homes[0].tag, 4U);
}

}  // namespace
}  // namespace linnet::dht::test
