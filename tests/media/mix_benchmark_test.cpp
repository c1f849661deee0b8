// What the election rests on is the work of a real mixer: packets that open, three who are decoded, one frame for all.
#include "media/mix_benchmark.h"

#include <gtest/gtest.h>

#include <set>

#include "media/rtp.h"

namespace linnet::media {
namespace {

TEST(MixBenchmark, DoesForEachFrameWhatAMixerDoes) {
  SeededRng rng(1);
  auto made = MixBenchmark::make(12, {}, rng);
  ASSERT_TRUE(made);
  std::set<Bytes> packets;
  for (int frame = 0; frame < 20; ++frame) {
    made->prepare();
    made->receive();
    made->mix();
    EXPECT_EQ(made->decoded(), MixBenchmark::kTalkers) << frame;
    std::size_t voices = 0;
    for (const auto& packet : made->send()) {
      EXPECT_GT(packet.size(), kRtpHeader + 40);
      EXPECT_TRUE(packets.insert(packet).second) << "one packet twice";
      voices += is_rtcp(packet) ? 0 : 1;
    }
    EXPECT_EQ(voices, 12u) << frame;
  }
  EXPECT_EQ(made->failed(), 0u);
  EXPECT_LT(made->level().dbov, 40) << "what everybody gets is sound";
}

// It is asked for as long as a slow machine takes, which is several seconds of the members' time.
TEST(MixBenchmark, GoesOnForAsLongAsItIsAsked) {
  SeededRng rng(2);
  auto made = MixBenchmark::make(4, {}, rng);
  ASSERT_TRUE(made);
  std::size_t reports = 0;
  for (int frame = 0; frame < 1500; ++frame) {
    made->prepare();
    made->receive();
    made->mix();
    ASSERT_EQ(made->decoded(), MixBenchmark::kTalkers) << frame;
    for (const auto& packet : made->send()) reports += is_rtcp(packet) ? 1 : 0;
    ASSERT_EQ(made->failed(), 0u) << frame;
  }
  EXPECT_GT(reports, 4u) << "members hear how they are heard";
}

TEST(MixBenchmark, IsNotMadeForFewerThanTalk) {
  SeededRng rng(1);
  EXPECT_FALSE(MixBenchmark::make(MixBenchmark::kTalkers - 1, {}, rng));
}

}  // namespace
}  // namespace linnet::media
