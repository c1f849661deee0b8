// One INVITE that several ends answer (RFC 3261 sections 12.1.2, 13.2.2.4; RFC 6026).
#include <gtest/gtest.h>

#include "tests/sip/far_end.h"

namespace linnet::sip {
namespace {

using Log = std::vector<std::string>;
using Fork = FarEnd;

TEST_F(Fork, MakesAnEarlyDialogForEachTag) {
  const auto sent = invite();
  const auto reliable = [&](const std::string& tag) {
    return exchange(response_to(sent, 180, tag, "Require: 100rel\r\nRSeq: 1\r\n"));
  };
  EXPECT_EQ(reliable("t1").at(0).m.uri_text, "sip:t1@h");
  const auto second = reliable("t2");
  ASSERT_EQ(second.size(), 1u) << "response numbers are each dialog's own";
  EXPECT_EQ(second[0].to_tag(), "t2");
  EXPECT_EQ(bob.take<Ringing>().call, call);
  EXPECT_EQ(bob.has<Ringing>(), nullptr) << "said once";
  const auto acked = exchange(response_to(sent, 200, "t2", {}, kAnswer));
  ASSERT_EQ(what(acked), (Log{"ACK"}));
  EXPECT_EQ(acked[0].to_tag(), "t2");
  EXPECT_EQ(bob.take<Answered>().sdp, kAnswer);
  ASSERT_TRUE(bob.core.bye(now, call));
  EXPECT_EQ(drain().at(0).header(HeaderId::cseq), "3 BYE") << "behind the INVITE and the PRACK of that dialog";
}

TEST_F(Fork, TakesAnAnswerFromAnEndThatNeverRang) {
  const auto sent = invite();
  exchange(response_to(sent, 180, "t1"));
  EXPECT_EQ(exchange(response_to(sent, 200, "t9", {}, kAnswer)).at(0).m.uri_text, "sip:t9@h");
  EXPECT_EQ(bob.take<Answered>().call, call);
}

TEST_F(Fork, AcknowledgesASecondAnswerAndHangsItUp) {
  const auto sent = invite();
  exchange(response_to(sent, 200, "t1", {}, kAnswer));
  const auto late = exchange(response_to(sent, 200, "t2", {}, kAnswer));
  ASSERT_EQ(what(late), (Log{"ACK", "BYE"}));
  for (const auto& m : late) {
    EXPECT_EQ(m.to_tag(), "t2");
    EXPECT_EQ(m.m.uri_text, "sip:t2@h");
  }
  EXPECT_EQ(late[1].header(HeaderId::cseq), "2 BYE");
  EXPECT_EQ(bob.core.calls(), 1u) << "the first call goes on";
  EXPECT_EQ(what(exchange(response_to(sent, 200, "t2", {}, kAnswer))), (Log{"ACK"})) << "a copy gets its ACK again";
  EXPECT_EQ(what(exchange(response_to(sent, 200, "t1", {}, kAnswer))), (Log{"ACK"})) << "so does one of the first";
  exchange(response_to(late[1], 200, "t2"));
  wait(seconds(33));
  EXPECT_TRUE(exchange(response_to(sent, 200, "t3", {}, kAnswer)).empty()) << "after timer M nobody waits for it";
  EXPECT_EQ(bob.core.transactions(), 0u);
}

TEST_F(Fork, HangsUpAnAnswerThatComesAfterTheCallWasEnded) {
  const auto sent = invite();
  exchange(response_to(sent, 200, "t1", {}, kAnswer));
  ASSERT_TRUE(bob.core.bye(now, call));
  drain();
  EXPECT_EQ(what(exchange(response_to(sent, 200, "t2", {}, kAnswer))), (Log{"ACK", "BYE"}));
  EXPECT_EQ(what(exchange(response_to(sent, 200, "t1", {}, kAnswer))), (Log{"ACK"}));
}

TEST_F(Fork, CountsTheDialogsOfOneInvite) {
  const auto sent = invite();
  for (int i = 0; i < 20; ++i) exchange(response_to(sent, 180, "t" + std::to_string(i)));
  EXPECT_EQ(bob.core.counters().refused_full, 12u);
  std::size_t acks = 0;
  for (int i = 0; i < 20; ++i) acks += exchange(response_to(sent, 200, "u" + std::to_string(i), {}, kAnswer)).size();
  EXPECT_EQ(acks, 1u + 7u * 2u);
}

TEST_F(Fork, EndsAllEarlyDialogsWithOneRefusal) {
  const auto sent = invite();
  for (const auto* tag : {"t1", "t2"}) exchange(response_to(sent, 183, tag, "Require: 100rel\r\nRSeq: 1\r\n", kAnswer));
  auto update = inside("UPDATE", "x", 1);
  update.to = sent.header(HeaderId::from);
  update.from = sent.header(HeaderId::to) + ";tag=t1";
  update.call_id = sent.header(HeaderId::call_id);
  update.body = kOffer;
  EXPECT_TRUE(exchange(update.str()).empty()) << "waits for our answer";
  EXPECT_EQ(bob.take<ReinviteOffer>().call, call);
  EXPECT_EQ(what(exchange(response_to(sent, 486, "t2"))), (Log{"ACK", "487 UPDATE"}));
  EXPECT_EQ(bob.take<Rejected>().code, 486);
  EXPECT_EQ(bob.core.calls(), 0u);
  wait(seconds(33));
  EXPECT_EQ(bob.core.transactions(), 0u);
}

TEST_F(Fork, IsCancelledAsAWhole) {
  const auto sent = invite();
  exchange(response_to(sent, 180, "t1"));
  exchange(response_to(sent, 180, "t2"));
  ASSERT_TRUE(bob.core.cancel(now, call));
  const auto out = drain();
  ASSERT_EQ(what(out), (Log{"CANCEL"}));
  EXPECT_EQ(out[0].to_tag(), "");
  EXPECT_EQ(what(exchange(response_to(sent, 200, "t2", {}, kAnswer))), (Log{"ACK", "BYE"})) << "it crossed the CANCEL";
  EXPECT_EQ(what(exchange(response_to(sent, 200, "t1", {}, kAnswer))), (Log{"ACK", "BYE"})) << "this one, too";
  EXPECT_EQ(bob.take<Cancelled>().call, call);
}

}  // namespace
}  // namespace linnet::sip
