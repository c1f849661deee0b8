// A daemon in a live call whose machine fails it: killed, disk full, clock moved, out of descriptors, out of memory.
#include <sys/resource.h>
#include <sys/time.h>

#include <cerrno>
#include <csignal>
#include <random>

#include "node/io/clock.h"
#include "node/io/store/store.h"
#include "tests/scenario/daemon.h"
#include "tests/scenario/fault_page.h"

namespace linnet::scenario {
namespace {

int times(const char* variable, int usual) {
  const char* value = std::getenv(variable);
  return value != nullptr ? std::atoi(value) : usual;
}

const auto kTalks = [](const Json& s) { return !s["calls"].empty() && s["calls"][0]["state"] == "talking"; };
const auto kIdle = [](const Json& s) { return s["calls"].empty(); };

// Alice is under the shim; bob answers everything.
class Faults : public testing::Test {
 protected:
  void SetUp() override {
    alice_.environment(page_.environment());
    ASSERT_TRUE(relay_.up({"--relay", "on"}));
    seat_ = {"--bootstrap", relay_.endpoint()};
    ASSERT_TRUE(alice_.up(seat_));
    ASSERT_TRUE(bob_.up({"--auto-answer", "--bootstrap", relay_.endpoint()}));
    ASSERT_TRUE(alice_.online());
    ASSERT_TRUE(bob_.online());
  }
  std::unique_ptr<Process> talk() {
    auto call = std::make_unique<Process>(alice_.line({"call", "bob@demo.example", "--json"}));
    EXPECT_TRUE(alice_.until(kTalks));
    return call;
  }
  // Voice comes in on both sides, while it is looked.
  void expect_voice() {
    for (const auto* who : {&alice_, &bob_}) {
      EXPECT_TRUE(hears_more(*who)) << who->address() << " hears nothing any more";
    }
  }
  void expect_a_good_end(Process& call) {
    ASSERT_EQ(alice_.run({"hangup"}).exit, 0);
    const auto ran = call.wait();
    EXPECT_EQ(ran.exit, 0) << ran.err << ran.out;
    EXPECT_EQ(ran.last_line()["result"], "ended");
    EXPECT_TRUE(bob_.until(kIdle)) << "the good-bye did not arrive";
  }
  static bool hears_more(const Daemon& who) {
    const auto before = packets_heard(who);
    const Time end = io::now() + std::chrono::seconds(20);
    while (io::now() < end)
      if (packets_heard(who) > before + 10) return true;
    return false;
  }
  static std::int64_t packets_heard(const Daemon& who) {
    return who.ask(R"({"cmd":"counters"})").value("datagrams_in", std::int64_t{0});
  }
  bool pinned_bob() const {
    auto store = io::Store::open(alice_.home() / "store.db");
    if (!store) return false;
    const auto memory = store->memory();
    return memory && memory->pins.count(*crypto::Address::parse("bob@demo.example")) == 1;
  }

