// What a call sends beside its voice, counted on one person's access line.
#include "narrow_line.h"

#include <optional>

#include "tests/node/calls_fixture.h"

namespace linnet::node {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct CountedCall : Calls {
  std::optional<NarrowLine> line;
  void SetUp() override { town.build(5); }
  void begin(bool direct) {
    town.delay = milliseconds(20);
    meet();
    line.emplace(town, *alice);
    if (!direct) line->part(*alice, *bob);
    alice->says = bob->says = tone(440, seconds(200));
    talk();
    town.run_for(seconds(10));
    ASSERT_EQ(path(*alice), direct ? PathWord::direct : PathWord::relayed);
  }
  void a_minute() {
    line->count_anew();
    town.run_for(seconds(60));
    ASSERT_EQ(state(*alice), CallState::talking);
    for (const auto* way : {&line->up, &line->down}) {
      const std::string name = way == &line->up ? "up_" : "down_";
      for (std::size_t i = 0; i < kCarriedKinds; ++i)
        RecordProperty(name + kCarriedNames[i], std::to_string(line->rate_of(*way, static_cast<Carried>(i))));
    }
  }
  // Each way, kbit/s.
  void expect_upkeep(double most) {
    EXPECT_LE(line->upkeep(line->up), most) << line->table();
    EXPECT_LE(line->upkeep(line->down), most) << line->table();
  }
};

// docs/measurements.md, "What a call sends beside its voice"; a fifth more is allowed for.
TEST_F(CountedCall, SendsNoMoreBesideTheVoiceThanWasMeasuredWhenItIsDirect) {
  begin(true);
  a_minute();
  expect_upkeep(5.5);
}

TEST_F(CountedCall, SendsNoMoreBesideTheVoiceThanWasMeasuredWhenItIsRelayed) {
  begin(false);
  a_minute();
  expect_upkeep(3.8);
}

// The line is the bottleneck: no second carries more than it can.
TEST_F(CountedCall, GetsNoMoreThroughThanTheLineCarries) {
  begin(true);
  line->limit(16'000);
  town.run_for(seconds(2));
  line->count_anew();
  town.run_for(seconds(10));
  for (const auto* way : {&line->up, &line->down}) {
    const double carried = line->upkeep(*way) + line->rate_of(*way, Carried::voice);
    EXPECT_GT(carried, 4);
    EXPECT_LE(carried, 16.0 * 1.1 + 1) << line->table();  // with what one queue more holds
  }
  EXPECT_GT(line->up.dropped, 0U);
}

}  // namespace
}  // namespace linnet::node
