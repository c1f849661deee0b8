// A peer that was started anew says so (reset.h): at once, unforgeably, and never at length.
#include "overlay/reset.h"

#include <gtest/gtest.h>

#include "overlay/handshake_packet.h"
#include "tests/overlay/link.h"

namespace linnet::overlay {
namespace {

using namespace link_test;

SessionsConfig telling(std::uint32_t run = 5) {
  auto out = TestLink::network("linnet");
  out.resets = true;
  out.run = run;
  return out;
}

// a has a session with b, and b forgets it.
struct Restarted {
  explicit Restarted(const SessionsConfig& config = telling(6)) {
    a = link.add();
    b = link.add(telling());
    at_a = link.connect(a, b);
    link.run(1s);
    EXPECT_EQ(link.node(b).ups.size(), 1U);
    link.restart(b, config);
  }
  LinkNode& na() { return link.node(a); }
  void say() { link.say(a, at_a, Channel::sip, Bytes(10)); }
  TestLink link;
  std::size_t a = 0;
  std::size_t b = 0;
  SessionId at_a{};
};

TEST(Reset, APeerThatWasStartedAnewIsKnownAfterOneRoundTrip) {
  Restarted r;
  r.say();
  const auto begin = r.link.now;
  ASSERT_TRUE(r.link.run_until([&] { return !r.na().downs.empty(); }, 1s));
  EXPECT_EQ(r.na().downs[0].reason, DownReason::forgotten);
  EXPECT_LE(r.link.now - begin, 2 * r.link.delay);
  EXPECT_EQ(r.na().sessions.size(), 0U);
  r.link.connect(r.a, r.b);
  r.link.run(1s);
  EXPECT_EQ(r.link.node(r.b).ups.size(), 1U);
}

// What an earlier run, or this one, said of an index that the session bears later.
TEST(Reset, ThatWasCollectedBeforehandEndsNothing) {
  for (const std::uint32_t run : {1U, 4U, 5U}) {
    Restarted r(telling(run));
    const auto before = r.link.bytes_out[{r.b, r.link.direct(r.a)}];
    r.say();
    r.link.run(1s);
    EXPECT_TRUE(r.na().downs.empty()) << run;
    const auto after = r.link.bytes_out[{r.b, r.link.direct(r.a)}];
    EXPECT_EQ(after, before) << run;
  }
}

TEST(Reset, IsGivenForIndexesOfEarlierRunsAlone) {
  for (const std::uint32_t run : {0U, 1U, 77U, kRuns - 1, kRuns, 3 * kRuns + 7}) {
    SeededRng rng(run);
    for (int i = 0; i < 1000; ++i) {
      EXPECT_FALSE(of_earlier_run(index_in_run(run, rng.u32()), run));
      EXPECT_FALSE(of_earlier_run(index_in_run(run + 1 + static_cast<std::uint32_t>(rng.below(2000)), rng.u32()), run));
      EXPECT_TRUE(of_earlier_run(index_in_run(run - 1 - static_cast<std::uint32_t>(rng.below(2000)), rng.u32()), run));
    }
  }
}

// Made by who has the key: what is wrong is when it comes.
TEST(Reset, EndsNoSessionThatWaitsForNothingOrHasGoneOn) {
  TestLink link;
  const auto a = link.add();
  const auto b = link.add(telling());
  const auto session = link.connect(a, b);
  DataHeader last;
  link.tap = [&](Wire& wire) {
    if (wire.from == a && wire.bytes[0] == kDataPacket) last = *read_data_header(wire.bytes);
    return false;
  };
  for (int i = 0; i < 100; ++i) {
    link.say(a, session, Channel::sip, Bytes(10));
    link.run(100ms);
  }
  ASSERT_GT(last.number, 70U);
  Resetter genuine(crypto::typed_suite(), link.node(b).identity);
  const auto from = link.direct(b);
  const auto reset = [&](DataHeader header) { return *genuine.answer(link.now, from.endpoint.ip, header); };
  link.inject(a, from, reset(last));
  EXPECT_TRUE(link.node(a).downs.empty()) << "all was answered";
  link.tap = [&](Wire& wire) { return wire.from == b; };
  link.say(a, session, Channel::sip, Bytes(10));
  link.run(10ms);
  auto old = last;
  old.number -= 64;
  link.inject(a, from, reset(old));
  EXPECT_TRUE(link.node(a).downs.empty()) << "an old packet";
  auto other = last;
  ++other.epoch;
  link.inject(a, from, reset(other));
  EXPECT_TRUE(link.node(a).downs.empty()) << "other keys";
  link.inject(a, from, reset(last));
  EXPECT_EQ(link.node(a).downs.size(), 1U) << "one of the latest, then";
}

TEST(Reset, ALeafTellsNobodyThatItIsThere) {
  Restarted r(TestLink::network("linnet"));
  r.say();
  r.link.run(1s);
  EXPECT_TRUE(r.na().downs.empty());
  const auto said = r.link.bytes_out[{r.b, r.link.direct(r.a)}];
  r.link.run(5s);
  const auto later = r.link.bytes_out[{r.b, r.link.direct(r.a)}];
  EXPECT_EQ(later, said);
}

TEST(Reset, NoForgedOneEndsASession) {
  Restarted r;
  Bytes genuine;
  r.link.tap = [&](Wire& wire) {
    if (wire.bytes[0] == kCookiePacket) genuine = wire.bytes;
    return wire.bytes[0] == kCookiePacket;
  };
  r.say();
  r.link.run(100ms);
  ASSERT_EQ(genuine.size(), kResetBytes);
  const auto from = r.link.direct(r.b);
  for (std::size_t bit = 0; bit < genuine.size() * 8; ++bit) {
    auto forged = genuine;
    forged[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    r.link.inject(r.a, from, forged);
  }
  for (std::size_t n = 0; n < genuine.size(); ++n)
    r.link.inject(r.a, from, Bytes(genuine.begin(), genuine.begin() + static_cast<std::ptrdiff_t>(n)));
  auto longer = genuine;
  longer.push_back(0);
  r.link.inject(r.a, from, longer);
  // Of a packet that was never sent, with the right token.
  DataHeader ahead = *read_reset(genuine);
  ahead.number += 1000;
  Resetter same(crypto::typed_suite(), r.link.node(r.b).identity);
  r.link.inject(r.a, from, *same.answer(r.link.now, from.endpoint.ip, ahead));
  // From an address the session never saw.
  r.link.inject(r.a, Path{PathKind::direct, Endpoint{IpAddress::v4(192, 0, 2, 1), 999, Transport::udp}, 0, false},
                genuine);
  EXPECT_TRUE(r.na().downs.empty());
  r.link.inject(r.a, from, genuine);
  EXPECT_EQ(r.na().downs.size(), 1U) << "the genuine one, then";
}

// Somebody else's key makes other tokens; so does another index.
TEST(Reset, TheTokenIsOfTheKeyAndTheIndex) {
  TestLink link;
  const auto a = link.add();
  const auto b = link.add();
  const Resetter of_a(crypto::typed_suite(), link.node(a).identity);
  const Resetter of_b(crypto::typed_suite(), link.node(b).identity);
  EXPECT_NE(of_a.token(7), of_b.token(7));
  EXPECT_NE(of_a.token(7), of_a.token(8));
  EXPECT_EQ(of_a.token(7), Resetter(crypto::typed_suite(), link.node(a).identity).token(7));
}

TEST(Reset, IsShorterThanWhatCausedItAndRateLimited) {
  TestLink link;
  const auto b = link.add(telling(1));  // the packets below name indexes of run 0
  const Path from{PathKind::direct, Endpoint{IpAddress::v4(192, 0, 2, 1), 999, Transport::udp}, 0, false};
  std::uint64_t in = 0;
  for (std::uint32_t i = 0; i < 10'000; ++i) {
    Bytes packet;
    write_data_header(packet, {i + 1, 0, i});
    packet.resize(kMinDataPacket);
    in += packet.size();
    link.inject(b, from, packet);
    const auto out = link.bytes_out[{b, from}];
    ASSERT_LE(out, in);
  }
  const auto prefix = link.bytes_out[{b, from}];
  EXPECT_GT(prefix, 0U);
  EXPECT_LE(prefix, 40U * kResetBytes) << "of one prefix";
  const auto before = link.total_out;
  for (std::uint32_t i = 0; i < 10'000; ++i) {
    Bytes packet;
    write_data_header(packet, {i + 1, 0, i});
    packet.resize(kMinDataPacket);
    const Endpoint source{IpAddress::v4(0x08000000U + (i << 8)), 999, Transport::udp};
    link.inject(b, Path{PathKind::direct, source, 0, false}, packet);
  }
  EXPECT_LE(link.total_out - before, 1000U * kResetBytes) << "of all";
}

}  // namespace
}  // namespace linnet::overlay
