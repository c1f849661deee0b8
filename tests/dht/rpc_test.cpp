#include "dht/rpc.h"

#include "tests/dht/support.h"

namespace linnet::dht::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const Endpoint kAsker = endpoint(0x08080808);
const Endpoint kServer = endpoint(0x09090909);
const Endpoint kElsewhere = endpoint(0x07070707);

// Two whole cores face to face; the test carries every datagram by hand.
class Rpc : public ::testing::TestWithParam<const crypto::Suite*> {
 protected:
  Rpc() { restart({}); }

  void restart(Config config) {
    config.network = network();
    asker = std::make_unique<Dht>(config, suite, rng_a, id_a, kAsker);
    server = std::make_unique<Dht>(config, suite, rng_b, id_b, kServer);
    asker->handle_wall(now, kNow);
    server->handle_wall(now, kNow);
  }

  static void give(Dht& to, Time at, const Endpoint& from, Bytes bytes) {
    to.handle_datagram(at, Datagram{from, bytes});
  }
  static std::vector<Bytes> take(Dht& from) {
    std::vector<Bytes> out;
    while (auto t = from.poll_transmit()) out.push_back(std::move(t->bytes));
    return out;
  }
  // The asker's first request to the server: a ping.
  Bytes ping() {
    asker->add_hint(now, server->self());
    auto out = take(*asker);
    EXPECT_EQ(out.size(), 1U);
    return out.at(0);
  }
  // Both meet and fall silent.
  void meet() {
    asker->add_hint(now, server->self());
    for (int i = 0; i < 20; ++i) {
      now += milliseconds(10);
      for (auto& b : take(*asker)) give(*server, now, kAsker, b);
      for (auto& b : take(*server)) give(*asker, now, kServer, b);
    }
    ASSERT_EQ(asker->contact_count(), 1U);
    ASSERT_EQ(server->contact_count(), 1U);
  }

  const crypto::Suite& suite = *GetParam();
  Time now{};
  SeededRng rng_a{1};
  SeededRng rng_b{2};
  crypto::Identity id_a = person(suite, 100);
  crypto::Identity id_b = person(suite, 200);
  std::unique_ptr<Dht> asker;
  std::unique_ptr<Dht> server;
};
INSTANTIATE_TEST_SUITE_P(Suites, Rpc, ::testing::Values(&crypto::shipped_suite(), &crypto::typed_suite()));

TEST_P(Rpc, OneRoundTripInsertsTheContact) {
  const auto request = ping();
  EXPECT_EQ(request[0], kRequestType);
  give(*server, now, kAsker, request);
  const auto answers = take(*server);
  ASSERT_GE(answers.size(), 1U);
  EXPECT_EQ(answers[0][0], kAnswerType);
  EXPECT_LE(answers[0].size(), request.size());
  EXPECT_EQ(asker->contact_count(), 0U);
  give(*asker, now + milliseconds(20), kServer, answers[0]);
  EXPECT_EQ(asker->contact_count(), 1U);
  EXPECT_EQ(server->contact_count(), 0U);  // the server believes only its own ping
}

TEST_P(Rpc, AnAnswerFromElsewhereOrForAnotherQuestionIsNotBelieved) {
  give(*server, now, kAsker, ping());
  const auto answers = take(*server);
  give(*asker, now, kElsewhere, answers[0]);
  EXPECT_EQ(asker->contact_count(), 0U);
  auto other = answers[0];
  other[5] ^= 1;
  give(*asker, now, kServer, other);
  EXPECT_EQ(asker->contact_count(), 0U);
  EXPECT_EQ(asker->counters().unexpected, 2U);
}

