#include "sim/world.h"

#include <gtest/gtest.h>

namespace linnet::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Answers each datagram with one a byte shorter; says hello to `target` once at its deadline.
class Echo final : public Actor {
 public:
  explicit Echo(std::optional<Endpoint> target = std::nullopt) : target_(std::move(target)) {
    if (target_) deadline_ = Time{} + milliseconds(10);
  }
  void handle_datagram(Time, const Datagram& d) override {
    ++heard;
    if (d.bytes.size() > 1) out_.push_back({d.from, Bytes(d.bytes.begin() + 1, d.bytes.end())});
  }
  void handle_timeout(Time) override {
    deadline_ = kNever;
    out_.push_back({*target_, Bytes(5, 7)});
  }
  void handle_wall(Time, Wall wall) override { told = wall; }
  Time next_timeout() const override { return deadline_; }
  std::optional<Transmit> poll_transmit() override {
    if (out_.empty()) return std::nullopt;
    auto t = std::move(out_.back());
    out_.pop_back();
    return t;
  }
  void settle(Time) override {}

  int heard = 0;
  Wall told{};

 private:
  std::optional<Endpoint> target_;
  Time deadline_ = kNever;
  std::vector<Transmit> out_;
};

const Endpoint kA = *Endpoint::parse("198.18.0.1:4400");
const Endpoint kB = *Endpoint::parse("198.18.1.1:4400");

WorldConfig config(std::uint64_t seed, double loss = 0) {
  WorldConfig c;
  c.seed = seed;
  c.link.loss = loss;
  return c;
}

struct Pair {
  explicit Pair(const WorldConfig& c, std::optional<NatBox> nat = std::nullopt) : world(c) {
    auto a = std::make_unique<Echo>(kB);
    auto b = std::make_unique<Echo>();
    first = a.get();
    second = b.get();
    world.add(std::move(a), kA, false, std::move(nat));
    world.add(std::move(b), kB, false);
  }
  World world;
  Echo* first;
  Echo* second;
};

TEST(World, CarriesDatagramsBothWaysAndFiresDeadlines) {
  Pair pair(config(1));
  pair.world.run_until(Time{} + seconds(5));
  EXPECT_EQ(pair.second->heard, 3);  // 5, 3 and 1 bytes
  EXPECT_EQ(pair.first->heard, 2);
  EXPECT_EQ(pair.world.now(), Time{} + seconds(5));
}

TEST(World, TheSameSeedGivesTheSameTraceAndAnotherSeedAnother) {
  const auto trace = [](std::uint64_t seed) {
    Pair pair(config(seed, 0.2));
    pair.world.run_until(Time{} + seconds(5));
    return pair.world.trace_hash();
  };
  EXPECT_EQ(trace(1), trace(1));
  EXPECT_NE(trace(1), trace(2));
}

TEST(World, LossIsAboutWhatWasAskedFor) {
  NetMap net(config(1, 0.1).link, 3);
  net.add_host(false);
  net.add_host(true);
  int lost = 0;
  for (int i = 0; i < 20'000; ++i) lost += net.cross(HostId{0}, HostId{1}) ? 0 : 1;
  EXPECT_NEAR(lost, 2000, 200);
}

TEST(World, AKilledHostHearsAndSaysNothingMore) {
  Pair pair(config(1));
  pair.world.at(Time{} + milliseconds(5), [&](Time) { pair.world.kill(HostId{1}); });
  pair.world.run_until(Time{} + seconds(5));
  EXPECT_FALSE(pair.world.alive(HostId{1}));
  EXPECT_EQ(pair.first->heard, 0);
}

TEST(World, ANatTranslatesAndLetsAnswersIn) {
  NatBox box(NatKind::port_restricted, *IpAddress::parse("203.0.113.9"));
  Pair pair(config(1), box);
  pair.world.run_until(Time{} + seconds(5));
  EXPECT_EQ(pair.first->heard, 2);
}

TEST(World, ActionsRunAtTheirTimeAndWallTimeFollowsVirtualTime) {
  Pair pair(config(1));
  Time ran{};
  pair.world.at(Time{} + seconds(3), [&](Time now) { ran = now; });
  pair.world.run_until(Time{} + seconds(100));
  EXPECT_EQ(ran, Time{} + seconds(3));
  EXPECT_EQ(pair.world.wall() - config(1).epoch, seconds(100));
  EXPECT_GE(pair.first->told - config(1).epoch, seconds(60));
}

}  // namespace
}  // namespace linnet::sim
