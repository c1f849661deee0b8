// Whether this node is fit to be a supernode under `relay = auto`, and for how many leaves (protocol.md, section 3).
// Made of what its driver proves and measures; the overlay decides whether one is needed. Sans-IO.
//
// Who serves already is judged by less: by whether it is reached, and by what its owner pays for (power, the link).
// That it has much to do never ends its role: others would have more to do then, and so on. What may be true for a
// moment only (a plug pulled and put back) has to last for kGrace.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/endpoint.h"
#include "base/time.h"

namespace linnet::node {

// What there is to give on this machine, as measured lately.
struct MachineState {
  bool mains = true;                   // no battery is being drained
  std::optional<bool> metered;         // the link costs by volume; nothing: nobody knows
  std::uint64_t memory_free = 0;       // bytes, of the machine or of what this program may use of it
  double idle_cores = 0;               // over the last minute or so
  double packets_per_core_second = 0;  // sealed and opened, of 1,200 bytes; 0: not measured yet
};

// One line of what is asked of a supernode.
struct FitnessCheck {
  std::string_view what;    // "datagrams", "streams", "stable", "uplink", "cpu", "memory", "power", "link", "month"
  std::optional<bool> met;  // nothing: not known yet
  std::string found;        // in words
};

class Fitness {
 public:
  static constexpr unsigned kAfterSleep = 3;  // times longer at one endpoint, for a machine that slept
  static constexpr Duration kGrace = std::chrono::seconds(30);
  static constexpr Duration kLookAgain = std::chrono::hours(1);  // at the uplink, while it is too slow or old
  static constexpr std::uint64_t kLeastUplink = 1'000'000;       // bits a second
  static constexpr std::uint64_t kUplinkPerLeaf = 10'000;        // its upkeep, and a call in ten relayed
  static constexpr std::uint64_t kLeastMemory = 64 << 20;
  static constexpr std::uint64_t kMemoryPerLeaf = 64 << 10;  // some 4 KB for itself; the rest for what it asks for
  static constexpr double kLeastIdle = 0.25;                 // of one core
  static constexpr double kLeastPackets = 50'000;
  static constexpr double kPacketsPerLeaf = 20;  // a second, a relayed call in ten

  struct Limits {
    Duration stable = std::chrono::minutes(20);  // at one endpoint
    std::uint32_t leaves = 10'000;               // at the most
    double idle = kLeastIdle;                    // cores, at the least
  };
  struct Fit {
    Endpoint place;
    std::uint32_t leaves = 0;

    bool operator==(const Fit&) const = default;
  };

  explicit Fitness(Limits limits) : limits_(limits) {}

  // Where anybody's datagrams reach our port, and whether streams do there (nat/reach_proof.h, or a router's port).
  // `refuted`: it was asked, and nobody came in.
  void set_reach(Time now, const std::optional<Endpoint>& datagrams, bool streams, bool refuted = false);
  void set_machine(Time now, const MachineState& machine);
  // In bits a second. Nothing: it could not be measured.
  void set_uplink(Time now, std::optional<std::uint64_t> rate);
  void set_month_left(Time now, bool left);
  // The machine slept: it may sleep again.
  void slept(Time now);
  void set_serving(bool serving) { serving_ = serving; }

  std::optional<std::uint64_t> uplink() const { return uplink_; }
  // All else is as it must be, and the uplink was not measured lately: it costs its owner some 120 KB.
  bool wants_uplink(Time now) const;
  std::optional<Fit> fit(Time now) const;
  // Everything that is asked, in the order in which it is found out.
  std::vector<FitnessCheck> checks(Time now) const;
  // When fit() may say something else by itself.
  Time next_timeout() const;

 private:
  Time stable_at() const;
  bool costs_nothing(Time now) const;
  bool has_enough() const;
  std::uint32_t leaves() const;
  FitnessCheck stable_check(Time now) const;
  FitnessCheck uplink_check() const;
  FitnessCheck cpu_check() const;
  FitnessCheck memory_check() const;

  Limits limits_;
  std::optional<Endpoint> place_;
  Time since_{};  // it is this one
  bool streams_ = false;
  bool refuted_ = false;
  bool slept_ = false;
  bool serving_ = false;
  std::optional<MachineState> machine_;
  Time dear_since_ = kNever;  // on a battery, or a metered link
  std::optional<std::uint64_t> uplink_;
  std::optional<Time> uplink_at_;
  bool month_left_ = true;
};

}  // namespace linnet::node
