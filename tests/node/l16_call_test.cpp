// Two people who both want every sample of each other (L16): where the call is direct they have it.
#include "tests/node/calls_fixture.h"

namespace linnet::node {
namespace {

using std::chrono::seconds;

struct EverySample : Calls {
  void begin(bool direct) {
    const auto want = [](NodeConfig& config) { config.codec = CodecChoice::l16; };
    alice = &town.add(kAlice, want);
    bob = &town.add(kBob, want);
    settle();
    if (!direct) town.blocked = {{alice->endpoint, bob->endpoint}, {bob->endpoint, alice->endpoint}};
    alice->says = bob->says = tone(440, seconds(30));
    talk();
    town.run_for(seconds(8));
    ASSERT_EQ(path(*alice), direct ? PathWord::direct : PathWord::relayed);
  }
  std::string codec(const Resident& who) { return who.node->status(town.now()).calls.front().codec; }
};

TEST_F(EverySample, IsSentWhereTheCallIsDirect) {
  begin(true);
  for (const auto* who : {alice, bob}) {
    EXPECT_EQ(codec(*who), "L16") << who->name;
    EXPECT_GT(share_of(440, who->heard), 0.9) << who->name;
  }
}

TEST_F(EverySample, IsTooMuchForASupernode) {
  begin(false);
  for (const auto* who : {alice, bob}) {
    EXPECT_EQ(codec(*who), "opus") << who->name;
    EXPECT_GT(share_of(440, who->heard), 0.9) << who->name;
  }
}

}  // namespace
}  // namespace linnet::node
