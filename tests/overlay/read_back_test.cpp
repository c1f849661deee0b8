// What a home says that it stored, read back from another.
#include "overlay/read_back.h"

#include <gtest/gtest.h>

#include "tests/overlay/one_leaf.h"

namespace linnet::overlay::test {
namespace {

class ReadingBack : public ::testing::Test, protected OneLeaf {
 protected:
  // The next question, in its own time.
  std::optional<ReadBack::Question> question() {
    while (rooms.next_timeout() != kNever) {
      c.now = std::max(c.now, rooms.next_timeout());
      rooms.handle_timeout(c);
      if (auto q = rooms.poll_question()) return q;
    }
    return std::nullopt;
  }
  void stored(unsigned home) { rooms.stored(c, user, home); }

  ReadBack rooms;
  crypto::UserKey user{{7}};
};

TEST_F(ReadingBack, AnotherHomeIsAskedAFewSecondsLaterAndWhatItShowsIsLeftAlone) {
  const auto began = c.now;
  stored(0);
  const auto q = question();
  ASSERT_TRUE(q);
  EXPECT_EQ(q->home, 1U);
  EXPECT_EQ(q->user, user);
  EXPECT_GE(c.now - began, ReadBack::kAfter / 2);
  ASSERT_TRUE(rooms.owns(q->request));
  rooms.on_answer(c, q->request, true);
  EXPECT_FALSE(rooms.poll_missing());
  EXPECT_EQ(rooms.next_timeout(), kNever);
}

TEST_F(ReadingBack, WhatIsNotShownIsStoredThroughTheOneThatWasAskedAndReadBackFromTheNext) {
  stored(0);
  rooms.on_answer(c, question()->request, false);
  const auto missing = rooms.poll_missing();
  ASSERT_TRUE(missing);
  EXPECT_EQ(missing->home, 1U);
  EXPECT_EQ(rooms.next_timeout(), kNever) << "nothing to ask before it is stored again";
  stored(missing->home);
  const auto q = question();
  ASSERT_TRUE(q);
  EXPECT_EQ(q->home, 2U);
}

TEST_F(ReadingBack, WhoIsSilentOrBusyIsPassedOver) {
  stored(0);
  const auto silent = question();
  const auto busy = question();
  ASSERT_TRUE(silent && busy);
  EXPECT_EQ(busy->home, 2U);
  rooms.on_answer(c, silent->request, false);
  EXPECT_FALSE(rooms.poll_missing()) << "too late";
  rooms.on_answer(c, busy->request, std::nullopt);
  EXPECT_EQ(question()->home, 3U);
}

TEST_F(ReadingBack, HomesThatAllLieAreNotAskedForEver) {
  stored(0);
  unsigned questions = 0;
  while (const auto q = question()) {
    ASSERT_LE(++questions, ReadBack::kMostQuestions);
    rooms.on_answer(c, q->request, false);
    if (const auto missing = rooms.poll_missing()) stored(missing->home);
  }
  EXPECT_EQ(questions, ReadBack::kMostQuestions);
  stored(0);  // the next record
  EXPECT_TRUE(question());
}

TEST_F(ReadingBack, AnAnswerThatNobodyAskedForChangesNothing) {
  stored(0);
  const auto at = rooms.next_timeout();
  for (const std::uint64_t request :
       {std::uint64_t{0}, std::uint64_t{1}, ReadBack::kFirstRequest + 1, ~std::uint64_t{0}}) {
    EXPECT_FALSE(rooms.owns(request));
    rooms.on_answer(c, request, false);
  }
  EXPECT_FALSE(rooms.poll_missing());
  EXPECT_EQ(rooms.next_timeout(), at);
}

}  // namespace
}  // namespace linnet::overlay::test
