// What both programs of bench/peers measure, and the JSON line in which they tell it. Knows neither of the two.
#pragma once

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace linnet::peers {

using Clock = std::chrono::steady_clock;

struct Plan {
  std::size_t nodes = 100;
  std::size_t supernodes = 100;  // of ours; the others are leaves
  std::size_t gets = 100;        // before and after the kill
  std::size_t puts = 40;         // one after another
  double killed = 30;            // percent of those that serve
};
constexpr auto kBetweenGets = std::chrono::milliseconds(50);
constexpr auto kAnswerWithin = std::chrono::seconds(15);  // after the last question
constexpr auto kJoinWithin = std::chrono::seconds(120);   // after the storm began
constexpr auto kQuiet = std::chrono::seconds(5);          // before the first get
constexpr std::size_t kValueBytes = 700;                  // of a value of theirs: as much as a record of ours

// Of one kind of operation: those that came to what they were for, in milliseconds, and how many were begun.
struct Samples {
  std::vector<double> ms;
  std::size_t begun = 0;
};

struct Outcome {
  Samples storm;  // from the start of all at once until a node can be found: joined, and its own name stored
  Samples put;    // the same of one node that comes when the others are there
  Samples get;
  Samples get_killed;  // from the moment a part is dead
  double kill_ms = 0;  // what killing them took
  double storm_cpu = 0, get_cpu = 0, killed_cpu = 0;
  double rss_mb = 0;  // with all nodes there, before the first get
};

inline double ms_since(Clock::time_point from) {
  return std::chrono::duration<double, std::milli>(Clock::now() - from).count();
}

inline double cpu_now() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto of = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; };
  return of(used.ru_utime) + of(used.ru_stime);
}

inline double peak_mb() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  return static_cast<double>(used.ru_maxrss) / 1024;
}

inline Plan plan_of(int argc, char** argv) {
  Plan plan;
  for (int i = 1; i + 1 < argc; i += 2) {
    const auto is = [&](const char* option) { return std::strcmp(argv[i], option) == 0; };
    const auto n = static_cast<std::size_t>(std::strtoul(argv[i + 1], nullptr, 10));
    if (is("--nodes")) plan.nodes = plan.supernodes = std::max<std::size_t>(4, n);
    if (is("--supernodes")) plan.supernodes = std::clamp<std::size_t>(n, 2, plan.nodes);
    if (is("--gets")) plan.gets = n;
    if (is("--puts")) plan.puts = n;
    if (is("--killed")) plan.killed = std::strtod(argv[i + 1], nullptr);
  }
  return plan;
}

inline void print(const char* name, const Samples& samples) {
  std::printf(", \"%s\": {\"begun\": %zu, \"ms\": [", name, samples.begun);
  for (std::size_t i = 0; i < samples.ms.size(); ++i) std::printf("%s%.2f", i == 0 ? "" : ", ", samples.ms[i]);
  std::printf("]}");
}

inline void print(const char* who, const Plan& plan, const Outcome& out) {
  std::printf("{\"who\": \"%s\", \"nodes\": %zu, \"supernodes\": %zu, \"killed_pct\": %.0f, \"kill_ms\": %.1f", who,
              plan.nodes, plan.supernodes, plan.killed, out.kill_ms);
  std::printf(", \"storm_cpu\": %.2f, \"get_cpu\": %.2f, \"killed_cpu\": %.2f, \"rss_mb\": %.1f", out.storm_cpu,
              out.get_cpu, out.killed_cpu, out.rss_mb);
  print("storm", out.storm);
  print("put", out.put);
  print("get", out.get);
  print("get_killed", out.get_killed);
  std::printf("}\n");
}

}  // namespace linnet::peers
