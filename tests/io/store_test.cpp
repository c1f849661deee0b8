#include "node/io/store/store.h"

#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/io/home_folder.h"

namespace linnet::io {
namespace {

crypto::Address address(const std::string& text) { return crypto::Address::parse(text).value(); }
node::PersonKey key(std::uint8_t fill) {
  node::PersonKey out;
  out.bytes.fill(fill);
  return out;
}
Done save_pin(Store& store, const crypto::Address& address, const node::PersonKey& key) {
  return store.save_people({node::Pin{address, key}});
}
node::Contact contact(std::uint8_t fill) {
  node::Contact out;
  out.key = key(fill);
  out.key_name = crypto::Address::key_name("bob", out.key);
  out.address = address("bob@demo.example");
  out.name = "bob" + std::to_string(fill);
  out.account.emplace().bytes.fill(fill);
  out.source = node::Source::invitation;
  out.since = Wall{1000};
  out.verified = Wall{2000};
  out.blocked = true;
  out.epoch = 0xffffffff;
  out.heard = Wall{3000};
  return out;
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
    EXPECT_TRUE(save_pin(*store, address("bob@demo.example"), key(7)));
    EXPECT_TRUE(store->save_sequence(42));
    EXPECT_TRUE(store->add_history(row(1)));
    EXPECT_TRUE(store->add_history(row(2)));
  }
  auto store = Store::open(home / "store.db");
  ASSERT_TRUE(store) << store.error().text;
  EXPECT_EQ(*store->sequence(), 42u);
  EXPECT_EQ(store->memory()->pins.at(address("bob@demo.example")), key(7));
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
  ASSERT_TRUE(save_pin(*store, address("bob@demo.example"), key(7)));
  ASSERT_TRUE(save_pin(*store, address("bob@demo.example"), key(8)));
  EXPECT_EQ(store->memory()->pins.at(address("bob@demo.example")), key(7));
}

TEST(Store, RemembersEveryoneAsTheyWere) {
  const HomeFolder home;
  const auto kept = contact(3);
  const crypto::InvitationId id{9};
  {
    auto store = Store::open(home / "store.db");
    ASSERT_TRUE(store);
    auto stranger = contact(4);
    stranger.account.reset();
    stranger.verified.reset();
    stranger.heard.reset();
    stranger.name.clear();
    ASSERT_TRUE(store->save_people({kept, stranger, contact(5), node::DropContact{key(5)},
                                    node::StoredInvitation{id, Wall{1}, Wall{2}, key(3)},
                                    node::StoredInvitation{{8}, Wall{1}, Wall{2}, std::nullopt},
                                    node::DropInvitation{{8}}, node::Acceptance{key(3), {7}, Wall{5}},
                                    node::Request{key(6), kept.key_name, kept.address, Wall{3}, Wall{4}, 5},
                                    node::Pin{address("a@b.example"), key(3)}, node::Unpin{address("a@b.example")}}));
  }
  auto store = Store::open(home / "store.db");
  ASSERT_TRUE(store);
  const auto memory = store->memory();
  ASSERT_TRUE(memory) << memory.error().text;
  ASSERT_EQ(memory->contacts.size(), 2u);
  const auto& read = memory->contacts.at(key(3));
  EXPECT_EQ(read.name, kept.name);
  EXPECT_EQ(read.account, kept.account);
  EXPECT_EQ(read.source, kept.source);
  EXPECT_EQ(read.verified, kept.verified);
  EXPECT_EQ(read.epoch, kept.epoch);
  EXPECT_EQ(read.heard, kept.heard);
  EXPECT_TRUE(read.blocked);
  EXPECT_FALSE(memory->contacts.at(key(4)).account);
  EXPECT_FALSE(memory->contacts.at(key(4)).verified);
  EXPECT_FALSE(memory->contacts.at(key(4)).heard);
  ASSERT_EQ(memory->invitations.size(), 1u);
  EXPECT_EQ(memory->invitations[0].id, id);
  EXPECT_EQ(memory->invitations[0].used_by, key(3));
  ASSERT_EQ(memory->acceptances.size(), 1u);
  EXPECT_EQ(memory->acceptances[0].secret, crypto::InvitationSecret{7});
  ASSERT_EQ(memory->requests.size(), 1u);
  EXPECT_EQ(memory->requests[0].times, 5u);
  EXPECT_TRUE(memory->pins.empty());
}

TEST(Store, TakesOverThePinsOfTheFirstVersion) {
  const HomeFolder home;
  const crypto::AccountKey account{{1, 2, 3}};
  const std::string sql =
      "PRAGMA application_id=1280197972;PRAGMA user_version=1;"
      "CREATE TABLE counters(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
      "CREATE TABLE pins(address TEXT PRIMARY KEY, account BLOB NOT NULL CHECK(length(account)=32)) WITHOUT ROWID;"
      "CREATE TABLE history(id INTEGER PRIMARY KEY AUTOINCREMENT, started INTEGER NOT NULL, outgoing INTEGER NOT NULL,"
      " peer TEXT NOT NULL, result TEXT NOT NULL, text TEXT NOT NULL, json TEXT NOT NULL);"
      "INSERT INTO counters VALUES('sequence', 4711);"
      "INSERT INTO pins VALUES('bob@demo.example', x'" +
      to_hex(account) + "');";
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open((home / "store.db").c_str(), &db), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
  sqlite3_close(db);
  ::chmod((home / "store.db").c_str(), 0600);
  for (int again = 0; again < 2; ++again) {
    auto store = Store::open(home / "store.db");
    ASSERT_TRUE(store) << store.error().text;
    EXPECT_EQ(*store->sequence(), 4711u);
    const auto memory = store->memory();
    ASSERT_TRUE(memory);
    EXPECT_EQ(memory->pins.at(address("bob@demo.example")), crypto::key_hash(account));
  }
}

TEST(Store, TakesOverTheContactsOfTheSecondVersion) {
  const HomeFolder home;
  const auto kept = contact(3);
  {
    auto store = Store::open(home / "store.db");
    ASSERT_TRUE(store);
    ASSERT_TRUE(store->save_people({kept}));
    ASSERT_TRUE(store->save_sequence(4711));
  }
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open((home / "store.db").c_str(), &db), SQLITE_OK);
  const char* back =
      "DROP TABLE keepers;DROP TABLE rooms;ALTER TABLE contacts DROP COLUMN heard;PRAGMA user_version=2;";
  ASSERT_EQ(sqlite3_exec(db, back, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
  sqlite3_close(db);
  for (int again = 0; again < 2; ++again) {
    auto store = Store::open(home / "store.db");
    ASSERT_TRUE(store) << store.error().text;
    EXPECT_EQ(*store->sequence(), 4711u);
    const auto memory = store->memory();
    ASSERT_TRUE(memory) << memory.error().text;
    const auto& read = memory->contacts.at(kept.key);
    EXPECT_EQ(read.name, kept.name);
    EXPECT_EQ(read.verified, kept.verified);
    EXPECT_EQ(read.heard, again == 0 ? std::nullopt : kept.heard);
    ASSERT_TRUE(store->save_people({kept}));
  }
}

TEST(Store, RefusesAStoreOfALaterVersion) {
  const HomeFolder home;
  ASSERT_TRUE(Store::open(home / "store.db"));
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open((home / "store.db").c_str(), &db), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(db, "PRAGMA user_version=99", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(db);
  const auto store = Store::open(home / "store.db");
  ASSERT_FALSE(store);
  EXPECT_NE(store.error().text.find("another version of Linnet"), std::string::npos);
}

TEST(Store, SavesAllOfAChangeOrNothing) {
  const HomeFolder home;
  auto store = Store::open(home / "store.db");
  ASSERT_TRUE(store);
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open((home / "store.db").c_str(), &other), SQLITE_OK);
  // The third of the changes fails: what came before it is not kept either.
  ASSERT_EQ(sqlite3_exec(other, "DROP TABLE requests", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(other);
  const auto saved = store->save_people(
      {contact(3), node::Pin{address("bob@demo.example"), key(3)}, node::Request{key(6), {}, {}, {}, {}, 1}});
  ASSERT_FALSE(saved);
  EXPECT_NE(saved.error().text.find("Cannot save a contact"), std::string::npos) << saved.error().text;
  ASSERT_EQ(sqlite3_open((home / "store.db").c_str(), &other), SQLITE_OK);
  int rows = -1;
  sqlite3_exec(
      other, "SELECT (SELECT count(*) FROM contacts) + (SELECT count(*) FROM pins)",
      [](void* out, int, char** values, char**) {
        *static_cast<int*>(out) = std::atoi(values[0]);
        return 0;
      },
      &rows, nullptr);
  sqlite3_close(other);
  EXPECT_EQ(rows, 0);
}

dht::Floor floor_of(std::uint8_t fill, std::uint64_t sequence, Wall until) {
  dht::Floor out;
  out.user.bytes.fill(fill);
  out.account.bytes.fill(fill);
  out.device.bytes.fill(fill);
  out.sequence = sequence;
  out.epoch = 0xffffffff;
  out.digest.bytes.fill(static_cast<std::uint8_t>(sequence));
  out.until = until;
  out.epoch_until = until;
  out.prefix.fill(fill);
  return out;
}

// A supernode that was killed knows what it kept: the sequences, the epochs, and the bytes.
TEST(Store, RemembersTheFloorsOfRecordsUntilTheirTime) {
  const HomeFolder home;
  const auto path = home / "store.db";
  const auto most = ~std::uint64_t{0};
  {
    auto store = Store::open(path).value();
    ASSERT_TRUE(store.floors(Wall{0}).value().empty());
    ASSERT_TRUE(store.save_floors({floor_of(1, 5, Wall{1000}), floor_of(2, most, Wall{2000})}));
    ASSERT_TRUE(store.save_floors({floor_of(1, 6, Wall{1500})}));
  }
  auto store = Store::open(path).value();
  const auto all = store.floors(Wall{999}).value();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[1].sequence, most);
  EXPECT_EQ(all[1].epoch, 0xffffffffU);
  EXPECT_EQ(all[1].prefix, floor_of(2, 1, Wall{0}).prefix);
  EXPECT_EQ(all[0].sequence, 6U);
  EXPECT_EQ(all[0].digest, floor_of(1, 6, Wall{0}).digest);
  EXPECT_EQ(all[0].device, floor_of(1, 6, Wall{0}).device);
  EXPECT_EQ(store.floors(Wall{1500}).value().size(), 1U);
  ASSERT_TRUE(store.purge_floors(Wall{2000}));
  EXPECT_TRUE(store.floors(Wall{0}).value().empty());
}

// What a device of the account wrote, by the writer prefix `prefix`.
dht::Floor floor_by(std::uint8_t prefix, std::uint32_t device, std::int64_t until, std::uint32_t epoch = 1) {
  auto out = floor_of(prefix, 1, Wall{until});
  out.device.bytes[0] = static_cast<std::uint8_t>(device >> 8);
  out.device.bytes[1] = static_cast<std::uint8_t>(device);
  out.epoch = epoch;
  return out;
}

int floors_on_disk(const std::filesystem::path& path) {
  sqlite3* db = nullptr;
  EXPECT_EQ(sqlite3_open(path.c_str(), &db), SQLITE_OK);
  int rows = -1;
  sqlite3_exec(
      db, "SELECT count(*) FROM floors",
      [](void* out, int, char** values, char**) {
        *static_cast<int*>(out) = std::atoi(values[0]);
        return 0;
      },
      &rows, nullptr);
  sqlite3_close(db);
  return rows;
}

// One address with any number of identities: the disk is bounded while it writes, and what others wrote is kept.
TEST(Store, AFloodOfFloorsCostsThePrefixThatHasMost) {
  constexpr std::uint32_t kMost = 100;
  const HomeFolder home;
  const auto path = home / "store.db";
  auto store = Store::open(path).value();
  ASSERT_TRUE(store.floors(Wall{0}, kMost));
  for (std::uint8_t i = 1; i <= 10; ++i) ASSERT_TRUE(store.save_floors({floor_by(i, 0, 1000)}));
  for (std::uint32_t i = 0; i < 1000; ++i) {
    ASSERT_TRUE(store.save_floors({floor_by(99, i, 2000 + i)}));
    ASSERT_LE(floors_on_disk(path), static_cast<int>(kMost)) << i;
  }
  const auto kept = store.floors(Wall{0}, kMost).value();
  ASSERT_EQ(kept.size(), kMost);
  for (std::uint8_t i = 1; i <= 10; ++i) EXPECT_EQ(kept[i - 1U].until, Wall{1000}) << "of another prefix";
  EXPECT_EQ(kept[10].device, floor_by(99, 0, 0).device) << "of the flood the oldest are left";
  EXPECT_EQ(kept.back().device, floor_by(99, 89, 0).device);
  EXPECT_EQ(floors_on_disk(path), static_cast<int>(kMost));
}

// The daemon's loop waits for it: no step may depend on how long the table is.
TEST(Store, AFullTableOfFloorsIsCutInSmallSteps) {
  constexpr std::uint32_t kMost = 5000;
  const HomeFolder home;
  const auto path = home / "store.db";
  auto store = Store::open(path).value();
  ASSERT_TRUE(store.floors(Wall{0}, kMost));
  std::vector<dht::Floor> full;
  for (std::uint32_t i = 0; i < kMost; ++i) full.push_back(floor_by(static_cast<std::uint8_t>(i % 50), i, 1000 + i));
  ASSERT_TRUE(store.save_floors(full));
  EXPECT_EQ(store.floors_work().steps, 0) << "nothing to cut yet";
  for (std::uint32_t i = 0; i < 200; ++i) {
    ASSERT_TRUE(store.save_floors({floor_by(static_cast<std::uint8_t>(i % 60), kMost + i, 9000 + i)}));
    ASSERT_GT(store.floors_work().steps, 0) << i;
    ASSERT_LT(store.floors_work().steps, 300) << i;
    ASSERT_EQ(store.floors_work().scanned, 0) << i;
  }
  EXPECT_EQ(floors_on_disk(path), static_cast<int>(kMost));
  for (int left = kMost; left > 4000; left -= static_cast<int>(Store::kFloorsEndedAtOnce)) {
    EXPECT_EQ(floors_on_disk(path), left);
    ASSERT_TRUE(store.purge_floors(Wall{5000}));
    EXPECT_LT(store.floors_work().steps, 300 * Store::kFloorsEndedAtOnce);
  }
}

TEST(Store, AFloorOfAHigherEpochStandsForThoseOfLowerOnes) {
  const HomeFolder home;
  auto store = Store::open(home / "store.db").value();
  ASSERT_TRUE(store.floors(Wall{0}));
  ASSERT_TRUE(store.save_floors({floor_by(1, 1, 1000, 0), floor_by(1, 2, 1000, 0), floor_by(2, 1, 1000, 0)}));
  ASSERT_TRUE(store.save_floors({floor_by(1, 3, 1000, 1)}));
  const auto kept = store.floors(Wall{0}).value();
  ASSERT_EQ(kept.size(), 2U);
  EXPECT_EQ(kept[0].epoch, 1U);
  EXPECT_EQ(kept[1].account, floor_by(2, 1, 0).account) << "another account";
}

// Its one end was the epoch's.
TEST(Store, TakesOverTheFloorsOfATableThatHadOneEnd) {
  const HomeFolder home;
  const auto path = home / "store.db";
  { ASSERT_TRUE(Store::open(path)); }
  sqlite3* old = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &old), SQLITE_OK);
  ASSERT_EQ(
      sqlite3_exec(old,
                   "CREATE TABLE floors(user BLOB NOT NULL CHECK(length(user)=32),"
                   " account BLOB NOT NULL CHECK(length(account)=32), device BLOB NOT NULL,"
                   " sequence INTEGER NOT NULL, epoch INTEGER NOT NULL, digest BLOB NOT NULL,"
                   " until INTEGER NOT NULL, prefix BLOB NOT NULL CHECK(length(prefix)=7),"
                   " PRIMARY KEY(user, account, device)) WITHOUT ROWID;"
                   "INSERT INTO floors VALUES(zeroblob(32), zeroblob(32), zeroblob(32), 5, 0, zeroblob(32), 3000000,"
                   " zeroblob(7)), (zeroblob(32), randomblob(32), zeroblob(32), 6, 1, zeroblob(32), 3000000,"
                   " zeroblob(7));",
                   nullptr, nullptr, nullptr),
      SQLITE_OK)
      << sqlite3_errmsg(old);
  sqlite3_close(old);
  for (int run = 0; run < 2; ++run) {
    auto store = Store::open(path).value();
    const auto kept = store.floors(Wall{0}).value();
    ASSERT_EQ(kept.size(), 2U);
    EXPECT_EQ(kept[0].epoch, 1U);
    EXPECT_EQ(kept[0].until, Wall{3'000'000 - 31 * 24 * 3600});
    EXPECT_EQ(kept[0].epoch_until, Wall{3'000'000});
    EXPECT_EQ(kept[1].until, Wall{3'000'000});
    EXPECT_EQ(kept[1].epoch_until, Wall{3'000'000});
  }
}

TEST(Store, KeepsAFloorUntilBothItsEndsHavePassed) {
  const HomeFolder home;
  auto store = Store::open(home / "store.db").value();
  ASSERT_TRUE(store.floors(Wall{0}));
  auto floor = floor_by(1, 1, 1000);
  floor.epoch_until = Wall{2000};
  ASSERT_TRUE(store.save_floors({floor}));
  ASSERT_TRUE(store.purge_floors(Wall{1999}));
  const auto kept = store.floors(Wall{1999}).value();
  ASSERT_EQ(kept.size(), 1U);
  EXPECT_EQ(kept[0].epoch_until, Wall{2000});
  EXPECT_TRUE(store.floors(Wall{2000}).value().empty());
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
    for (const auto& r : *rows) found += linnet::seconds(r.started) >= 1000 + round * 1000 ? 1 : 0;
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
