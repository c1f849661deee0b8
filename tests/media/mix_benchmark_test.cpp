// What the election rests on is the work of a real mixer: packets that open, three who are decoded, one frame for all.
#include "media/mix_benchmark.h"

#include <gtest/gtest.h>

#include <set>

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
    const auto& sent = made->send();
    ASSERT_EQ(sent.size(), 12u);
    for (const auto& packet : sent) {
      EXPECT_GT(packet.size(), kRtpHeader + 40);
      EXPECT_TRUE(packets.insert(packet).second) << "one packet twice";
    }
  }
  EXPECT_EQ(made->failed(), 0u);
  EXPECT_LT(made->level().dbov, 40) << "what everybody gets is sound";
}

TEST(MixBenchmark, IsNotMadeForFewerThanTalk) {
  SeededRng rng(1);
  EXPECT_FALSE(MixBenchmark::make(MixBenchmark::kTalkers - 1, {}, rng));
}

}  // namespace
}  // namespace linnet::media
