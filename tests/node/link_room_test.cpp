// What a link's line has room for, of all calls that know something of it.
#include "node/link_room.h"

#include <gtest/gtest.h>

namespace linnet::node {
namespace {

using overlay::Room;

constexpr sip::CallId kThisCall{1}, kThatCall{2};

TEST(LinkRoom, FollowsTheLimitOfItsCall) {
  LinkRoom room;
  EXPECT_EQ(room.room(), Room::both);
  room.note(kThisCall, 33'000);
  EXPECT_EQ(room.room(), Room::narrow);
  room.note(kThisCall, 32'999);
  EXPECT_EQ(room.room(), Room::scant);
  room.note(kThisCall, std::nullopt);
  EXPECT_EQ(room.room(), Room::both);
}

TEST(LinkRoom, IsScantWhileVoiceComesLateWhateverTheLimit) {
  LinkRoom room;
  room.note(kThisCall, std::nullopt, LinkRoom::kCrowded);
  EXPECT_EQ(room.room(), Room::both);
  for (const std::optional<int> ceiling : {std::optional<int>(), std::optional(50'000)}) {
    room.note(kThisCall, ceiling, LinkRoom::kCrowded + 1);
    EXPECT_EQ(room.room(), Room::scant);
  }
  room.note(kThisCall, std::nullopt, LinkRoom::kClear + 1);
  EXPECT_EQ(room.room(), Room::scant) << "until most of it is gone";
  room.note(kThisCall, std::nullopt, LinkRoom::kClear);
  EXPECT_EQ(room.room(), Room::both);
}

TEST(LinkRoom, OfTwoCallsTheNarrowerCounts) {
  LinkRoom room;
  room.note(kThisCall, 20'000);
  room.note(kThatCall, std::nullopt);
  EXPECT_EQ(room.room(), Room::scant) << "whoever spoke last";
  room.note(kThatCall, 50'000);
  room.forget(kThisCall);
  EXPECT_EQ(room.room(), Room::narrow);
  room.forget(kThatCall);
  EXPECT_EQ(room.room(), Room::both);
}

}  // namespace
}  // namespace linnet::node
