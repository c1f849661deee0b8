// What the driver of one call's sound tells the node, with a clock of the test's own.
#include "node/io/sound/sound_line.h"

#include "tests/node/calls_fixture.h"

namespace linnet::io {
namespace {

using std::chrono::milliseconds;

struct SoundLines : node::Calls {
  void SetUp() override {
    Calls::SetUp();
    meet();
    talk();
    clock = town.now();
  }
  // Ticks of 10 ms, each time the clock is read it has gone on by this much.
  void tick(int times, Duration reading) {
    SoundLine line(*alice->node, alice->sounding.front(), [&] { return clock += reading; });
    for (int i = 0; i < times; ++i, clock += milliseconds(10)) line.tick();
  }
  int complexity() { return alice->node->status(clock).calls.front().complexity.value_or(-1); }

  Time clock{};
};

TEST_F(SoundLines, SayWhatEncodingCostSoThatASlowMachineEncodesMoreCoarsely) {
  tick(10, milliseconds(2));
  const int first = complexity();
  tick(200, milliseconds(2));  // 2 ms of each 10
  EXPECT_EQ(first, 5);
  EXPECT_EQ(complexity(), 3);
}

TEST_F(SoundLines, SayWhatEncodingCostSoThatAFastMachineEncodesMoreFinely) {
  tick(1100, std::chrono::microseconds(100));
  EXPECT_EQ(complexity(), 6);
}

TEST_F(SoundLines, SayHowMuchSoundItWas) {
  tick(990, std::chrono::microseconds(100));  // ten seconds of room are asked for, and 9.9 were heard
  EXPECT_EQ(complexity(), 5);
}

}  // namespace
}  // namespace linnet::io