TEST_P(Rpc, EveryFlipAndTruncationOfARequestIsDropped) {
  const auto request = ping();
  const std::size_t step = GetParam() == &crypto::shipped_suite() ? 3 : 1;
  std::uint64_t flips = 0;
  for (std::size_t bit = 0; bit < (request.size() - kMacBytes) * 8; bit += step) {
    auto bad = request;
    bad[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    give(*server, now, kAsker, bad);
    EXPECT_TRUE(take(*server).empty()) << bit;
    ++flips;
  }
  for (std::size_t n = 0; n < request.size(); ++n)
    give(*server, now, kAsker, Bytes(request.begin(), request.begin() + static_cast<std::ptrdiff_t>(n)));
  EXPECT_TRUE(take(*server).empty());
  EXPECT_EQ(server->counters().requests_in, 0U);
  EXPECT_GE(server->counters().malformed + server->counters().unexpected, flips);
}

TEST_P(Rpc, EveryFlipOfAnAnswerIsDroppedAndTheGenuineOneStillCounts) {
  give(*server, now, kAsker, ping());
  const auto answer = take(*server).at(0);
  const std::size_t step = GetParam() == &crypto::shipped_suite() ? 3 : 1;
  for (std::size_t bit = 0; bit < answer.size() * 8; bit += step) {
    auto bad = answer;
    bad[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    give(*asker, now, kServer, bad);
  }
  for (std::size_t n = 0; n < answer.size(); ++n)
    give(*asker, now, kServer, Bytes(answer.begin(), answer.begin() + static_cast<std::ptrdiff_t>(n)));
  EXPECT_EQ(asker->contact_count(), 0U);
  give(*asker, now, kServer, answer);
  EXPECT_EQ(asker->contact_count(), 1U);
}

TEST_P(Rpc, AReplayedRequestGetsNoMoreThanItsBytesAndAReplayedAnswerNothing) {
  const auto request = ping();
  std::size_t in = 0;
  std::size_t out = 0;
  for (int i = 0; i < 1000; ++i) {
    now += milliseconds(1);
    give(*server, now, kAsker, request);
    in += request.size();
    for (const auto& b : take(*server)) out += b.size();
  }
  EXPECT_LE(out, in);
  EXPECT_LE(server->contact_count(), 0U);
  const auto answer = [&] {
    give(*server, now, kAsker, request);
    return take(*server).at(0);
  }();
  give(*asker, now, kServer, answer);
  const auto count = asker->counters().answers_in;
  for (int i = 0; i < 1000; ++i) give(*asker, now, kServer, answer);
  EXPECT_EQ(asker->counters().answers_in, count);
}

// Each kind of request as short as it can be made, from an address that proved nothing.
TEST_P(Rpc, NoKindOfRequestIsAnsweredWithMoreBytesThanItHas) {
  meet();
  const auto who = person(suite, 300, "held");
  ASSERT_TRUE(server->publish(now, record_for(suite, who, address("held"))));
  for (auto& b : take(*server)) give(*asker, now, kServer, b);
  for (auto& b : take(*asker)) give(*server, now, kAsker, b);
  take(*server);
  const Sealer sealer(suite, network(), std::nullopt);
  for (const auto kind : {Kind::ping, Kind::find_node, Kind::find_record, Kind::store}) {
    for (const std::size_t padded : {0U, 100U, 300U, 600U, 1000U}) {
      Request request;
      request.kind = kind;
      request.target = id_of(crypto::user_key(address("held")));
      if (kind == Kind::store) request.record = record_for(suite, who, address("held"), 2).wire;
      const auto sealed =
          sealer.seal_request(9, id_b.session_key(), crypto::Secret(rng_a.array<32>()), encode(request, padded));
      ASSERT_TRUE(sealed);
      give(*server, now, kElsewhere, sealed->frame);
      std::size_t out = 0;
      for (const auto& b : take(*server)) out += b.size();
      EXPECT_GT(out, 0U);
      EXPECT_LE(out, sealed->frame.size()) << static_cast<int>(kind) << " " << padded;
    }
  }
}

TEST_P(Rpc, UnderLoadStrangersGetACookieAndWhoReturnsItIsServed) {
  Config config;
  config.stranger_requests = 0;  // always under load
  restart(config);
  const auto request = ping();
  give(*server, now, kAsker, request);
  auto replies = take(*server);
  ASSERT_EQ(replies.size(), 1U);
  EXPECT_EQ(replies[0].size(), kCookieReplyBytes);
  EXPECT_LT(replies[0].size(), request.size());
  EXPECT_EQ(server->counters().requests_in, 0U);

  auto forged = replies[0];
  forged[20] ^= 1;
  give(*asker, now, kServer, forged);
  EXPECT_TRUE(take(*asker).empty());

  give(*asker, now, kServer, replies[0]);
  const auto again = take(*asker);
  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(again[0].size(), request.size());
  give(*server, now, kElsewhere, again[0]);  // a cookie is good at its address only
  EXPECT_EQ(server->counters().requests_in, 0U);
  take(*server);
  give(*server, now, kAsker, again[0]);
  EXPECT_EQ(server->counters().requests_in, 1U);
  const auto answers = take(*server);
  give(*asker, now, kServer, answers.at(0));
  EXPECT_EQ(asker->contact_count(), 1U);
}

// Slots are counted by the writer's prefix: who forges sources would have as many as he likes.
TEST_P(Rpc, NothingIsStoredForAWriterWhoDidNotShowHisAddress) {
  const Sealer sealer(suite, network(), std::nullopt);
  Request request;
  request.kind = Kind::store;
  request.record = record_for(suite, id_a, address("alice")).wire;
  auto sealed = sealer.seal_request(7, id_b.session_key(), crypto::Secret(rng_a.array<32>()), encode(request, 0));
  ASSERT_TRUE(sealed);
  give(*server, now, kElsewhere, sealed->frame);
  const auto replies = take(*server);
  ASSERT_EQ(replies.size(), 1U);
  EXPECT_EQ(replies[0].size(), kCookieReplyBytes);
  EXPECT_EQ(server->record_count(), 0U);
  const auto cookie = sealer.open_cookie_reply(replies[0], sealed->frame, id_b.session_key());
  ASSERT_TRUE(cookie);
  sealer.set_mac2(sealed->frame, *cookie);
  give(*server, now, kAsker, sealed->frame);
  EXPECT_EQ(server->record_count(), 0U);
  give(*server, now, kElsewhere, sealed->frame);
  EXPECT_EQ(server->record_count(), 1U);
}

TEST_P(Rpc, ACookieForAnotherRequestIsNotTaken) {
  Config config;
  config.stranger_requests = 0;
  restart(config);
  const auto request = ping();
  // Somebody off the path knows the server's key and guesses even the transaction, but never saw mac1.
  auto view = split_request(request);
  view->mac1[0] ^= 1;
  const auto forged = Sealer(suite, network(), std::nullopt).cookie_reply(*view, id_b.session_key(), crypto::Mac{});
  give(*asker, now, kServer, forged);
  EXPECT_TRUE(take(*asker).empty());
}

TEST_P(Rpc, AfterTheFirstAnswerRequestsNeedNoPadding) {
  meet();
  ASSERT_TRUE(asker->find_nodes(now, Id{}));
  const auto proven = take(*asker);
  ASSERT_EQ(proven.size(), 1U);
  EXPECT_LT(proven[0].size(), 400U);
  now += seconds(200);  // the cookie is out of date by now
  ASSERT_TRUE(asker->find_nodes(now, Id{}));
  const auto stranger = take(*asker);
  ASSERT_GE(stranger.size(), 1U);
  EXPECT_GT(stranger.back().size(), 1000U);
}

TEST_P(Rpc, AProvenPrefixIsLimited) {
  Config config;
  config.requests_per_prefix = 5;
  restart(config);
  meet();
  const auto before = server->counters().requests_in;
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(asker->find_nodes(now, Id{}));
    for (auto& b : take(*asker)) give(*server, now, kAsker, b);
  }
  EXPECT_LE(server->counters().requests_in - before, 12U);
  EXPECT_GE(server->counters().refused, 88U);
}

// It came after a round trip, and the answer takes another: the question is not sent twice for that.
TEST_P(Rpc, AfterACookieTheAnswerHasItsTimeAnew) {
  Config config;
  config.stranger_requests = 0;
  restart(config);
  give(*server, now, kAsker, ping());
  const auto cookie = take(*server);
  ASSERT_EQ(cookie.size(), 1U);
  const auto first = asker->next_timeout();
  give(*asker, now + milliseconds(200), kServer, cookie[0]);
  EXPECT_EQ(take(*asker).size(), 1U);
  asker->handle_timeout(first);
  EXPECT_TRUE(take(*asker).empty());
  asker->handle_timeout(first + milliseconds(200));
  EXPECT_EQ(take(*asker).size(), 1U) << "which is waited for as long as any";
}

TEST_P(Rpc, ASilentContactIsAskedThreeTimesAndGivenUp) {
  asker->add_hint(now, server->self());
  std::size_t sent = take(*asker).size();
  const auto began = now;
  while (asker->counters().timeouts == 0) {
    now = asker->next_timeout();
    ASSERT_LT(now, began + seconds(5));
    asker->handle_timeout(now);
    sent += take(*asker).size();
  }
  EXPECT_EQ(sent, 3U);
  EXPECT_LE(now - began, milliseconds(1200));
}

TEST_P(Rpc, AClosedNetworkHearsNobodyWithoutItsSecret) {
  Config closed;
  closed.psk = crypto::Secret(ByteArray<32>{1, 2, 3});
  closed.network = network();
  server = std::make_unique<Dht>(closed, suite, rng_b, id_b, kServer);
  give(*server, now, kAsker, ping());
  EXPECT_TRUE(take(*server).empty());
  Config wrong = closed;
  wrong.psk = crypto::Secret(ByteArray<32>{1, 2, 4});
  asker = std::make_unique<Dht>(wrong, suite, rng_a, id_a, kAsker);
  give(*server, now, kAsker, ping());
  EXPECT_TRUE(take(*server).empty());
  asker = std::make_unique<Dht>(closed, suite, rng_a, id_a, kAsker);
  meet();
}

TEST_P(Rpc, WhatSomebodySaysOfAnotherAddressIsNotFollowed) {
  Request request;
  request.sender = contact_of(suite, id_a, kElsewhere);  // signed, but the datagram comes from kAsker
  const auto sealed = Sealer(suite, network(), std::nullopt)
                          .seal_request(1, id_b.session_key(), crypto::Secret(rng_a.array<32>()), encode(request, 0));
  give(*server, now, kAsker, sealed->frame);
  EXPECT_EQ(take(*server).size(), 1U);  // the answer alone: no ping goes anywhere
}

TEST_P(Rpc, PendingQuestionsAndLookupsAreBounded) {
  meet();
  std::size_t refused = 0;
  for (int i = 0; i < 2000; ++i) refused += asker->find_nodes(now, Id{rng_a.array<32>()}) ? 0 : 1;
  EXPECT_EQ(refused, 2000 - Config{}.max_lookups);
}

}  // namespace
}  // namespace linnet::dht::test
