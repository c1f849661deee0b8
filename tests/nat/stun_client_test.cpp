// STUN's client transactions (RFC 8489, section 6.2.1), in virtual time.
#include "nat/stun_client.h"

#include <gmock/gmock.h>

#include "nat/stun_builder.h"

namespace linnet::nat::stun {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

const Endpoint kStunServer = *Endpoint::parse("192.0.2.1:3478");
const Time kStart{1h};

TransactionId id_of(std::uint8_t n) { return TransactionId{n}; }
Bytes request(std::uint8_t n) { return Builder(Class::request, Method::binding, id_of(n)).take(); }
Bytes answer(std::uint8_t n) { return Builder(Class::success, Method::binding, id_of(n)).take(); }

struct Run {
  std::vector<Duration> sent;
  std::optional<Duration> given_up;
};

Run run_to_the_end(Client& client, Time from) {
  Run out;
  for (int i = 0; i < 100; ++i) {
    while (client.poll_transmit()) out.sent.push_back(out.given_up.value_or(Duration{}));
    const auto next = client.next_timeout();
    if (next == kNever) return out;
    client.handle_timeout(next);
    while (client.poll_transmit()) out.sent.push_back(next - from);
    if (client.poll_given_up()) out.given_up = next - from;
  }
  return out;
}

TEST(StunClient, ARequestIsSentSevenTimesAndGivenUpAfterThirtyNineAndAHalfSeconds) {
  Client client;
  ASSERT_TRUE(client.start(kStart, kStunServer, id_of(1), request(1)));
  const auto run = run_to_the_end(client, kStart);
  EXPECT_THAT(run.sent, ElementsAre(0ms, 500ms, 1500ms, 3500ms, 7500ms, 15500ms, 31500ms));
  EXPECT_EQ(run.given_up, 39500ms);
  EXPECT_EQ(client.size(), 0U);
}

TEST(StunClient, AnAnswerEndsTheRequestOnce) {
  Client client;
  ASSERT_TRUE(client.start(kStart, kStunServer, id_of(1), request(1)));
  const auto bytes = answer(1);
  const auto other = answer(2);
  EXPECT_FALSE(client.handle(kStart, *Message::parse(other)));
  EXPECT_FALSE(client.handle(kStart, *Message::parse(request(1)))) << "a request answers nothing";
  const auto answered = client.handle(kStart + 80ms, *Message::parse(bytes));
  ASSERT_TRUE(answered);
  EXPECT_EQ(answered->asked, kStunServer);
  EXPECT_EQ(answered->rtt, 80ms);
  EXPECT_FALSE(client.handle(kStart + 90ms, *Message::parse(bytes)));
  EXPECT_EQ(client.next_timeout(), kNever);
}

TEST(StunClient, TheNextRequestToAServerFollowsItsRoundTripForTenMinutes) {
  Client client;
  ASSERT_TRUE(client.start(kStart, kStunServer, id_of(1), request(1)));
  const auto bytes = answer(1);
  (void)client.handle(kStart + 80ms, *Message::parse(bytes));
  const auto second_sending = [&](std::uint8_t n, Time at) {
    EXPECT_TRUE(client.start(at, kStunServer, id_of(n), request(n)));
    const auto next = client.next_timeout() - at;
    client.cancel(id_of(n));
    return next;
  };
  EXPECT_EQ(second_sending(2, kStart + 1min), 240ms);  // 80 + 4 * 40
  EXPECT_EQ(second_sending(3, kStart + 11min), 500ms);
}

TEST(StunClient, AnAnswerToOneOfSeveralSendingsMeasuresNothing) {
  Client client;
  ASSERT_TRUE(client.start(kStart, kStunServer, id_of(1), request(1)));
  client.handle_timeout(kStart + 500ms);
  const auto bytes = answer(1);
  const auto answered = client.handle(kStart + 510ms, *Message::parse(bytes));
  ASSERT_TRUE(answered);
  EXPECT_EQ(answered->rtt, std::nullopt);
}

TEST(StunClient, AnAnswerThatIsNotUnderstoodGivesTheRequestUp) {
  Client client;
  ASSERT_TRUE(client.start(kStart, kStunServer, id_of(1), request(1)));
  const auto bytes = Builder(Class::success, Method::binding, id_of(1)).flag(static_cast<Attr>(0x7abc)).take();
  EXPECT_FALSE(client.handle(kStart + 80ms, *Message::parse(bytes)));
  EXPECT_EQ(client.poll_given_up(), id_of(1));
  EXPECT_EQ(client.size(), 0U);
}

TEST(StunClient, TheRoundTripIsTheServersByWhicheverSocket) {
  Client client;
  auto by_another = kStunServer;
  by_another.socket = 2;
  ASSERT_TRUE(client.start(kStart, by_another, id_of(1), request(1)));
  const auto bytes = answer(1);
  (void)client.handle(kStart + 80ms, *Message::parse(bytes));
  ASSERT_TRUE(client.start(kStart + 1min, kStunServer, id_of(2), request(2)));
  EXPECT_EQ(client.next_timeout() - kStart - 1min, 240ms);
}

TEST(StunClient, AFullTableRefuses) {
  Client client;
  for (std::uint8_t n = 0; n < Client::kMaxRequests; ++n)
    EXPECT_TRUE(client.start(kStart, kStunServer, id_of(n), request(n)));
  EXPECT_EQ(client.start(kStart, kStunServer, id_of(200), request(200)).error(), Fault::full);
  client.cancel(id_of(0));
  EXPECT_EQ(client.start(kStart, kStunServer, id_of(1), request(1)).error(), Fault::refused);
}

}  // namespace
}  // namespace linnet::nat::stun
