#include <gtest/gtest.h>

#include <deque>

#include "link.h"
#include "overlay/channel_rx.h"
#include "overlay/channel_tx.h"
#include "overlay/recovery.h"

namespace linnet::overlay {
namespace {

using namespace link_test;

TEST(RangeSet, AgreesWithASetOfNumbers) {
  SeededRng rng(3);
  RangeSet ranges;
  std::set<std::uint64_t> naive;
  for (int step = 0; step < 20'000; ++step) {
    const auto begin = rng.below(60);
    const auto end = begin + rng.below(12);
    const bool add = rng.below(2) == 0;
    if (add) {
      ranges.add(begin, end);
    } else {
      ranges.remove(begin, end);
    }
    for (auto v = begin; v < end; ++v) add ? void(naive.insert(v)) : void(naive.erase(v));
    std::set<std::uint64_t> held;
    std::uint64_t last_end = 0;
    for (const auto& range : ranges.ranges()) {
      ASSERT_LT(range.begin, range.end);
      ASSERT_TRUE(last_end == 0 || range.begin > last_end);
      last_end = range.end;
      for (auto v = range.begin; v < range.end; ++v) held.insert(v);
    }
    ASSERT_EQ(held, naive);
    ASSERT_EQ(ranges.contains(begin), naive.contains(begin));
  }
}

TEST(Channel, CarriesMessagesThroughALossyPipe) {
  SeededRng rng(9);
  ChannelTx tx;
  ChannelRx rx;
  std::deque<Bytes> expected;
  std::vector<Bytes> got;
  std::vector<std::pair<std::uint64_t, Bytes>> in_flight;
  std::size_t delivered = 0;
  for (int step = 0; step < 30'000; ++step) {
    if (expected.size() - delivered < 5) {
      const auto message =
          pattern_bytes(rng.below(rng.below(4) == 0 ? kMaxMessage + 1 : 300), static_cast<std::uint64_t>(step));
      tx.push(message);
      expected.push_back(message);
    }
    if (const auto piece = tx.next(1 + rng.below(1100))) in_flight.emplace_back(piece->offset, copy(piece->bytes));
    if (in_flight.empty() || rng.below(3) == 0) continue;
    const auto pick = rng.below(in_flight.size());
    const auto [offset, bytes] = in_flight[pick];
    in_flight.erase(in_flight.begin() + static_cast<std::ptrdiff_t>(pick));
    if (rng.below(10) < 3) {
      tx.lost(offset, bytes.size());
      continue;
    }
    ASSERT_EQ(rx.receive(offset, bytes, kStreamWindow, got), ChannelRx::Verdict::taken);
    if (rng.below(10) < 2) {
      ASSERT_EQ(rx.receive(offset, bytes, kStreamWindow, got), ChannelRx::Verdict::taken);
    }
    if (rng.below(10) < 2) {
      tx.lost(offset, bytes.size());  // the acknowledgement was lost
    } else {
      tx.acked(offset, bytes.size());
    }
    for (; delivered < got.size(); ++delivered) ASSERT_EQ(got[delivered], expected[delivered]);
    ASSERT_LE(rx.buffered(), kMaxMessage + 4 + kStreamWindow);
  }
  EXPECT_GT(delivered, 300U);
}

TEST(Channel, RefusesWhatLiesOutsideTheWindow) {
  ChannelRx rx;
  std::vector<Bytes> got;
  EXPECT_EQ(rx.receive(kStreamWindow, Bytes(1), kStreamWindow, got), ChannelRx::Verdict::no_room);
  EXPECT_EQ(rx.receive(kStreamWindow - 1, Bytes(1), kStreamWindow, got), ChannelRx::Verdict::taken);
  EXPECT_LE(rx.buffered(), kStreamWindow);
}

// A sender of crumbs with a hole after each would else make a list as long as the window, which every packet searches.
TEST(Channel, KeepsABoundedNumberOfHolesAndGoesOnWhenTheyAreFilled) {
  constexpr std::size_t kMessageBytes = 4000;
  Bytes stream{0, 0, kMessageBytes >> 8, kMessageBytes & 0xff};
  append(stream, pattern_bytes(kMessageBytes, 5));
  ChannelRx rx;
  std::vector<Bytes> got;
  std::size_t refused = 0;
  const auto crumb = [&](std::size_t at) {
    return rx.receive(at, ByteView(stream).subspan(at, 1), kStreamWindow, got);
  };
  for (std::size_t at = 1; at < stream.size(); at += 2) {
    refused += crumb(at) == ChannelRx::Verdict::no_room;
    ASSERT_LE(rx.ranges(), ChannelRx::kMaxRanges);
  }
  EXPECT_EQ(refused, stream.size() / 2 - ChannelRx::kMaxRanges);
  EXPECT_EQ(crumb(1), ChannelRx::Verdict::taken) << "what it has already is no new hole";
  EXPECT_EQ(crumb(2), ChannelRx::Verdict::taken) << "nor is what joins two";
  // The first missing byte is always taken, so that it goes on.
  for (std::size_t at = 0; at < stream.size(); ++at) ASSERT_EQ(crumb(at), ChannelRx::Verdict::taken) << at;
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0], pattern_bytes(kMessageBytes, 5));
}

