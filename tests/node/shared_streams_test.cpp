// One encoding for all who wish the same: nobody's line is too narrow for the others.
#include "node/shared_streams.h"

#include <gtest/gtest.h>

#include <cmath>

namespace linnet::node {
namespace {

using media::SendWish;
constexpr std::size_t kFrame = media::Mixer::kFrame;

class SharedStreamsOfTheBest : public testing::Test {
 protected:
  void add() {
    media::Mixer::Frame frame{};
    for (std::size_t i = 0; i < kFrame; ++i)
      frame[i] = static_cast<std::int16_t>(8000 * std::sin(0.02 * static_cast<double>(at_ + i)));
    at_ += kFrame;
    streams_.add(frame, {30, true});
  }
  SharedStreams::Stream chosen(const SendWish& wish) { return streams_.choose(wish).value(); }

  SharedStreams streams_{{24000, 5, true}};
  std::size_t at_ = 0;
};

TEST_F(SharedStreamsOfTheBest, GiveAnOpenLineEachFrame) {
  for (int i = 0; i < 3; ++i) {
    add();
    const auto stream = chosen({24000, 20, 0});
    ASSERT_TRUE(streams_.ends(stream));
    const auto frame = streams_.frame(stream);
    ASSERT_TRUE(frame);
    EXPECT_EQ(frame->samples, kFrame);
    EXPECT_EQ(frame->level.dbov, 30);
  }
}

TEST_F(SharedStreamsOfTheBest, EncodeOnceForAllOfOneWish) {
  add();
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(streams_.frame(chosen({24000, 20, 0})));
    ASSERT_TRUE(streams_.frame(chosen({13000, 20, 3})));
  }
  EXPECT_EQ(streams_.encoded(), 2u);
}

TEST_F(SharedStreamsOfTheBest, GiveNoLineMuchMoreThanItWishes) {
  add();
  for (int wish = 6000; wish <= 24000; wish += 500) {
    const auto stream = chosen({wish, 20, 0});
    const int bitrate = stream.rate == 0 ? 24000 : SharedStreams::kLower[stream.rate - 1u];
    EXPECT_LE(bitrate, wish * 1.25) << wish;
    EXPECT_GE(bitrate, wish * 0.6) << wish;
  }
}

TEST_F(SharedStreamsOfTheBest, FewerBitsAreFewer) {
  std::size_t best = 0, least = 0;
  for (int i = 0; i < 50; ++i) {
    add();
    best += streams_.frame(chosen({24000, 20, 0}))->payload.size();
    least += streams_.frame(chosen({6000, 20, 0}))->payload.size();
  }
  EXPECT_LT(2 * least, best);
}

TEST_F(SharedStreamsOfTheBest, ALongerFrameIsWaitedForAndHasAllItsSound) {
  for (const int length : {2, 3, 6}) {
    streams_ = SharedStreams({24000, 5, true});
    add();
    const auto stream = chosen({16000, 20 * length, 0});
    for (int i = 1; i < length; ++i) {
      EXPECT_FALSE(streams_.ends(stream)) << length;
      EXPECT_EQ(streams_.waiting(stream).size(), static_cast<std::size_t>(i - 1) * kFrame);
      add();
    }
    ASSERT_TRUE(streams_.ends(stream)) << length;
    const auto frame = streams_.frame(stream);
    ASSERT_TRUE(frame);
    EXPECT_EQ(frame->samples, static_cast<std::size_t>(length) * kFrame);
  }
}

TEST_F(SharedStreamsOfTheBest, WhoWantsALongerFrameInTheMiddleOfOneGetsAShortOneFirst) {
  add();
  add();
  const auto stream = chosen({16000, 40, 0});
  EXPECT_TRUE(streams_.ends(stream));
  EXPECT_EQ(streams_.frame(stream)->samples, kFrame) << "the first half of that one it has had already";
  add();
  EXPECT_FALSE(streams_.ends(chosen({16000, 40, 0})));
}

TEST_F(SharedStreamsOfTheBest, ALengthThatIsNoneOfThemIsNobodys) {
  add();
  EXPECT_FALSE(streams_.choose({24000, 10, 0}));
  EXPECT_FALSE(streams_.choose({2000, 20, 0}));
}

}  // namespace
}  // namespace linnet::node
