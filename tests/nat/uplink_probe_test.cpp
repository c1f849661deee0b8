// How fast a line is, by trains of datagrams over modelled ones.
#include "nat/uplink_probe.h"

#include <gtest/gtest.h>

#include <map>

#include "nat/binding_server.h"

namespace linnet::nat {
namespace {

using namespace std::chrono_literals;

const Endpoint kOwn{IpAddress::v4(203, 0, 113, 5), 40'000};
const std::vector<Endpoint> kServers{
    {IpAddress::v4(192, 0, 2, 1), 4400}, {IpAddress::v4(198, 18, 0, 1), 4400}, {IpAddress::v4(198, 19, 0, 1), 4400}};

// Our line, which takes one datagram after another, and the servers behind it.
struct Line {
  explicit Line(double rate) : bits_per_second(rate) {}

  void run() {
    while (!probe.over()) {
      while (auto sent = probe.poll_transmit()) put(*sent);
      const auto next = std::min(probe.next_timeout(), arrivals.empty() ? kNever : arrivals.begin()->first);
      ASSERT_NE(next, kNever);
      now = std::max(now, next);
      while (!arrivals.empty() && arrivals.begin()->first <= now) deliver();
      probe.handle_timeout(now);
    }
  }
  void put(const Transmit& sent) {
    ++datagrams;
    EXPECT_EQ(sent.bytes.size(), UplinkProbe::kSize);
    const auto bits = static_cast<double>(sent.bytes.size() + 28) * 8;
    free_at = std::max(free_at, now) + Duration(static_cast<std::int64_t>(bits / bits_per_second * 1e6));
    if (lost && datagrams % lost == 0) return;
    arrivals.emplace(free_at + 30ms + held[sent.to.ip], sent);
  }
  void deliver() {
    const auto sent = arrivals.extract(arrivals.begin()).mapped();
    const auto request = stun::Message::parse(sent.bytes);
    ASSERT_TRUE(request);
    const auto said = BindingServer(BindingServerConfig{}).answer(sent.to, kOwn, *request);
    ASSERT_TRUE(said);
    EXPECT_LT(said->bytes.size(), 100U) << "the padding comes back";
    const auto answer = stun::Message::parse(said->bytes);
    probe.handle(now, sent.to, *answer);
    probe.handle(now, sent.to, *answer);  // twice is once
  }

  Time now{1h};
  SeededRng rng{5};
  double bits_per_second;
  Time free_at{};
  unsigned datagrams = 0, lost = 0;  // every so-manieth
  std::map<IpAddress, Duration> held;
  std::multimap<Time, Transmit> arrivals;
  UplinkProbe probe{now, rng, kServers};
};

TEST(UplinkProbe, FindsTheRateOfTheNarrowestLink) {
  for (const double rate : {2e5, 1e6, 2e7}) {
    Line line(rate);
    line.run();
    ASSERT_TRUE(line.probe.found());
    EXPECT_NEAR(static_cast<double>(*line.probe.found()), rate, rate / 50);
  }
}

TEST(UplinkProbe, SendsThreeTrainsAndNoMore) {
  Line line(1e6);
  line.run();
  EXPECT_EQ(line.datagrams, UplinkProbe::kTrain * UplinkProbe::kTrains);
}

TEST(UplinkProbe, LossDoesNotMakeALineLookSlowOrFast) {
  Line line(1e6);
  line.lost = 3;
  line.run();
  ASSERT_TRUE(line.probe.found());
  EXPECT_NEAR(static_cast<double>(*line.probe.found()), 1e6, 1e5);
}

TEST(UplinkProbe, SaysNothingWhereNobodyAnswers) {
  Line line(1e6);
  line.lost = 1;
  line.run();
  EXPECT_FALSE(line.probe.found());
}

TEST(UplinkProbe, AServerOfAnotherTransactionIsNotHeard) {
  Time now{1h};
  SeededRng rng{1};
  UplinkProbe probe(now, rng, {kServers[0]});
  for (unsigned i = 0; i < UplinkProbe::kTrain; ++i) {
    const auto bytes = BindingServer::for_partner(kServers[0], kOwn, rng.array<12>(), false);
    const auto forged = stun::Message::parse(bytes);
    ASSERT_TRUE(forged);
    probe.handle(now, kServers[0], *forged);
  }
  probe.handle_timeout(now + UplinkProbe::kPatience);
  EXPECT_TRUE(probe.over());
  EXPECT_FALSE(probe.found());
}

// It cannot answer what it has not got, but it can keep all answers back and give them at once.
TEST(UplinkProbe, OneServerOfThreeCannotMakeALineLookFast) {
  Time now{1h};
  SeededRng rng{1};
  UplinkProbe probe(now, rng, kServers);
  const auto answer_all = [&](Duration spacing) {
    std::vector<Transmit> train;
    while (auto sent = probe.poll_transmit()) train.push_back(*sent);
    for (const auto& sent : train) {
      now += spacing;
      const auto bytes = BindingServer::for_partner(sent.to, kOwn, stun::Message::parse(sent.bytes)->id(), false);
      probe.handle(now, sent.to, *stun::Message::parse(bytes));
    }
  };
  answer_all(0us);
  answer_all(10ms);
  answer_all(10ms);
  ASSERT_TRUE(probe.found());
  EXPECT_LT(*probe.found(), 1'000'000U);
}

}  // namespace
}  // namespace linnet::nat
