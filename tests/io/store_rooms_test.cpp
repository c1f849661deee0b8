// What a node keeps of rooms with an address, and how a store of before comes to have a place for them.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include "crypto/room_key.h"
#include "node/io/store/store.h"
#include "tests/io/home_folder.h"

namespace linnet::io {
namespace {

crypto::Address room_named(const std::string& text) { return crypto::Address::parse(text).value(); }
node::PersonKey keeper(std::uint8_t fill) {
  node::PersonKey out;
  out.bytes.fill(fill);
  return out;
}

node::StoredRoom kept_room() {
  const auto& suite = crypto::typed_suite();
  SeededRng rng(5);
  const auto founder = crypto::make_identity(suite, rng, room_named("alice@demo.example"), Wall{1000});
  node::StoredRoom out;
  out.address = room_named("room@office");
  out.founded = true;
  out.certificate = crypto::certify(suite, crypto::room_account(suite, founder.account, out.address),
                                    founder.device_key(), 3, Wall{1000});
  out.keepers = {keeper(1), keeper(2)};
  return out;
}

TEST(StoreOfRooms, KeepsRoomsWithTheirKeepersAndForgetsThem) {
  const HomeFolder home;
  auto room = kept_room();
  {
    auto store = Store::open(home / "store.db");
    ASSERT_TRUE(store);
    ASSERT_TRUE(store->save_people({room}));
    room.keepers = {keeper(2), keeper(3)};
    ASSERT_TRUE(store->save_people({room}));
  }
  auto store = Store::open(home / "store.db");
  ASSERT_TRUE(store);
  const auto memory = store->memory();
  ASSERT_TRUE(memory) << memory.error().text;
  ASSERT_EQ(memory->rooms.size(), 1u);
  const auto& read = memory->rooms[0];
  EXPECT_EQ(read.address, room.address);
  EXPECT_TRUE(read.founded);
  EXPECT_EQ(read.keepers, room.keepers);
  EXPECT_EQ(read.certificate.epoch, 3u);
  EXPECT_EQ(read.certificate.signature, room.certificate.signature);
  ASSERT_TRUE(store->save_people({node::DropRoom{room.address}}));
  EXPECT_TRUE(store->memory()->rooms.empty());
}

TEST(StoreOfRooms, TakesOverTheThirdVersionWhichKnewNoRooms) {
  const HomeFolder home;
  const node::Pin known{room_named("bob@demo.example"), keeper(3)};
  {
    auto store = Store::open(home / "store.db");
    ASSERT_TRUE(store);
    ASSERT_TRUE(store->save_people({known}));
  }
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open((home / "store.db").c_str(), &db), SQLITE_OK);
  const char* back = "DROP TABLE keepers;DROP TABLE rooms;PRAGMA user_version=3;";
  ASSERT_EQ(sqlite3_exec(db, back, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
  sqlite3_close(db);
  for (int again = 0; again < 2; ++again) {
    auto store = Store::open(home / "store.db");
    ASSERT_TRUE(store) << store.error().text;
    const auto memory = store->memory();
    ASSERT_TRUE(memory) << memory.error().text;
    EXPECT_EQ(memory->pins.at(known.address), known.key);
    EXPECT_EQ(memory->rooms.size(), again == 0 ? 0u : 1u);
    ASSERT_TRUE(store->save_people({kept_room()}));
  }
}

}  // namespace
}  // namespace linnet::io
