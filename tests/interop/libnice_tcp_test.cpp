// ICE over TCP (RFC 6544) with libnice, which has no UDP then: our agent connects, listens, or does both.
#include <gmock/gmock.h>

#include "meeting.h"

namespace linnet::interop {
namespace {

enum class We { connect, listen, both };

struct TcpCase {
  const char* name;
  We we;
  bool we_control;
  bool trickle;
  bool regular = true;
};

class LibniceTcp : public testing::TestWithParam<TcpCase> {
 protected:
  static Terms terms() {
    Terms out;
    out.we_control = GetParam().we_control;
    out.trickle = GetParam().trickle;
    out.theirs.regular_nomination = GetParam().regular;
    out.theirs.tcp = true;
    out.ours.udp = false;
    out.ours.active = GetParam().we != We::listen;
    out.ours.passive = GetParam().we != We::connect;
    out.they_reach_us = out.ours.passive;
    return out;
  }
};

TEST_P(LibniceTcp, BothAgreeOnAConnectionAndDataCrossesIt) {
  Meeting meeting(terms());
  ASSERT_TRUE(meeting.agree());
  EXPECT_THAT(meeting.theirs->candidates(), testing::Each(testing::HasSubstr(" TCP ")));
  EXPECT_TRUE(meeting.talk());
  for (const auto& way : meeting.ours->selections) EXPECT_EQ(way.remote.transport, Transport::tcp);
}

Terms both_connect_and_listen() {
  Terms out;
  out.theirs.tcp = true;
  out.ours.udp = false;
  out.ours.active = out.ours.passive = true;
  return out;
}

TEST(LibniceTcpLife, WhatWasNotChosenIsClosedAndTheRestGoesOn) {
  Meeting meeting(both_connect_and_listen());
  ASSERT_TRUE(meeting.agree());
  ASSERT_TRUE(meeting.wait([&] { return meeting.ours->connections() <= 1; }));
  EXPECT_EQ(meeting.ours->connections(), 1U);
  EXPECT_TRUE(meeting.talk());
  EXPECT_TRUE(meeting.ours->agent().selected());
}

TEST(LibniceTcpLife, AConnectionThatItEndsIsLost) {
  Meeting meeting(both_connect_and_listen());
  ASSERT_TRUE(meeting.agree());
  meeting.theirs.reset();
  ASSERT_TRUE(meeting.wait([&] { return !meeting.ours->agent().selected() && meeting.ours->connections() == 0; }));
  EXPECT_THAT(meeting.ours->lost, testing::Contains(meeting.ours->selections.back()));
}

INSTANTIATE_TEST_SUITE_P(Ice, LibniceTcp,
                         testing::Values(TcpCase{"WeConnectAndControl", We::connect, true, false},
                                         TcpCase{"WeConnectTheyControl", We::connect, false, false},
                                         TcpCase{"WeConnectAndControlTrickled", We::connect, true, true},
                                         TcpCase{"WeConnectTheyControlTrickled", We::connect, false, true},
                                         TcpCase{"WeListenAndControl", We::listen, true, false},
                                         TcpCase{"WeListenTheyControl", We::listen, false, false},
                                         TcpCase{"WeListenAndControlTrickled", We::listen, true, true},
                                         TcpCase{"WeListenTheyControlTrickled", We::listen, false, true},
                                         TcpCase{"WeDoBothAndControl", We::both, true, false},
                                         TcpCase{"WeDoBothTheyControl", We::both, false, false},
                                         TcpCase{"WeDoBothTheyControlAggressively", We::both, false, false, false}),
                         [](const auto& made) { return made.param.name; });

}  // namespace
}  // namespace linnet::interop
