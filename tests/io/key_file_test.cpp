#include "node/io/key_file.h"

#include <sys/stat.h>

#include "node/io/files.h"
#include "node/io/home.h"
#include "node/io/random.h"
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
