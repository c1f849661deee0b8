// Digits in a call (RFC 4733).
#include "media/telephone_event.h"

#include <gtest/gtest.h>

#include "tests/media/voice.h"

namespace linnet::media {
namespace {

TEST(TelephoneEvent, ReadsBackWhatItWritesAndRefusesTruncation) {
  Bytes bytes;
  write_event(bytes, {11, true, 10, 4800});
  const auto event = parse_event(bytes);
  ASSERT_TRUE(event);
  EXPECT_EQ(event->event, 11);
  EXPECT_TRUE(event->end);
  EXPECT_EQ(event->duration, 4800);
  for (std::size_t n = 0; n < bytes.size(); ++n) EXPECT_FALSE(parse_event(ByteView(bytes).first(n)));
}

TEST(DigitReceiver, TellsAnEventOnceHoweverManyPacketsItHas) {
  DigitReceiver in;
  Bytes bytes;
  write_event(bytes, {5, false, 10, 960});
  EXPECT_EQ(in.on_packet(1000, bytes), '5');
  EXPECT_FALSE(in.on_packet(1000, bytes));
  EXPECT_EQ(in.on_packet(9000, bytes), '5') << "the same key again";
  EXPECT_FALSE(in.on_packet(1000, bytes)) << "a straggler of the first";
}

TEST(DigitSender, RefusesWhatIsNoDigitAndTooMany) {
  DigitSender out;
  EXPECT_FALSE(out.push('x'));
  for (std::size_t i = 0; i < DigitSender::kMaxWaiting; ++i) EXPECT_TRUE(out.push('1'));
  EXPECT_FALSE(out.push('1'));
}

SessionConfig with_events() {
  SessionConfig config;
  config.auxiliary.events = {{101, 48000}};
  config.auxiliary.red = 63;
  return config;
}

std::string heard_digits(Conversation& c, double seconds) {
  std::string out;
  for (double s = 0; s < seconds; s += 0.5) {
    c.run(0.5);
    while (const auto digit = c.bob->session.poll_digit()) out += *digit;
  }
  return out;
}

TEST(Digits, ArriveInOrderEachOnceAlsoUnderLoss) {
  for (const double loss : {0.0, 0.2}) {
    Conversation c({.loss = loss}, with_events());
    c.run(0.5);
    for (const char digit : std::string("0123456789*#ABCD")) ASSERT_TRUE(c.alice->session.send_digit(digit));
    EXPECT_EQ(heard_digits(c, 5), "0123456789*#ABCD") << loss;
  }
}

TEST(Digits, AreNoGapInTheVoice) {
  Conversation c({}, with_events());
  c.run(1);
  ASSERT_TRUE(c.alice->session.send_digit('7'));
  c.run(2);
  EXPECT_EQ(c.stats().max_gap_ms, 0);
  EXPECT_EQ(c.stats().loss_pct, 0);
}

TEST(Digits, AreNotSentToWhoTakesNone) {
  Conversation c;
  EXPECT_FALSE(c.alice->session.send_digit('7'));
}

}  // namespace
}  // namespace linnet::media
