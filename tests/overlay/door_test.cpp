// What stands before the handshake: cookies, caps, and that nobody is made to send more than was sent to him.
#include <gtest/gtest.h>

#include "base/deadline_heap.h"
#include "link.h"
#include "overlay/half_open.h"

namespace linnet::overlay {
namespace {

using namespace link_test;

Path from_nowhere(std::uint32_t n) {
  return {PathKind::direct, Endpoint{IpAddress::v4(0x0b000000U + n * 256), 1000, Transport::udp}, 0, false};
}

// Message 1 of a stranger, genuine but for its source.
Bytes message1_to(TestLink& link, std::size_t target, std::uint64_t seed, bool known = true) {
  LinkNode stranger(TestLink::network("linnet"), crypto::typed_suite(), seed, {});
  ConnectTo to;
  if (known) to.remote = link.node(target).identity.session_key();
  to.paths = {link.direct(target)};
  EXPECT_TRUE(stranger.sessions.connect(link.now, to));
  return stranger.sessions.poll_packet()->bytes;
}

std::uint64_t bytes_to(TestLink& link, std::size_t from, const Path& path) {
  const auto at = link.bytes_out.find({from, path});
  return at == link.bytes_out.end() ? 0 : at->second;
}

TEST(Door, AsksForACookieUnderLoadAndServesWhoShowsIt) {
  TestLink link;
  const auto a = link.add();
  const auto b = link.add();
  for (std::uint32_t i = 0; i < 40; ++i) link.inject(b, from_nowhere(i), message1_to(link, b, 1000 + i));
  const auto& counters = link.node(b).sessions.counters();
  EXPECT_EQ(counters.cookies_sent, 8U);  // of the 40, those over 32
  link.connect(a, b);
  link.run(500ms);
  EXPECT_EQ(counters.cookies_sent, 9U);
  EXPECT_EQ(link.node(a).ups.size(), 1U);
  EXPECT_EQ(link.node(b).ups.size(), 1U);
}

TEST(Door, ServesTheBareAddressUnderLoadToo) {
  TestLink link;
  const auto a = link.add();
  const auto b = link.add();
  for (std::uint32_t i = 0; i < 40; ++i) link.inject(b, from_nowhere(i), message1_to(link, b, 1000 + i));
  ASSERT_TRUE(link.node(a).sessions.connect(link.now, {std::nullopt, {link.direct(b)}, {}, 10s}));
  link.drain();
  link.run(500ms);
  EXPECT_EQ(link.node(a).ups.size(), 1U);
}

TEST(Door, ACookieIsOfNoUseFromAnotherAddress) {
  auto config = TestLink::network("linnet");
  config.cookies_over = 0;
  TestLink link;
  const auto a = link.add();
  const auto b = link.add(config);
  link.keep_log = true;
  link.connect(a, b);
  ASSERT_TRUE(link.run_until([&] { return link.node(b).sessions.counters().cookies_sent == 1; }));
  // The second message 1 carries mac2; catch it and send it from elsewhere.
  Bytes with_mac2;
  link.tap = [&](Wire& wire) {
    if (wire.bytes[0] == kMessage1) with_mac2 = wire.bytes;
    return wire.bytes[0] == kMessage1;
  };
  ASSERT_TRUE(link.run_until([&] { return !with_mac2.empty(); }));
  link.inject(b, from_nowhere(1), with_mac2);
  EXPECT_EQ(link.node(b).sessions.counters().cookies_sent, 2U);
  EXPECT_LE(bytes_to(link, b, from_nowhere(1)), kCookiePacketBytes);
  link.tap = nullptr;
  link.inject(b, link.direct(a), with_mac2);
  link.run(500ms);
  EXPECT_EQ(link.node(a).ups.size(), 1U);
}

// Message 1 with a good mac1 and nothing behind it costs its sender little and waits for nothing.
TEST(Door, HandshakesThatFailAtOnceDoNotFillTheTable) {
  TestLink link;
  const auto a = link.add();
  const auto b = link.add();
  const crypto::Mac1 mac1(crypto::typed_suite(), link.node(b).identity.session_key());
  for (std::uint32_t i = 0; i < 3000; ++i) {
    auto packet = start_handshake(kMessage1, Pattern::xk, i + 1, 0);
    packet.resize(kMessage1Bytes - kMacsBytes, static_cast<std::uint8_t>(i));
    append_macs(packet, mac1);
    link.inject(b, from_nowhere(i), packet);
  }
  EXPECT_EQ(link.node(b).sessions.counters().half_open_full, 0U);
  link.connect(a, b);
  link.run(200ms);
  EXPECT_EQ(link.node(a).ups.size(), 1U);
}

TEST(Door, HalfOpenStateNeverExceedsItsCap) {
  auto config = TestLink::network("linnet");
  config.cookies_over = 1000;  // no cookies: the table alone has to hold
  config.max_half_open = 16;
  config.handshakes_per_prefix = 1e9;
  TestLink link;
  const auto b = link.add(config);
  const auto before = link.node(b).sessions.memory_bytes();
  for (std::uint32_t i = 0; i < 500; ++i) link.inject(b, from_nowhere(i), message1_to(link, b, 1000 + i));
  EXPECT_EQ(link.node(b).sessions.counters().half_open_full, 500U - 16U);
  EXPECT_LT(link.node(b).sessions.memory_bytes() - before, 16U * 4096U);
  link.run(4s);
  EXPECT_EQ(link.node(b).sessions.memory_bytes(), before);
  EXPECT_EQ(link.node(b).sessions.next_timeout(), kNever);
}

TEST(Door, OnePrefixIsSlowedDownWhileOthersAreServed) {
  auto config = TestLink::network("linnet");
  config.cookies_over = 100'000;
  config.max_half_open = 100'000;
  TestLink link;
  const auto a = link.add();
  const auto b = link.add(config);
  const auto flood = from_nowhere(7);
  for (std::uint32_t i = 0; i < 300; ++i) link.inject(b, flood, message1_to(link, b, 1000 + i));
  EXPECT_EQ(link.node(b).sessions.counters().cookies_sent, 200U);  // a burst of five seconds' worth passes
  link.connect(a, b);
  link.run(200ms);
  EXPECT_EQ(link.node(a).ups.size(), 1U);
}

TEST(Door, ManySourcesBehindOneSupernodeAreToldApart) {
  auto config = TestLink::network("linnet");
  config.cookies_over = 100'000;
  config.max_half_open = 100'000;
  TestLink link;
  const auto b = link.add(config);
  Path tag{PathKind::forward, Endpoint{IpAddress::v4(198, 51, 100, 7), 4400, Transport::udp}, 1, true};
  for (std::uint32_t i = 0; i < 300; ++i) link.inject(b, tag, message1_to(link, b, 1000 + i));
  EXPECT_EQ(link.node(b).sessions.counters().cookies_sent, 200U);
  tag.id = 2;
  link.inject(b, tag, message1_to(link, b, 5000));
  EXPECT_EQ(link.node(b).sessions.counters().cookies_sent, 200U);
}

// security.md, check 10: bytes out / bytes in <= 1.0 for a forged source.
TEST(Door, NoMessageKindAmplifies) {
  for (const bool loaded : {false, true}) {
    for (const bool known : {false, true}) {
      TestLink link;
      auto config = TestLink::network("linnet");
      if (loaded) config.cookies_over = 0;
      const auto b = link.add(config);
      link.node(b).sessions.set_greeting(Bytes(max_greeting(Pattern::xx), 1));
      const auto victim = from_nowhere(3);
      std::uint64_t in = 0;
      for (int i = 0; i < 20; ++i) {
        const auto packet = message1_to(link, b, 2000 + static_cast<std::uint64_t>(i), known);
        for (int copy = 0; copy < 5; ++copy) {
          in += packet.size();
          link.inject(b, victim, packet);
          EXPECT_LE(bytes_to(link, b, victim), in);
        }
      }
      link.run(20s);
      EXPECT_GT(bytes_to(link, b, victim), 0U);
      EXPECT_LE(bytes_to(link, b, victim), in);
    }
  }
}

// Genuine packets of a live session, each sent on from a forged source before the genuine one arrives.
TEST(Door, NoPacketOfASessionAmplifiesTowardAForgedSource) {
  for (int which = 0; which < 12; ++which) {
    TestLink link;
    const auto a = link.add();
    const auto b = link.add();
    const auto victim = from_nowhere(3);
    std::uint64_t in = 0;
    int n = 0;
    link.tap = [&](Wire& wire) {
      if (wire.to != b || n++ != which) return false;
      in += wire.bytes.size();
      auto bytes = wire.bytes;
      link.node(b).sessions.handle_packet(link.now, victim, bytes);
      return true;
    };
    const auto id = link.connect(a, b);
    link.run(100ms);
    for (int i = 0; i < 5; ++i) link.say(a, id, Channel::chat, Bytes(300, 1));
    link.run(100ms);
    for (const auto& up : link.node(b).ups) {
      for (int i = 0; i < 50; ++i) link.say(b, up.session, Channel::chat, Bytes(1000, 2));
    }
    link.run(20s);
    EXPECT_LE(bytes_to(link, b, victim), in) << which;
  }
}

TEST(Door, MalformedPacketsAreCountedAndForgotten) {
  TestLink link;
  const auto b = link.add();
  const auto before = link.node(b).sessions.memory_bytes();
  SeededRng rng(5);
  for (int i = 0; i < 20'000; ++i) {
    Bytes packet(rng.below(1300));
    rng.fill(packet);
    if (!packet.empty()) packet[0] = static_cast<std::uint8_t>(rng.below(12));
    link.inject(b, from_nowhere(static_cast<std::uint32_t>(i)), packet);
  }
  EXPECT_EQ(link.total_out, 0U);
  EXPECT_EQ(link.node(b).sessions.memory_bytes(), before);
  const auto& counters = link.node(b).sessions.counters();
  EXPECT_GT(counters.malformed, 0U);
}

TEST(DeadlineHeap, AgreesWithASortedMap) {
  SeededRng rng(11);
  DeadlineHeap heap;
  std::vector<DeadlineHeap::Slot> slots(100, DeadlineHeap::kNone);
  std::map<std::uint64_t, Time> naive;
  for (int step = 0; step < 20'000; ++step) {
    const auto id = rng.below(slots.size());
    if (rng.below(5) == 0) {
      heap.remove(slots[id]);
      naive.erase(id);
    } else {
      const Time at{Duration(static_cast<std::int64_t>(rng.below(50)))};
      heap.set(slots[id], id, at);
      naive[id] = at;
    }
    ASSERT_EQ(heap.size(), naive.size());
    if (naive.empty()) continue;
    std::pair<Time, std::uint64_t> first{kNever, 0};
    for (const auto& [key, at] : naive) first = std::min(first, std::pair(at, key));
    ASSERT_EQ(heap.top().at, first.first);
    ASSERT_EQ(heap.top().id, first.second);
  }
}

TEST(DeadlineHeap, HoldsNoMemoryForABurstThatIsOver) {
  DeadlineHeap heap;
  std::vector<DeadlineHeap::Slot> slots(1000, DeadlineHeap::kNone);
  for (std::size_t i = 0; i < slots.size(); ++i) heap.set(slots[i], i, Time{Duration(static_cast<std::int64_t>(i))});
  EXPECT_GE(heap.memory_bytes(), slots.size() * sizeof(DeadlineHeap::Entry));
  for (std::size_t i = 0; i + 3 < slots.size(); ++i) heap.remove(slots[i]);
  constexpr auto kOfSlot = 2 * sizeof(DeadlineHeap::Slot);  // numbers stay as long as one of them is in use
  EXPECT_LE(heap.memory_bytes(), 8 * 3 * sizeof(DeadlineHeap::Entry) + slots.size() * kOfSlot);
  EXPECT_EQ(heap.top().id, slots.size() - 3);
  for (auto& slot : slots) heap.remove(slot);
  EXPECT_LE(heap.memory_bytes(), 8 * sizeof(DeadlineHeap::Entry));
}

}  // namespace
}  // namespace linnet::overlay
