#include "crypto/backup.h"

#include <algorithm>
#include <set>

#include "each_suite.h"

namespace linnet::crypto {
namespace {

constexpr Wall kNow{1'800'000'000};

class Backups : public EachSuite {
 protected:
  Identity alice() { return make_identity(suite(), rng_, *Address::parse("alice@acme.example"), kNow); }
  Backup of(const Identity& identity) {
    Backup out;
    out.address = identity.address;
    out.account = identity.account;
    out.epoch = identity.certificate.epoch;
    out.made = kNow;
    out.people = copy(view("people"));
    return out;
  }
};
LINNET_EACH_SUITE(Backups);

TEST_P(Backups, GiveBackThePerson) {
  const auto identity = alice();
  const auto read = read_backup(suite(), write_backup(of(identity)));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->address, identity.address);
  EXPECT_EQ(read->account.public_key, identity.account.public_key);
  EXPECT_EQ(read->made, kNow);
  EXPECT_EQ(text(read->people), "people");
}

TEST_P(Backups, RestoredMakeANewDeviceEachTime) {
  const auto identity = alice();
  const auto backup = read_backup(suite(), write_backup(of(identity))).value();
  std::set<DeviceKey> devices{identity.device_key()};
  std::set<SessionKey> sessions{identity.session_key()};
  for (int n = 0; n < 5; ++n) {
    const auto restored = restore_identity(suite(), rng_, backup.account, backup.address, backup.epoch, kNow);
    EXPECT_EQ(restored.account_key(), identity.account_key());
    EXPECT_EQ(restored.key_name(), identity.key_name());
    EXPECT_TRUE(verify(suite(), restored.certificate, kNow));
    EXPECT_EQ(restored.certificate.device, restored.device_key());
    devices.insert(restored.device_key());
    sessions.insert(restored.session_key());
  }
  EXPECT_EQ(devices.size(), 6U);
  EXPECT_EQ(sessions.size(), 6U);
}

TEST_P(Backups, AreReadWholeOrNotAtAll) {
  const auto whole = write_backup(of(alice()));
  for (std::size_t n = 0; n < whole.size(); ++n) EXPECT_FALSE(read_backup(suite(), ByteView(whole).first(n))) << n;
  auto longer = whole;
  longer.push_back(0);
  EXPECT_EQ(read_backup(suite(), longer).error(), Fault::malformed);
}

TEST_P(Backups, OfAKeyNameHoldThatKey) {
  auto identity = make_identity(suite(), rng_, {}, kNow);
  auto backup = of(identity);
  EXPECT_TRUE(read_backup(suite(), write_backup(backup)));
  backup.account = alice().account;
  EXPECT_EQ(read_backup(suite(), write_backup(backup)).error(), Fault::mismatch);
}

TEST_P(Backups, OfARevokedTimeBringAHigherEpochWhenAsked) {
  auto restored = restore_identity(suite(), rng_, alice().account, *Address::parse("alice@acme.example"), 4, kNow);
  EXPECT_EQ(restored.certificate.epoch, 4U);
  ASSERT_TRUE(revoke_others(suite(), restored, kNow));
  EXPECT_EQ(restored.certificate.epoch, 5U);
  EXPECT_TRUE(verify(suite(), restored.certificate, kNow));
  restored.certificate.epoch = kLastEpoch;
  EXPECT_EQ(revoke_others(suite(), restored, kNow).error(), Fault::full);
}

}  // namespace
}  // namespace linnet::crypto
