// Our ICE agent and libnice's over real sockets: each controls once, with all candidates at once and one by one, and
// with either of them reached through a relay alone.
#include <gmock/gmock.h>

#include "meeting.h"

namespace linnet::interop {
namespace {

enum class Relayed { nobody, they, we };

struct Case {
  const char* name;
  bool we_control;
  bool trickle;
  bool regular = true;  // libnice: nominates one pair, or as it goes (RFC 5245's aggressive nomination)
  bool both_control = false;
  Relayed relayed = Relayed::nobody;  // by coturn
};

class Libnice : public testing::TestWithParam<Case> {
 protected:
  void meet() {
    Terms terms;
    terms.we_control = GetParam().we_control;
    terms.both_control = GetParam().both_control;
    terms.trickle = GetParam().trickle;
    terms.theirs.regular_nomination = GetParam().regular;
    if (GetParam().relayed != Relayed::nobody) {
      ASSERT_TRUE(coturn.up());
    }
    if (GetParam().relayed == Relayed::they) terms.theirs.turn = coturn.port();
    if (GetParam().relayed == Relayed::we) {
      terms.ours.udp = false;
      terms.ours.turn = coturn.port();
      terms.they_reach_us = false;  // the server lets nobody in whom we have not sent to
    }
    meeting = std::make_unique<Meeting>(terms);
  }

  Coturn coturn;
  std::unique_ptr<Meeting> meeting;
};

TEST_P(Libnice, BothAgreeOnAPairAndDataCrossesIt) {
  if (GetParam().relayed != Relayed::nobody && !Coturn::here()) GTEST_SKIP() << "needs coturn";
  ASSERT_NO_FATAL_FAILURE(meet());
  ASSERT_TRUE(meeting->agree());
  const auto& ours = *meeting->ours;
  if (GetParam().regular) {
    EXPECT_EQ(ours.selections.size(), 1U);
  }
  EXPECT_TRUE(meeting->talk());
  if (GetParam().relayed == Relayed::they) {
    const auto all = meeting->theirs->candidates();
    EXPECT_THAT(all, testing::Each(testing::HasSubstr(" typ relay ")));
    EXPECT_THAT(all,
                testing::Contains(testing::HasSubstr(" " + std::to_string(ours.selections.back().remote.port) + " ")));
  }
  if (GetParam().relayed == Relayed::we) {
    EXPECT_THAT(ours.trickled, testing::ElementsAre(testing::HasSubstr(" typ relay ")));
    EXPECT_TRUE(ours.selections.back().relayed);
    EXPECT_GT(ours.relay()->status().sent, 0U);
    EXPECT_GT(ours.relay()->status().heard, 0U);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Ice, Libnice,
    testing::Values(Case{"WeControlFull", true, false}, Case{"TheyControlFull", false, false},
                    Case{"WeControlTrickled", true, true}, Case{"TheyControlTrickled", false, true},
                    Case{"TheyControlAggressively", false, false, false},
                    Case{"BothWantToControl", true, false, true, true},
                    Case{"WeControlTheyAreRelayed", true, false, true, false, Relayed::they},
                    Case{"TheyControlRelayed", false, false, true, false, Relayed::they},
                    Case{"TheyControlRelayedTrickled", false, true, true, false, Relayed::they},
                    Case{"WeControlRelayed", true, false, true, false, Relayed::we},
                    Case{"TheyControlWeAreRelayed", false, false, true, false, Relayed::we},
                    Case{"WeControlRelayedTrickled", true, true, true, false, Relayed::we},
                    Case{"TheyControlWeAreRelayedTrickled", false, true, true, false, Relayed::we}),
    [](const auto& made) { return made.param.name; });

}  // namespace
}  // namespace linnet::interop
