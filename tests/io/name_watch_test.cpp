#include "node/io/net/name_watch.h"

#include <gtest/gtest.h>

#include <atomic>

#include "node/io/clock.h"

namespace linnet::io {
namespace {

const Endpoint kThere = Endpoint::parse("192.0.2.7:4400").value();

// Runs the loop until `done`, at most ten seconds.
void run_until(Loop& loop, const std::function<bool()>& done) {
  const Time end = now() + std::chrono::seconds(10);
  std::unique_ptr<Loop::Alarm> look;
  look = loop.alarm([&] {
    if (done() || now() > end) return loop.stop();
    look->set(now() + std::chrono::milliseconds(5));
  });
  look->set(now());
  loop.run();
}

TEST(NameWatch, HandsOverWhatWasFoundOnTheLoop) {
  Loop loop;
  std::vector<Endpoint> found;
  NameWatch watch(
      loop, {"old.example:4400"}, [&](std::vector<Endpoint> e) { found = std::move(e); },
      [](const std::vector<std::string>& names) {
        return names == std::vector<std::string>{"new.example:4400"} ? std::vector<Endpoint>{kThere}
                                                                     : std::vector<Endpoint>{};
      });
  watch.rename({"new.example:4400"});
  run_until(loop, [&] { return !found.empty(); });
  EXPECT_EQ(found, (std::vector<Endpoint>{kThere}));
}

TEST(NameWatch, KeepsWhatItHadWhenALookupFails) {
  Loop loop;
  std::atomic<bool> asked{false};
  bool told = false;
  NameWatch watch(
      loop, {}, [&](const std::vector<Endpoint>&) { told = true; },
      [&](const std::vector<std::string>&) {
        asked = true;
        return std::vector<Endpoint>{};
      });
  watch.rename({"gone.example:4400"});
  run_until(loop, [&] { return asked.load(); });
  const auto stop = loop.alarm([&] { loop.stop(); });
  stop->set(now() + std::chrono::milliseconds(50));
  loop.run();
  EXPECT_FALSE(told);
}

TEST(NameWatch, AsksNobodyWhileTheNodeHasCompanyOrOnlyNumbers) {
  Loop loop;
  std::atomic<int> asked{0};
  const auto count = [&](const std::vector<std::string>&) {
    ++asked;
    return std::vector<Endpoint>{kThere};
  };
  NameWatch company(
      loop, {"node.example:4400"}, [](const std::vector<Endpoint>&) {}, count);
  NameWatch numbers(
      loop, {"192.0.2.7:4400"}, [](const std::vector<Endpoint>&) {}, count);
  for (int i = 0; i < 100; ++i) {
    company.every_second(false);
    numbers.every_second(true);
  }
  EXPECT_EQ(asked, 0);
}

}  // namespace
}  // namespace linnet::io
