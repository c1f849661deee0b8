// What a person reads who called somebody that is known and does not answer: each way that was taken.
#include "calls_fixture.h"

namespace linnet::node {
namespace {

using NotAnswering = Calls;

TEST_F(NotAnswering, WhereTheLanIsListenedToItIsSaidThatTheyAreNotOnIt) {
  alice = &town.add(kAlice, [](NodeConfig& config) { config.peer.lan = overlay::LanMode::listen; });
  bob = &town.add(kBob);
  settle();
  town.kill(*bob);
  town.call(*alice, kBob);
  ASSERT_TRUE(over(*alice, std::chrono::seconds(30)));
  EXPECT_EQ(result(*alice), CallResult::unreachable);
  const auto& text = alice->summary()->text;
  EXPECT_EQ(text.rfind("bob@b.example is known but not answering: LAN not seen; no answer through 198.51.", 0), 0U)
      << text;
}

}  // namespace
}  // namespace linnet::node
