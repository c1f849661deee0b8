// Streams straight between the ends of a call: who is told of ours, and whom a peer can make us connect to.
#include "node/streams.h"

#include <gtest/gtest.h>

#include "node/candidates_message.h"
#include "tests/base/damage.h"

namespace linnet::node {
namespace {

using namespace std::chrono_literals;

constexpr overlay::SessionId kLink{7};
const Endpoint kTls{IpAddress::v4(198, 51, 100, 7), 443, Transport::tls};
const Endpoint kWeb{IpAddress::v4(198, 51, 100, 7), 80, Transport::tcp};

Endpoint stream(const char* at, Transport transport = Transport::tls) {
  auto out = *Endpoint::parse(at);
  out.transport = transport;
  return out;
}

struct StreamWays : ::testing::Test {
  Streams streams;
  Streams::Facts relayed{true, true, true};
  Time now{1h};

  // What is tried in the time that follows.
  std::vector<Endpoint> tried(Duration time, const Streams::Facts& facts) {
    std::vector<Endpoint> out;
    for (const auto end = now + time; now <= end; now += 100ms) {
      const auto some = streams.look(now, kLink, facts);
      out.insert(out.end(), some.begin(), some.end());
    }
    return out;
  }
};

TEST_F(StreamWays, AreToldOnceToWhoMayLearnWhereWeAre) {
  EXPECT_FALSE(streams.say(kLink, relayed));
  streams.set({kTls});
  EXPECT_FALSE(streams.say(kLink, {false, true, true}));
  const auto words = streams.say(kLink, relayed);
  ASSERT_TRUE(words);
  EXPECT_EQ(*read_streams(*words), std::vector{kTls});
  EXPECT_FALSE(streams.say(kLink, relayed));
  streams.set({});
  EXPECT_TRUE(read_streams(*streams.say(kLink, relayed))->empty()) << "that they are gone is said too";
}

TEST_F(StreamWays, AreTriedInARelayedCallAfterDatagramsHadTheirTimeAndThreeTimes) {
  ASSERT_TRUE(streams.on_message(kLink, write_streams({kTls, kWeb})));
  EXPECT_TRUE(tried(Streams::kAfter - 200ms, relayed).empty());
  EXPECT_EQ(tried(1s, relayed), (std::vector{kTls, kWeb}));
  EXPECT_EQ(tried(10min, relayed).size(), 4U);
  EXPECT_EQ(streams.next_timeout(), kNever);
}

TEST_F(StreamWays, AreNotTriedWithoutACallOrWhereItIsDirectOrNotShared) {
  ASSERT_TRUE(streams.on_message(kLink, write_streams({kTls})));
  EXPECT_TRUE(tried(1min, {false, true, true}).empty());
  EXPECT_TRUE(tried(1min, {true, false, true}).empty());
  EXPECT_TRUE(tried(1min, {true, true, false}).empty());
}

TEST_F(StreamWays, NobodyMakesUsKnockInsideOurNetworkOrAtOtherPorts) {
  ASSERT_TRUE(streams.on_message(
      kLink, write_streams({stream("192.168.1.1:443"), stream("127.0.0.1:443"),
                            stream("169.254.169.254:80", Transport::tcp), stream("198.51.100.7:22", Transport::tcp)})));
  EXPECT_TRUE(tried(1min, relayed).empty());
}

TEST_F(StreamWays, OfALinkThatIsGoneNothingIsKept) {
  ASSERT_TRUE(streams.on_message(kLink, write_streams({kTls})));
  streams.forget(kLink);
  EXPECT_TRUE(tried(1min, relayed).empty());
}

TEST(StreamsMessage, IsNoMessageOfCandidatesNorTheOtherWayRound) {
  EXPECT_FALSE(read_candidates(write_streams({kTls})));
  CandidatesMessage candidates;
  candidates.credentials = {"abcdefgh", "abcdefghijklmnopqrstuvwx"};
  EXPECT_FALSE(read_streams(write(candidates)));
}

TEST(StreamsMessage, EveryTruncationAndEveryDatagramsPortIsRefused) {
  const auto wire = write_streams({kTls, kWeb});
  for (std::size_t n = 0; n < wire.size(); ++n) EXPECT_FALSE(read_streams(ByteView(wire).first(n))) << n;
  EXPECT_FALSE(read_streams(write_streams({*Endpoint::parse("198.51.100.7:443")})));
  EXPECT_FALSE(read_streams(write_streams({stream("198.51.100.7:0")})));
}

// It comes sealed, from who may say anything: of a flipped bit at most another stream is read, within the limits.
TEST(StreamsMessage, OfEveryFlippedBitSaysWhatCanBeSaidOrNothing) {
  damage::each_flipped_bit(write_streams({kTls, kWeb}), [](ByteView flipped, std::size_t bit) {
    const auto read = read_streams(flipped);
    if (!read) return;
    EXPECT_LE(read->size(), Streams::kMost) << bit;
    for (const auto& e : *read) EXPECT_TRUE(e.port != 0 && e.transport != Transport::udp) << bit;
    const auto again = read_streams(write_streams(*read));
    ASSERT_TRUE(again) << bit;
    EXPECT_EQ(*again, *read) << bit;
  });
}

TEST(StreamsMessage, NamesFourAtMost) {
  EXPECT_EQ(read_streams(write_streams(std::vector(9, kTls)))->size(), Streams::kMost);
}

}  // namespace
}  // namespace linnet::node
