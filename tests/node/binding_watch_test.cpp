#include "node/binding_watch.h"

#include <gtest/gtest.h>

namespace linnet::node {
namespace {

using namespace std::chrono_literals;
using Found = BindingWatch::Found;

Probed seen_as(const char* mapped, bool nat) {
  Probed out;
  out.v4 = nat::ProbeReport{};
  if (mapped != nullptr) out.v4->mapped = *Endpoint::parse(mapped);
  out.v4->nat = nat;
  return out;
}

std::vector<overlay::SupernodeInfo> supernodes() {
  std::vector<overlay::SupernodeInfo> out(3);
  out[0].endpoint = *Endpoint::parse("[2001:db8::1]:4400");
  out[1].endpoint = *Endpoint::parse("198.51.100.1:4400");
  out[2].endpoint = *Endpoint::parse("192.0.2.2:4400");
  for (auto& s : out) s.attached = true;
  return out;
}

class Binding : public testing::Test {
 protected:
  std::optional<Endpoint> measure() { return watch_.begin(watch_.next_timeout(), supernodes()); }

  Time now_{1h};
  BindingWatch watch_;
};

TEST_F(Binding, IsMeasuredBehindANatAndNowhereElse) {
  watch_.look(now_, seen_as("198.18.0.9:4400", false));
  EXPECT_EQ(watch_.next_timeout(), kNever);
  watch_.look(now_, seen_as("203.0.113.7:4400", true));
  EXPECT_EQ(watch_.next_timeout(), now_ + BindingWatch::kSettle);
  EXPECT_FALSE(watch_.begin(now_, supernodes()));
  EXPECT_EQ(measure(), *Endpoint::parse("198.51.100.1:4400")) << "a supernode with IPv4";
  EXPECT_EQ(watch_.next_timeout(), kNever) << "once";
}

TEST_F(Binding, IsMeasuredAnewBehindAnotherNatAlone) {
  watch_.look(now_, seen_as("203.0.113.7:4400", true));
  ASSERT_TRUE(measure());
  watch_.found(now_, {60s, Duration(64s), true, false});
  ASSERT_TRUE(measure());
  watch_.found(now_, {60s, Duration(64s), true, false});
  watch_.look(now_, seen_as("203.0.113.7:50123", true));
  EXPECT_EQ(watch_.next_timeout(), kNever);
  watch_.look(now_, seen_as(nullptr, false));  // nobody answered this time
  EXPECT_EQ(watch_.keepalive(), Duration(52'500ms));
  watch_.look(now_, seen_as("203.0.113.99:4400", true));
  EXPECT_NE(watch_.next_timeout(), kNever);
  EXPECT_EQ(watch_.keepalive(), Duration(BindingWatch::kUsual));
}

TEST_F(Binding, IsForgottenWhereThereIsNoNatAnyMore) {
  watch_.look(now_, seen_as("203.0.113.7:4400", true));
  ASSERT_TRUE(measure());
  watch_.look(now_, seen_as("198.18.0.9:4400", false));
  watch_.found(now_, {60s, Duration(64s), true, false});  // of the run that was under way
  EXPECT_FALSE(watch_.known());
}

TEST_F(Binding, AsksAnotherSupernodeLaterWhenOneCannotTell) {
  watch_.look(now_, seen_as("203.0.113.7:4400", true));
  const auto first = measure();
  watch_.found(now_, {{}, {}, false, true});
  EXPECT_EQ(watch_.next_timeout(), now_ + BindingWatch::kAgain);
  EXPECT_NE(measure(), first);
}

TEST_F(Binding, IsNotBelievedToLiveLongBeforeASecondSupernodeSaysSo) {
  const Found liar{3min, {}, true, false}, honest{30s, Duration(32s), true, false},
      shorter{20s, Duration(22s), true, false};
  watch_.look(now_, seen_as("203.0.113.7:4400", true));
  const auto first = measure();
  watch_.found(now_, liar);
  EXPECT_EQ(watch_.keepalive(), Duration(BindingWatch::kUsual));
  EXPECT_EQ(watch_.next_timeout(), now_ + BindingWatch::kSettle);
  const auto second = measure();
  ASSERT_TRUE(second);
  EXPECT_NE(second, first);
  watch_.found(now_, {15s, {}, false, false});
  EXPECT_EQ(watch_.keepalive(), Duration(BindingWatch::kUsual)) << "it has not ended yet";
  watch_.found(now_, {15s, {}, false, true});
  EXPECT_EQ(watch_.keepalive(), Duration(BindingWatch::kUsual)) << "it could not tell";
  EXPECT_NE(measure(), first) << "he is not asked to bear himself out";
  watch_.found(now_, honest);
  EXPECT_EQ(watch_.keepalive(), Duration(26'250ms)) << "the shorter one";
  EXPECT_EQ(watch_.next_timeout(), kNever);

  watch_ = {};
  watch_.look(now_, seen_as("203.0.113.7:4400", true));
  ASSERT_TRUE(measure());
  watch_.found(now_, shorter);
  EXPECT_EQ(watch_.next_timeout(), kNever) << "what is no longer than usual needs no second word";
}

TEST_F(Binding, StaysAtTheUsualWhereThereIsNoSecondSupernode) {
  watch_.look(now_, seen_as("203.0.113.7:4400", true));
  auto alone = supernodes();
  alone.pop_back();
  ASSERT_TRUE(watch_.begin(watch_.next_timeout(), alone));
  watch_.found(now_, {3min, {}, true, false});
  EXPECT_FALSE(watch_.begin(watch_.next_timeout(), alone));
  EXPECT_EQ(watch_.keepalive(), Duration(BindingWatch::kUsual));
  EXPECT_NE(watch_.next_timeout(), kNever) << "another may come";
}

TEST_F(Binding, KeepsTheMappingJustUnderItsLifeBetweenTwoLimits) {
  watch_.look(now_, seen_as("203.0.113.7:4400", true));
  EXPECT_EQ(watch_.keepalive(), Duration(25s)) << "while nothing is known";
  const struct {
    Found found;
    Duration every;
  } cases[] = {
      {{15s, {}, false, false}, 25s},                  // it lives at least so long: nothing follows
      {{15s, Duration(30s), false, false}, 12s},       // less than 25 s may be too much
      {{60s, Duration(120s), false, false}, 25s},      // never seldomer before the end is known
      {{30s, Duration(32s), true, false}, 26'250ms},   // an eighth less
      {{20s, Duration(22s), true, false}, 17s},        // and time for a ping that is lost
      {{3min, {}, true, false}, BindingWatch::kMost},  // not for longer than a dead home may go unnoticed
      {{4s, Duration(4500ms), true, false}, BindingWatch::kLeast},
      {{{}, Duration(1s), true, false}, BindingWatch::kLeast},
  };
  for (const auto& one : cases) {
    watch_ = {};
    watch_.look(now_, seen_as("203.0.113.7:4400", true));
    while (watch_.next_timeout() != kNever) {  // as often as it is to be measured
      ASSERT_TRUE(measure());
      watch_.found(now_, one.found);
    }
    EXPECT_EQ(watch_.keepalive(), one.every) << millis(one.found.alive);
  }
}

}  // namespace
}  // namespace linnet::node
