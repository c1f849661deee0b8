// Our ICE agent and libnice's over real sockets: each controls once, with all candidates at once and one by one, and
// with a libnice that is reached through a relay alone.
#include <gmock/gmock.h>

#include "coturn.h"
#include "foreign_agent.h"
#include "our_agent.h"

namespace linnet::interop {
namespace {

using nat::ice::AgentConfig;
using nat::ice::Policy;
using nat::ice::Role;

struct Case {
  const char* name;
  bool we_control;
  bool trickle;
  bool regular = true;  // libnice: nominates one pair, or as it goes (RFC 5245's aggressive nomination)
  bool both_control = false;
  bool relayed = false;  // theirs, by coturn
};

class Libnice : public testing::TestWithParam<Case> {
 protected:
  Libnice() : context(g_main_context_new()) {
    AgentConfig config;
    config.role = GetParam().we_control ? Role::controlling : Role::controlled;
    config.policy = Policy::once;
    config.patience = std::chrono::milliseconds(100);
    ForeignConfig foreign;
    foreign.controlling = !GetParam().we_control || GetParam().both_control;
    foreign.trickle = GetParam().trickle;
    foreign.regular_nomination = GetParam().regular;
    if (GetParam().relayed) {
      EXPECT_TRUE(coturn.up());
      foreign.turn = coturn.port();
    }
    ours = std::make_unique<OurAgent>(context.get(), config);
    theirs = std::make_unique<ForeignAgent>(context.get(), foreign);
  }

  // Turns the loop until that holds. A minute is not a measure of anything.
  template <class Until>
  bool wait(Until until) {
    bool over = false;
    auto* end = g_timeout_source_new_seconds(60);
    g_source_set_callback(
        end,
        [](gpointer flag) -> gboolean {
          *static_cast<bool*>(flag) = true;
          return G_SOURCE_REMOVE;
        },
        &over, nullptr);
    g_source_attach(end, context.get());
    while (!until() && !over) g_main_context_iteration(context.get(), TRUE);
    g_source_destroy(end);
    g_source_unref(end);
    return until();
  }
  void take_theirs(const std::vector<std::string>& lines) {
    for (const auto& line : lines) {
      const auto c = nat::ice::from_sdp(line);
      EXPECT_TRUE(c && ours->agent().add_remote(ours->now(), *c)) << line;
    }
    ours->flush();
  }
  void take_ours() {
    for (const auto& line : ours->trickled) EXPECT_TRUE(theirs->add_remote(line)) << line;
  }

  void all_at_once() {
    theirs->gather();
    ours->gather();
    ASSERT_TRUE(wait([&] { return theirs->gathered && ours->gathered; }));
    ASSERT_FALSE(theirs->candidates().empty());
    theirs->set_remote(ours->agent().credentials());
    EXPECT_TRUE(ours->agent().set_remote(ours->now(), theirs->credentials()));
    take_theirs(theirs->candidates());
    take_ours();
    ours->agent().end_of_remote(ours->now());
    ours->flush();
  }
  // Credentials first; each candidate when it is there; theirs reach us only after they have checked ours.
  void one_by_one() {
    theirs->set_remote(ours->agent().credentials());
    theirs->gather();
    ours->gather();
    take_ours();
    EXPECT_TRUE(ours->agent().set_remote(ours->now(), theirs->credentials()));
    ours->flush();
    ASSERT_TRUE(wait([&] { return ours->agent().remote().size() > 0; })) << "their check names them";
    take_theirs(theirs->trickled);
    ASSERT_TRUE(wait([&] { return theirs->gathered; }));
    take_theirs(theirs->trickled);
    theirs->end_of_remote();
    ours->agent().end_of_remote(ours->now());
    ours->flush();
  }

  Coturn coturn;
  Context context;
  std::unique_ptr<OurAgent> ours;
  std::unique_ptr<ForeignAgent> theirs;
};

TEST_P(Libnice, BothAgreeOnAPairAndDataCrossesIt) {
  if (GetParam().relayed && !Coturn::here()) GTEST_SKIP() << "needs coturn";
  GetParam().trickle ? one_by_one() : all_at_once();
  ASSERT_TRUE(wait([&] { return theirs->ready && !ours->selections.empty(); })) << "theirs "
                                                                                << (theirs->ready    ? "ready"
                                                                                    : theirs->failed ? "failed"
                                                                                                     : "undecided")
                                                                                << ", ours " << ours->selections.size();
  EXPECT_FALSE(theirs->failed);
  EXPECT_FALSE(ours->failed);
  if (GetParam().regular) {
    EXPECT_EQ(ours->selections.size(), 1U);
  }
  EXPECT_TRUE(theirs->send("from libnice"));
  EXPECT_TRUE(ours->send("from linnet"));
  ASSERT_TRUE(wait([&] { return !theirs->received.empty() && !ours->received.empty(); }));
  EXPECT_THAT(ours->received, testing::ElementsAre("from libnice"));
  EXPECT_THAT(theirs->received, testing::ElementsAre("from linnet"));
  if (GetParam().relayed) {
    const auto all = theirs->candidates();
    EXPECT_THAT(all, testing::Each(testing::HasSubstr(" typ relay ")));
    EXPECT_THAT(all,
                testing::Contains(testing::HasSubstr(" " + std::to_string(ours->selections.back().remote.port) + " ")));
  }
  // One of two that want to control has to give in.
  if (!GetParam().both_control) {
    EXPECT_EQ(ours->agent().role(), GetParam().we_control ? Role::controlling : Role::controlled);
  }
}

INSTANTIATE_TEST_SUITE_P(Ice, Libnice,
                         testing::Values(Case{"WeControlFull", true, false}, Case{"TheyControlFull", false, false},
                                         Case{"WeControlTrickled", true, true},
                                         Case{"TheyControlTrickled", false, true},
                                         Case{"TheyControlAggressively", false, false, false},
                                         Case{"BothWantToControl", true, false, true, true},
                                         Case{"WeControlTheyAreRelayed", true, false, true, false, true},
                                         Case{"TheyControlRelayed", false, false, true, false, true},
                                         Case{"TheyControlRelayedTrickled", false, true, true, false, true}),
                         [](const auto& made) { return made.param.name; });

}  // namespace
}  // namespace linnet::interop
