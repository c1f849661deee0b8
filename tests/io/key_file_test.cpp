#include "node/io/store/key_file.h"

#include <sys/stat.h>

#include "node/io/files.h"
#include "node/io/random.h"
#include "node/io/settings/home.h"
#include "tests/io/home_folder.h"

namespace linnet::io {
namespace {

constexpr Wall kNow{1'790'000'000};

TEST(KeyFile, IsMadeOnceAndReadBack) {
  const HomeFolder home;
  SystemRng rng;
  const auto made = create_identity_file(home / "identity.key", rng,
                                         crypto::Address::parse("alice@demo.example").value(), "alice", kNow);
  ASSERT_TRUE(made) << made.error().text;
  const auto loaded = load_identity_file(home / "identity.key");
  ASSERT_TRUE(loaded && *loaded);
  EXPECT_EQ((*loaded)->address.text(), "alice@demo.example");
  EXPECT_EQ((*loaded)->account_key(), made->account_key());
  struct stat s {};
  ASSERT_EQ(::stat((home / "identity.key").c_str(), &s), 0);
  EXPECT_EQ(s.st_mode & 07777u, 0600u);
}

TEST(KeyFile, TakesTheKeyNameWhenNoAddressWasChosen) {
  const HomeFolder home;
  SystemRng rng;
  const auto made = create_identity_file(home / "identity.key", rng, {}, "Carol", kNow);
  ASSERT_TRUE(made);
  EXPECT_TRUE(made->address.is_key_name());
  EXPECT_EQ(made->address.user(), "carol");
  EXPECT_TRUE(made->address.proves(made->account_key()));
}

TEST(KeyFile, IsNeverOverwritten) {
  const HomeFolder home;
  SystemRng rng;
  ASSERT_TRUE(create_identity_file(home / "identity.key", rng, {}, "carol", kNow));
  const auto before = home.read("identity.key");
  const auto again = create_identity_file(home / "identity.key", rng, {}, "dave", kNow);
  ASSERT_FALSE(again);
  EXPECT_NE(again.error().text.find("There is an identity already"), std::string::npos);
  EXPECT_EQ(home.read("identity.key"), before);
}

TEST(KeyFile, IsRefusedWhenDamagedAndLeftAsItIs) {
  const HomeFolder home;
  SystemRng rng;
  ASSERT_TRUE(create_identity_file(home / "identity.key", rng, {}, "carol", kNow));
  const auto whole = home.read("identity.key");
  for (std::size_t at = 0; at < whole.size(); at += 7) {
    auto bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x10);
    home.write("identity.key", bytes);
    const auto loaded = load_identity_file(home / "identity.key");
    ASSERT_FALSE(loaded) << "byte " << at;
    EXPECT_EQ(home.read("identity.key"), bytes);
  }
}

TEST(KeyFile, OpensOnlyWithItsPassphraseOnceItIsLocked) {
  const HomeFolder home;
  SystemRng rng;
  const auto path = home / "identity.key";
  const auto made = create_identity_file(path, rng, {}, "carol", kNow, "correct horse");
  ASSERT_TRUE(made) << made.error().text;
  EXPECT_TRUE(key_file_locked(path));
  const auto before = home.read("identity.key");
  EXPECT_EQ(before.find("carol@"), std::string::npos) << "not even the name is to be read";
  const auto asked = load_identity_file(path);
  ASSERT_FALSE(asked);
  EXPECT_NE(asked.error().text.find("is locked with a passphrase"), std::string::npos);
  const auto wrong = KeyFile::load(path, [] { return std::string("wrong"); });
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().exit, Exit::identity);
  EXPECT_NE(wrong.error().text.find("The passphrase does not open"), std::string::npos);
  auto opened = KeyFile::load(path, [] { return std::string("correct horse"); });
  ASSERT_TRUE(opened && *opened);
  auto& [file, identity] = **opened;
  EXPECT_EQ(identity.account_key(), made->account_key());
  EXPECT_EQ(home.read("identity.key"), before) << "looking changes nothing";
  // A renewed certificate is written without asking again, and is locked as before.
  crypto::renew_certificate(crypto::shipped_suite(), identity, kNow + std::chrono::hours(24 * 20));
  ASSERT_TRUE(file.save(rng, identity));
  EXPECT_TRUE(key_file_locked(path));
  const auto again = KeyFile::load(path, [] { return std::string("correct horse"); });
  ASSERT_TRUE(again && *again);
  EXPECT_EQ((*again)->second.certificate.not_before, kNow + std::chrono::hours(24 * 20));
}

TEST(KeyFile, SaysThatItIsDamagedNotThatThePassphraseIsWrong) {
  const HomeFolder home;
  SystemRng rng;
  ASSERT_TRUE(create_identity_file(home / "identity.key", rng, {}, "carol", kNow, "correct horse"));
  auto bytes = home.read("identity.key");
  bytes[100] ^= 1;
  home.write("identity.key", bytes);
  const auto loaded = KeyFile::load(home / "identity.key", [] { return std::string("correct horse"); });
  ASSERT_FALSE(loaded);
  EXPECT_NE(loaded.error().text.find("is damaged"), std::string::npos) << loaded.error().text;
  EXPECT_EQ(home.read("identity.key"), bytes);
}

TEST(BackupFile, IsNeverWrittenOverAndAlwaysLocked) {
  const HomeFolder home;
  SystemRng rng;
  const auto who = create_identity_file(home / "identity.key", rng, {}, "carol", kNow);
  ASSERT_TRUE(who);
  crypto::Backup backup;
  backup.address = who->address;
  backup.account = who->account;
  EXPECT_FALSE(write_backup_file(home / "b", rng, backup, "")) << "a backup without a passphrase is a gift";
  ASSERT_TRUE(write_backup_file(home / "b", rng, backup, "correct horse"));
  const auto bytes = home.read("b");
  EXPECT_EQ(bytes.find("carol"), std::string::npos);
  EXPECT_FALSE(write_backup_file(home / "b", rng, backup, "other"));
  EXPECT_EQ(home.read("b"), bytes);
  EXPECT_EQ(read_backup_file(home / "b", "wrong").error().exit, Exit::identity);
  EXPECT_EQ(read_backup_file(home / "none", "x").error().exit, Exit::not_found);
  const auto read = read_backup_file(home / "b", "correct horse");
  ASSERT_TRUE(read) << read.error().text;
  EXPECT_EQ(read->account.public_key, who->account.public_key);
}

TEST(KeyFile, IsRefusedWhenOpenToOthers) {
  const HomeFolder home;
  SystemRng rng;
  ASSERT_TRUE(create_identity_file(home / "identity.key", rng, {}, "carol", kNow));
  ::chmod((home / "identity.key").c_str(), 0640);
  const auto loaded = load_identity_file(home / "identity.key");
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().text, (home / "identity.key").string() +
                                     " is open to other users (mode 0640). Refusing to start.\n  Close it: chmod 600 " +
                                     (home / "identity.key").string());
}

TEST(Home, IsRefusedWhenOpenToOthers) {
  const HomeFolder folder;
  ::chmod(folder.path().c_str(), 0755);
  const auto home = find_home(folder.path().string());
  ASSERT_TRUE(home);
  const auto made = make_home(*home);
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().text.find("is open to other users (mode 0755)"), std::string::npos);
}

TEST(Home, IsHeldByOneDaemonAtATime) {
  const HomeFolder folder;
  const auto home = find_home(folder.path().string());
  ASSERT_TRUE(make_home(*home));
  {
    const auto first = HomeLock::take(*home);
    ASSERT_TRUE(first && *first);
    const auto second = HomeLock::take(*home);
    ASSERT_TRUE(second);
    EXPECT_FALSE(*second);
  }
  const auto third = HomeLock::take(*home);
  ASSERT_TRUE(third);
  EXPECT_TRUE(*third);
}

}  // namespace
}  // namespace linnet::io
