#include "node/io/store.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/io/home_folder.h"

namespace linnet::io {
namespace {

crypto::Address address(const std::string& text) { return crypto::Address::parse(text).value(); }
crypto::AccountKey account(std::uint8_t fill) {
  crypto::AccountKey key;
  key.bytes.fill(fill);
  return key;
}
HistoryRow row(int n) {
  return {
      Wall{1000 + n}, node::Direction::outgoing, "bob@demo.example", "ended", "", "{\"n\":" + std::to_string(n) + "}"};
}

TEST(Store, RemembersPinsSequenceAndHistory) {
  const HomeFolder home;
  {
    auto store = Store::open(home / "store.db");
    ASSERT_TRUE(store) << store.error().text;
    EXPECT_EQ(*store->sequence(), 1u);
    EXPECT_TRUE(store->save_pin(address("bob@demo.example"), account(7)));
    EXPECT_TRUE(store->save_sequence(42));
    EXPECT_TRUE(store->add_history(row(1)));
    EXPECT_TRUE(store->add_history(row(2)));
  }
  auto store = Store::open(home / "store.db");
  ASSERT_TRUE(store) << store.error().text;
  EXPECT_EQ(*store->sequence(), 42u);
  EXPECT_EQ(store->memory()->pins.at(address("bob@demo.example")), account(7));
  const auto history = store->history(10);
  ASSERT_EQ(history->size(), 2u);
  EXPECT_EQ(history->front().json, "{\"n\":1}");
  EXPECT_EQ(history->back().started, Wall{1002});
  EXPECT_EQ(store->history(1)->front().json, "{\"n\":2}");
}

TEST(Store, NeverReplacesAPinThatStands) {
  const HomeFolder home;
  auto store = Store::open(home / "store.db");
  ASSERT_TRUE(store);
  ASSERT_TRUE(store->save_pin(address("bob@demo.example"), account(7)));
  ASSERT_TRUE(store->save_pin(address("bob@demo.example"), account(8)));
  EXPECT_EQ(store->memory()->pins.at(address("bob@demo.example")), account(7));
}

TEST(Store, NeverTakesASequenceBack) {
  const HomeFolder home;
  auto store = Store::open(home / "store.db");
  ASSERT_TRUE(store);
  ASSERT_TRUE(store->save_sequence(100));
  ASSERT_TRUE(store->save_sequence(50));
  EXPECT_EQ(*store->sequence(), 100u);
}

TEST(Store, KeepsEveryAcknowledgedRowWhenTheProcessIsKilled) {
  const HomeFolder home;
  for (int round = 0; round < 20; ++round) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      auto store = Store::open(home / "store.db");
      for (int i = 0; store && i < 1000; ++i) {
        if (!store->save_sequence(static_cast<std::uint64_t>(round * 1000 + i + 2))) break;
        if (!store->add_history(row(round * 1000 + i))) break;
        const char acknowledged = 1;
        if (::write(ends[1], &acknowledged, 1) != 1) break;
      }
      ::_exit(0);
    }
    ::close(ends[1]);
    char c;
    int acknowledged = 0;
    for (; acknowledged < 3 + round % 5 && ::read(ends[0], &c, 1) == 1; ++acknowledged) {
    }
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    while (::read(ends[0], &c, 1) == 1) ++acknowledged;
    ::close(ends[0]);
    ASSERT_GT(acknowledged, 0);
    auto store = Store::open(home / "store.db");
    ASSERT_TRUE(store) << store.error().text;
    EXPECT_GE(*store->sequence(), static_cast<std::uint64_t>(round * 1000 + acknowledged + 1));
    int found = 0;
    const auto rows = store->history(Store::kMaxHistory);
    ASSERT_TRUE(rows);
    for (const auto& r : *rows) found += seconds(r.started) >= 1000 + round * 1000 ? 1 : 0;
    EXPECT_GE(found, acknowledged);
  }
}

TEST(Store, RefusesADamagedFileAndLeavesItAsItIs) {
  const HomeFolder home;
  for (const std::string& bytes : {std::string("this is no database"), std::string(), std::string(8192, 'x')}) {
    home.write("store.db", bytes);
    ::chmod((home / "store.db").c_str(), 0600);
    const auto store = Store::open(home / "store.db");
    ASSERT_FALSE(store);
    EXPECT_NE(store.error().text.find("is damaged"), std::string::npos) << store.error().text;
    EXPECT_EQ(home.read("store.db"), bytes);
  }
}

TEST(Store, RefusesAStoreWithABrokenPage) {
  const HomeFolder home;
  {
    auto store = Store::open(home / "store.db");
    ASSERT_TRUE(store);
    for (int i = 0; i < 200; ++i) ASSERT_TRUE(store->add_history(row(i)));
  }
  std::string bytes = home.read("store.db");
  ASSERT_GT(bytes.size(), 4 * 4096u);
  for (std::size_t i = 4096; i < bytes.size(); ++i) bytes[i] = static_cast<char>(0xA5);
  home.write("store.db", bytes);
  const auto store = Store::open(home / "store.db");
  ASSERT_FALSE(store);
  EXPECT_NE(store.error().text.find("is damaged"), std::string::npos) << store.error().text;
  EXPECT_EQ(home.read("store.db"), bytes);
}

TEST(Store, RefusesAFileThatIsOpenToOthers) {
  const HomeFolder home;
  ASSERT_TRUE(Store::open(home / "store.db"));
  ::chmod((home / "store.db").c_str(), 0644);
  const auto store = Store::open(home / "store.db");
  ASSERT_FALSE(store);
  EXPECT_NE(store.error().text.find("is open to other users (mode 0644)"), std::string::npos) << store.error().text;
}

TEST(Store, IsClosedToOthersWithItsSideFiles) {
  const HomeFolder home;
  auto store = Store::open(home / "store.db");
  ASSERT_TRUE(store);
  ASSERT_TRUE(store->save_sequence(2));
  for (const auto& entry : std::filesystem::directory_iterator(home.path())) {
    struct stat s {};
    ASSERT_EQ(::stat(entry.path().c_str(), &s), 0);
    EXPECT_EQ(s.st_mode & 077u, 0u) << entry.path();
  }
}

}  // namespace
}  // namespace linnet::io
