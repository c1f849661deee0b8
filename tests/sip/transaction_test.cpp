#include "sip/transaction.h"

#include <gtest/gtest.h>

namespace linnet::sip {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
constexpr Time kStart{};
const TimerValues kValues;

// Milliseconds at which an unanswered machine retransmits, and whether it timed out in the end.
template <class Machine>
std::pair<std::vector<std::int64_t>, bool> run_out(Machine& m) {
  std::vector<std::int64_t> resent;
  bool timed_out = false;
  while (!m.terminated() && m.next() != kNever) {
    const auto now = m.next();
    const auto step = m.on_timeout(now);
    if (step.resend) resent.push_back(micros(now - kStart) / 1000);
    timed_out = timed_out || step.timed_out;
  }
  return {resent, timed_out};
}

TEST(InviteClient, DoublesTimerAUntilTimerBEndsIt) {
  InviteClient t(kValues, false, kStart);
  const auto [resent, timed_out] = run_out(t);
  EXPECT_EQ(resent, (std::vector<std::int64_t>{500, 1500, 3500, 7500, 15500, 31500}));
  EXPECT_TRUE(timed_out);
}

TEST(InviteClient, NeverRetransmitsOnAReliableTransport) {
  InviteClient t(kValues, true, kStart);
  const auto [resent, timed_out] = run_out(t);
  EXPECT_TRUE(resent.empty());
  EXPECT_TRUE(timed_out);
}

TEST(InviteClient, StopsItsTimersAtTheFirstProvisional) {
  InviteClient t(kValues, false, kStart);
  EXPECT_TRUE(t.on_response(kStart, 100).deliver);
  EXPECT_EQ(t.next(), kNever);
  EXPECT_EQ(t.state(), InviteClient::State::proceeding);
}

TEST(InviteClient, AcknowledgesEachCopyOfARefusalForThirtyTwoSeconds) {
  InviteClient t(kValues, false, kStart);
  auto step = t.on_response(kStart, 486);
  EXPECT_TRUE(step.ack && step.deliver);
  step = t.on_response(kStart + seconds(1), 486);
  EXPECT_TRUE(step.ack);
  EXPECT_FALSE(step.deliver);
  EXPECT_EQ(t.next(), kStart + seconds(32));
  t.on_timeout(t.next());
  EXPECT_TRUE(t.terminated());
}

TEST(InviteClient, HandsUpEachCopyOfA2xxForTimerM) {
  InviteClient t(kValues, false, kStart);
  EXPECT_TRUE(t.on_response(kStart, 200).deliver);
  const auto copy = t.on_response(kStart, 200);
  EXPECT_TRUE(copy.deliver);
  EXPECT_FALSE(copy.ack) << "the ACK for a 2xx is the session's";
  EXPECT_EQ(t.next(), kStart + seconds(32));
}

TEST(InviteClient, IsOverAtOnceAfterARefusalOnAReliableTransport) {
  InviteClient t(kValues, true, kStart);
  EXPECT_TRUE(t.on_response(kStart, 486).ack);
  EXPECT_TRUE(t.terminated());
}

TEST(InviteClient, WaitsForFurtherAnswersOnEveryTransport) {
  for (bool reliable : {false, true}) {
    InviteClient t(kValues, reliable, kStart);
    EXPECT_TRUE(t.on_response(kStart, 200).deliver);
    EXPECT_EQ(t.state(), InviteClient::State::accepted);
    EXPECT_EQ(t.next(), kStart + seconds(32));
    EXPECT_TRUE(t.on_response(kStart + seconds(1), 200).deliver) << "of another fork, perhaps";
    EXPECT_FALSE(t.on_response(kStart + seconds(1), 180).deliver);
    EXPECT_FALSE(t.on_response(kStart + seconds(1), 486).ack) << "RFC 6026 section 7.2";
    t.on_timeout(t.next());
    EXPECT_TRUE(t.terminated());
  }
}

TEST(NonInviteClient, DoublesTimerEUpToT2UntilTimerFEndsIt) {
  NonInviteClient t(kValues, false, kStart);
  const auto [resent, timed_out] = run_out(t);
  EXPECT_EQ(resent, (std::vector<std::int64_t>{500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500}));
  EXPECT_TRUE(timed_out);
}

TEST(NonInviteClient, RetransmitsEveryT2OnceItIsProceeding) {
  NonInviteClient t(kValues, false, kStart);
  t.on_response(kStart, 100);
  EXPECT_TRUE(t.on_timeout(kStart + milliseconds(500)).resend);
  EXPECT_EQ(t.next(), kStart + milliseconds(4500));
}

TEST(NonInviteClient, LingersForTimerKOnlyWhenUnreliable) {
  NonInviteClient lossy(kValues, false, kStart);
  EXPECT_TRUE(lossy.on_response(kStart, 200).deliver);
  EXPECT_FALSE(lossy.on_response(kStart, 200).deliver);
  EXPECT_EQ(lossy.next(), kStart + seconds(5));
  NonInviteClient reliable(kValues, true, kStart);
  reliable.on_response(kStart, 200);
  EXPECT_TRUE(reliable.terminated());
}

TEST(InviteServer, SaysTryingAfter200Milliseconds) {
  InviteServer t(kValues, false, kStart);
  EXPECT_EQ(t.next(), kStart + milliseconds(200));
  EXPECT_TRUE(t.on_timeout(t.next()).trying);
  InviteServer quick(kValues, false, kStart);
  quick.on_send(kStart, 180);
  EXPECT_EQ(quick.next(), kNever);
}

TEST(InviteServer, RepeatsARefusalUntilTheAckAndThenLingersForTimerI) {
  InviteServer t(kValues, false, kStart);
  t.on_send(kStart, 486);
  EXPECT_TRUE(t.on_timeout(kStart + milliseconds(500)).resend);
  EXPECT_EQ(t.next(), kStart + milliseconds(1500));
  t.on_ack(kStart + seconds(1));
  EXPECT_EQ(t.state(), InviteServer::State::confirmed);
  EXPECT_EQ(t.next(), kStart + seconds(6));
}

TEST(InviteServer, GivesUpWithoutAnAckAtTimerH) {
  InviteServer t(kValues, false, kStart);
  t.on_send(kStart, 486);
  const auto [resent, timed_out] = run_out(t);
  EXPECT_EQ(resent, (std::vector<std::int64_t>{500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500}));
  EXPECT_TRUE(timed_out);
}

TEST(InviteServer, AbsorbsCopiesOfTheInviteAfterA2xxAndHandsUpTheAck) {
  InviteServer t(kValues, false, kStart);
  t.on_send(kStart, 200);
  EXPECT_FALSE(t.on_request(kStart).resend) << "the session repeats its 2xx itself";
  EXPECT_TRUE(t.on_ack(kStart).deliver);
  EXPECT_EQ(t.next(), kStart + seconds(32));
}

TEST(NonInviteServer, AnswersCopiesForTimerJ) {
  NonInviteServer t(kValues, false);
  EXPECT_FALSE(t.on_request(kStart).resend) << "nothing to repeat yet";
  t.on_send(kStart, 200);
  EXPECT_TRUE(t.on_request(kStart).resend);
  EXPECT_EQ(t.next(), kStart + seconds(32));
  t.on_timeout(t.next());
  EXPECT_TRUE(t.terminated());
}

}  // namespace
}  // namespace linnet::sip