TEST(Channel, RefusesAMessageThatSaysItIsLongerThanAllowed) {
  ChannelRx rx;
  std::vector<Bytes> got;
  EXPECT_EQ(rx.receive(0, Bytes{0, 1, 0, 1}, kStreamWindow, got), ChannelRx::Verdict::broken);
}

TEST(Channel, AnIdleOneHoldsNoBuffer) {
  ChannelTx tx;
  ChannelRx rx;
  std::vector<Bytes> got;
  tx.push(Bytes(5000, 1));
  while (const auto piece = tx.next(1000)) {
    const auto offset = piece->offset;
    const auto bytes = copy(piece->bytes);
    rx.receive(offset, bytes, kStreamWindow, got);
    tx.acked(offset, bytes.size());
  }
  EXPECT_EQ(tx.memory_bytes(), sizeof tx);
  EXPECT_EQ(rx.memory_bytes(), sizeof rx);
  EXPECT_EQ(got.size(), 1U);
}

TEST(RttEstimator, FollowsRfc6298) {
  RttEstimator rtt;
  EXPECT_EQ(rtt.timeout(), RttEstimator::kInitial);
  rtt.sample(100ms);
  EXPECT_EQ(rtt.smoothed(), Duration(100ms));
  EXPECT_EQ(rtt.timeout(), 100ms + 4 * 50ms + kMaxAckDelay);
  rtt.sample(100ms);
  EXPECT_EQ(rtt.timeout(), 100ms + 4 * Duration(37'500) + kMaxAckDelay);
  RttEstimator loopback;
  for (int i = 0; i < 100; ++i) loopback.sample(100us);
  EXPECT_EQ(loopback.timeout(), RttEstimator::kMinTimeout);
}

TEST(AckTracker, AnswersLateButNeverLaterThanFiveMilliseconds) {
  AckTracker acks;
  acks.arrived(kStart, 0, true);
  EXPECT_EQ(acks.due(), kStart + 5ms);
  acks.arrived(kStart + 1ms, 1, true);
  EXPECT_EQ(acks.due(), kStart + 1ms);  // the second one
  (void)acks.take(kStart + 1ms);
  EXPECT_EQ(acks.due(), kNever);
  acks.arrived(kStart + 2ms, 5, true);
  EXPECT_EQ(acks.due(), kStart + 2ms);  // a gap
}

struct Pair {
  explicit Pair(std::uint64_t seed = 1, const crypto::Suite& suite = crypto::typed_suite()) : link(seed) {
    a = link.add(TestLink::network("linnet"), suite);
    b = link.add(TestLink::network("linnet"), suite);
    at_a = link.connect(a, b);
    EXPECT_TRUE(link.run_until([&] { return link.node(b).proven.size() == 1; }));
    at_b = link.node(b).ups[0].session;
  }
  TestLink link;
  std::size_t a = 0;
  std::size_t b = 0;
  SessionId at_a{};
  SessionId at_b{};
};

// Every channel is a queue: what comes out is what went in, in order, once; whatever the network does.
TEST(Channels, AreQueuesUnderLossReorderingAndDoubling) {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    Pair p(seed);
    p.link.loss = 0.3;
    p.link.twice = 0.1;
    p.link.jitter = 30ms;
    SeededRng rng(seed);
    std::map<std::pair<std::size_t, Channel>, std::vector<Bytes>> expected;
    std::size_t total = 0;
    for (int i = 0; i < 120; ++i) {
      const bool from_a = rng.below(2) == 0;
      const auto channel = static_cast<Channel>(rng.below(4));
      const auto message = pattern_bytes(rng.below(rng.below(10) == 0 ? 20'000 : 600), rng.u64());
      p.link.say(from_a ? p.a : p.b, from_a ? p.at_a : p.at_b, channel, message);
      ASSERT_TRUE(p.link.sent_ok);
      expected[{from_a ? p.b : p.a, channel}].push_back(message);
      ++total;
      p.link.run(Duration(static_cast<std::int64_t>(rng.below(20'000))));
    }
    ASSERT_TRUE(p.link.run_until(
        [&] { return p.link.node(p.a).messages.size() + p.link.node(p.b).messages.size() >= total; }, 120s))
        << seed;
    p.link.run(2s);
    std::map<std::pair<std::size_t, Channel>, std::vector<Bytes>> got;
    for (const auto n : {p.a, p.b}) {
      for (const auto& message : p.link.node(n).messages) got[{n, message.channel}].push_back(message.bytes);
    }
    EXPECT_EQ(got, expected) << seed;
    EXPECT_TRUE(p.link.node(p.a).downs.empty() && p.link.node(p.b).downs.empty()) << seed;
  }
}

TEST(Channels, CarryAMessageOf64KilobytesAndRefuseALongerOne) {
  Pair p(1, crypto::shipped_suite());
  const auto message = pattern_bytes(kMaxMessage, 5);
  p.link.say(p.a, p.at_a, Channel::chat, message);
  ASSERT_TRUE(p.link.sent_ok);
  ASSERT_TRUE(p.link.run_until([&] { return !p.link.node(p.b).messages.empty(); }, 2s));
  EXPECT_EQ(p.link.node(p.b).messages[0].bytes, message);
  EXPECT_EQ(p.link.node(p.a).sessions.send(p.link.now, p.at_a, Channel::chat, Bytes(kMaxMessage + 1)).error(),
            Fault::too_big);
  p.link.say(p.a, p.at_a, Channel::chat, {});
  ASSERT_TRUE(p.link.run_until([&] { return p.link.node(p.b).messages.size() == 2; }, 1s));
  EXPECT_TRUE(p.link.node(p.b).messages[1].bytes.empty());
}

TEST(Channels, QueueAMegabyteAndNoMore) {
  Pair p;
  p.link.loss = 1;
  int taken = 0;
  for (int i = 0; i < 40; ++i) {
    p.link.say(p.a, p.at_a, Channel::chat, Bytes(60'000));
    taken += p.link.sent_ok ? 1 : 0;
  }
  EXPECT_EQ(taken, 17);
  EXPECT_EQ(p.link.node(p.a).sessions.send(p.link.now, p.at_a, Channel::sip, Bytes(60'000)).error(), Fault::full);
}

TEST(Channels, DoNotBlockEachOther) {
  Pair p;
  p.link.tap = [lost = false](Wire& wire) mutable {
    const bool drop = !lost && wire.bytes.size() > 1000;
    lost = lost || drop;
    return drop;
  };
  p.link.say(p.a, p.at_a, Channel::chat, Bytes(1050, 1));  // its packet is lost
  p.link.say(p.a, p.at_a, Channel::sip, Bytes(10, 2));
  ASSERT_TRUE(p.link.run_until([&] { return !p.link.node(p.b).messages.empty(); }));
  EXPECT_EQ(p.link.node(p.b).messages[0].channel, Channel::sip);
  ASSERT_TRUE(p.link.run_until([&] { return p.link.node(p.b).messages.size() == 2; }));
}

TEST(Channels, RepairALostPacketBeforeTheProbeTimeoutWhenOthersFollow) {
  Pair p;
  p.link.delay = 50ms;
  for (int i = 0; i < 20; ++i) {  // let it know the round trip
    p.link.say(p.a, p.at_a, Channel::sip, Bytes(10));
    p.link.run(120ms);
  }
  p.link.node(p.b).messages.clear();
  p.link.tap = [lost = false](Wire&) mutable { return !std::exchange(lost, true); };
  const auto begin = p.link.now;
  for (int i = 0; i < 6; ++i) p.link.say(p.a, p.at_a, Channel::sip, Bytes(10));
  ASSERT_TRUE(p.link.run_until([&] { return p.link.node(p.b).messages.size() == 6; }));
  // One way, back, and again: a round trip and a half.
  EXPECT_LE(p.link.now - begin, Duration(155ms));
}

TEST(Channels, FillALongPipe) {
  Pair p;
  p.link.delay = 50ms;
  const auto begin = p.link.now;
  for (int i = 0; i < 8; ++i) p.link.say(p.a, p.at_a, Channel::chat, Bytes(kMaxMessage));
  ASSERT_TRUE(p.link.run_until([&] { return p.link.node(p.b).messages.size() == 8; }));
  EXPECT_LE(p.link.now - begin, Duration(1500ms));  // 64 KiB a round trip once slow start is over
}

TEST(Channels, HoldAStrangersMessagesUntilTheOwnerAccepts) {
  TestLink link;
  const auto a = link.add();
  const auto b = link.add();
  link.node(b).auto_accept = false;
  const auto id = link.connect(a, b);
  ASSERT_TRUE(link.run_until([&] { return link.node(a).ups.size() == 1; }));
  for (int i = 0; i < 50; ++i) link.say(a, id, Channel::sip, Bytes(1000, static_cast<std::uint8_t>(i)));
  link.run(3s);
  EXPECT_TRUE(link.node(b).messages.empty());
  EXPECT_LT(link.node(b).sessions.memory_bytes(), 40'000U);
  link.node(b).sessions.accept(link.now, link.node(b).ups[0].session);
  link.drain();
  ASSERT_TRUE(link.run_until([&] { return link.node(b).messages.size() == 50; }, 10s));
  for (int i = 0; i < 50; ++i) EXPECT_EQ(link.node(b).messages[static_cast<std::size_t>(i)].bytes[0], i);
}

}  // namespace
}  // namespace linnet::overlay
