#include "meeting.h"

namespace linnet::interop {

Meeting::Meeting(const Terms& terms) : terms_(terms), context(g_main_context_new()) {
  nat::ice::AgentConfig config;
  config.role = terms.we_control ? nat::ice::Role::controlling : nat::ice::Role::controlled;
  config.policy = nat::ice::Policy::once;
  config.patience = std::chrono::milliseconds(100);
  auto foreign = terms.theirs;
  foreign.controlling = !terms.we_control || terms.both_control;
  foreign.trickle = terms.trickle;
  ours = std::make_unique<OurAgent>(context.get(), config, terms.ours);
  theirs = std::make_unique<ForeignAgent>(context.get(), foreign);
}

void Meeting::take_theirs(const std::vector<std::string>& lines) {
  for (const auto& line : lines) {
    const auto c = nat::ice::from_sdp(line);
    EXPECT_TRUE(c && ours->agent().add_remote(ours->now(), *c)) << line;
  }
  ours->flush();
}

void Meeting::take_ours() {
  for (const auto& line : ours->trickled) EXPECT_TRUE(theirs->add_remote(line)) << line;
}

void Meeting::all_at_once() {
  theirs->gather();
  ours->gather();
  EXPECT_TRUE(wait([&] { return theirs->gathered && ours->gathered; }));
  EXPECT_FALSE(theirs->candidates().empty());
  theirs->set_remote(ours->agent().credentials());
  EXPECT_TRUE(ours->agent().set_remote(ours->now(), theirs->credentials()));
  take_theirs(theirs->candidates());
  take_ours();
  ours->agent().end_of_remote(ours->now());
  ours->flush();
}

// Credentials first; each candidate when it is there; where they reach us, theirs are told only after they have checked
// ours.
void Meeting::one_by_one() {
  theirs->set_remote(ours->agent().credentials());
  theirs->gather();
  ours->gather();
  EXPECT_TRUE(wait([&] { return ours->gathered; }));
  take_ours();
  EXPECT_TRUE(ours->agent().set_remote(ours->now(), theirs->credentials()));
  ours->flush();
  if (terms_.they_reach_us) {
    EXPECT_TRUE(wait([&] { return ours->agent().remote().size() > 0; })) << "their check names them";
  }
  take_theirs(theirs->trickled);
  EXPECT_TRUE(wait([&] { return theirs->gathered; }));
  take_theirs(theirs->trickled);
  theirs->end_of_remote();
  ours->agent().end_of_remote(ours->now());
  ours->flush();
}

testing::AssertionResult Meeting::agree() {
  terms_.trickle ? one_by_one() : all_at_once();
  if (!wait([&] { return theirs->ready && !ours->selections.empty(); }))
    return testing::AssertionFailure() << "theirs "
                                       << (theirs->ready    ? "ready"
                                           : theirs->failed ? "failed"
                                                            : "undecided")
                                       << ", ours " << ours->selections.size();
  if (theirs->failed || ours->failed || !ours->lost.empty()) return testing::AssertionFailure() << "one has failed";
  // One of two that want to control has to give in.
  const auto role = terms_.we_control ? nat::ice::Role::controlling : nat::ice::Role::controlled;
  if (!terms_.both_control && ours->agent().role() != role) return testing::AssertionFailure() << "other roles";
  return testing::AssertionSuccess();
}

testing::AssertionResult Meeting::talk() {
  const auto before = std::pair(ours->received.size(), theirs->received.size());
  if (!theirs->send("from libnice") || !ours->send("from linnet"))
    return testing::AssertionFailure() << "nothing is sent";
  if (!wait([&] { return ours->received.size() > before.first && theirs->received.size() > before.second; }))
    return testing::AssertionFailure() << "ours " << ours->received.size() << ", theirs " << theirs->received.size();
  if (ours->received.back() != "from libnice" || theirs->received.back() != "from linnet")
    return testing::AssertionFailure() << ours->received.back() << ", " << theirs->received.back();
  return testing::AssertionSuccess();
}

}  // namespace linnet::interop
