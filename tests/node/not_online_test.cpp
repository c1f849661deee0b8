// What a person reads while a node is not online.
#include "node/not_online.h"

#include <gtest/gtest.h>

namespace linnet::node {
namespace {

overlay::SupernodeInfo supernode(bool answers, bool full, bool attached = false) {
  overlay::SupernodeInfo out;
  if (answers) out.rtt = std::chrono::milliseconds(20);
  out.full = full;
  out.attached = attached;
  return out;
}

NodeStatus knowing(std::vector<overlay::SupernodeInfo> supernodes) {
  NodeStatus out;
  out.state = overlay::State::starting;
  out.supernodes = std::move(supernodes);
  return out;
}

std::string why(const NodeStatus& status) { return why_not_online(status, dht::NetworkClock()); }

constexpr auto kAllFull = "Every supernode that answers is full; they are asked again and again.";

TEST(NotOnline, AllAreFullWhenThoseThatAnswerAre) {
  EXPECT_EQ(why(knowing({supernode(false, true)})), kAllFull) << "it closed the session when it turned us away";
  EXPECT_EQ(why(knowing({supernode(true, true), supernode(false, true)})), kAllFull);
  EXPECT_EQ(why(knowing({supernode(true, true), supernode(false, false)})), kAllFull) << "one does not answer";
}

TEST(NotOnline, OneThatAnswersAndIsNotFullMayServeUsYet) {
  EXPECT_EQ(why(knowing({supernode(true, true), supernode(true, false)})),
            "A supernode answers, and serves this node not yet.");
  EXPECT_EQ(why(knowing({supernode(false, false)})), "No supernode has answered yet.");
  EXPECT_EQ(why(knowing({})), "No supernode has answered yet.");
  EXPECT_EQ(why(knowing({supernode(true, true), supernode(true, false, true)})),
            "Attached to 1 supernode; this node's record is not stored yet.");
}

TEST(NotOnline, AWrongClockIsNamedBeforeAFullSupernode) {
  constexpr Time kNow{std::chrono::seconds(100)};
  constexpr Wall kOurs{1'000'000};
  dht::NetworkClock clock;
  clock.set(kNow, kOurs);
  clock.hear(kNow, IpAddress::v4(198, 51, 100, 2), {}, kOurs + std::chrono::hours(24));
  const auto text = why_not_online(knowing({supernode(false, true)}), clock);
  EXPECT_EQ(text.find("What this node signs is out of its time"), 0U) << text;
  EXPECT_NE(text.find("1 day behind"), std::string::npos) << text;
}

TEST(NotOnline, SaysNothingWhenItIsOnline) {
  auto status = knowing({supernode(true, false, true)});
  status.state = overlay::State::online;
  EXPECT_EQ(why(status), "");
}

}  // namespace
}  // namespace linnet::node