  FaultPage page_;
  Daemon relay_{"relay@demo.example"};
  Daemon alice_{"alice@demo.example"};
  Daemon bob_{"bob@demo.example"};
  std::vector<std::string> seat_;
};

// LINNET_KILLS=200 for the whole of it.
TEST_F(Faults, KillNineAtRandomPointsLosesNothingAcknowledged) {
  ASSERT_EQ(alice_.run({"call", "bob@demo.example", "--duration", "0.2", "--json"}).exit, 0);
  int acknowledged = 1, died_at_a_step = 0;
  std::mt19937 random(7);
  for (int i = 0; i < times("LINNET_KILLS", 5); ++i) {
    SCOPED_TRACE("kill " + std::to_string(i));
    // Half of them at a step that changes files, half at any moment.
    const bool at_step = i % 2 == 0;
    page_->steps = 0;
    page_->torn = random() % 2;
    page_->kill_at = at_step ? 1 + random() % 12 : 0;
    Process call(alice_.line({"call", "bob@demo.example", "--duration", "0.2", "--json"}));
    if (!at_step) {
      call.line(static_cast<int>(random() % 700));
      alice_.kill_nine();
    }
    const auto ran = call.wait(15'000);
    alice_.kill_nine();
    page_.heal();
    if (ran.exit == 0) ++acknowledged;
    if (at_step && ran.exit != 0) ++died_at_a_step;
    EXPECT_TRUE(pinned_bob());
    const Time before = io::now();
    ASSERT_TRUE(alice_.up(seat_));
    EXPECT_LT(io::now() - before, std::chrono::seconds(5));
    EXPECT_GE(static_cast<int>(alice_.run({"log", "--json"}).lines().size()), acknowledged);
    ASSERT_TRUE(alice_.online());
  }
  EXPECT_GT(died_at_a_step, 0) << "no kill came at a step";
}

TEST_F(Faults, AFullDiskEndsNoCall) {
  for (const int error : {ENOSPC, EIO}) {
    auto call = talk();
    page_->fail_from = 1;
    page_->fail_to = 1'000'000'000;
    page_->error = error;
    expect_voice();
    expect_a_good_end(*call);
    page_.heal();
  }
  ASSERT_EQ(alice_.run({"call", "bob@demo.example", "--duration", "0.2", "--json"}).exit, 0);
  EXPECT_GE(alice_.run({"log", "--json"}).lines().size(), 1u) << "what comes after it is kept again";
  ASSERT_EQ(alice_.run({"down"}).exit, 0);
  EXPECT_TRUE(io::Store::open(alice_.home() / "store.db")) << "the store is whole";
  EXPECT_TRUE(pinned_bob());
}

TEST_F(Faults, ACallSurvivesAClockThatJumps) {
  auto call = talk();
  constexpr std::int64_t kDay = 86'400;
  for (const auto offset : {kDay, -kDay, 3652 * kDay, -3652 * kDay, std::int64_t{0}}) {
    page_->wall_s = offset;
    expect_voice();
  }
  expect_a_good_end(*call);
  EXPECT_TRUE(pinned_bob());
  // A node looks at the clock once a second: until then others' records seem to be of another time.
  int exit = -1;
  for (int i = 0; i < 20 && exit != 0; ++i) {
    ASSERT_TRUE(alice_.until([](const Json& status) { return status["state"] == "online"; }));
    exit = alice_.run({"call", "bob@demo.example", "--cold", "--duration", "0.2", "--json"}).exit;
  }
  EXPECT_EQ(exit, 0) << "and once the clock is right again, so is everything";
}

TEST_F(Faults, ACallSurvivesWithoutDescriptors) {
  auto call = talk();
  rlimit before{};
  ASSERT_EQ(::prlimit(alice_.pid(), RLIMIT_NOFILE, nullptr, &before), 0);
  const rlimit none{3, before.rlim_max};
  ASSERT_EQ(::prlimit(alice_.pid(), RLIMIT_NOFILE, &none, nullptr), 0);
  Process refused(alice_.line({"status", "--json"}));
  const auto said = refused.wait(5'000);
  EXPECT_NE(said.exit, 0);
  EXPECT_TRUE(hears_more(bob_)) << "alice speaks on";
  EXPECT_LT(page_->accepts_refused, 100) << "the loop turns on the spot";
  ASSERT_EQ(::prlimit(alice_.pid(), RLIMIT_NOFILE, &before, nullptr), 0);
  EXPECT_TRUE(alice_.until(kTalks));
  expect_voice();
  expect_a_good_end(*call);
}

// LINNET_STARVATIONS=1000 for more of it.
TEST_F(Faults, ACallSurvivesAllocationsThatFail) {
  auto call = talk();
  std::mt19937 random(11);
  for (int i = 0; i < times("LINNET_STARVATIONS", 60); ++i) {
    const auto before = page_->starved.load();
    page_->starve = 1 + static_cast<std::int64_t>(random() % 400);
    for (int tries = 0; tries < 2000 && page_->starved == before; ++tries) packets_heard(alice_);
    ASSERT_GT(page_->starved, before) << "nothing was allocated";
  }
  EXPECT_TRUE(alice_.until(kTalks));
  expect_voice();
  expect_a_good_end(*call);
  ASSERT_EQ(alice_.run({"down"}).exit, 0);
  EXPECT_TRUE(io::Store::open(alice_.home() / "store.db"));
}

}  // namespace
}  // namespace linnet::scenario
