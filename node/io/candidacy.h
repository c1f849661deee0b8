// What a node under `relay = auto` proves and measures about itself (node/fitness.h): the sockets, files and clocks of
// it. Costs next to nothing while something is missing; the uplink is measured last, and not beside a call.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "base/rng.h"
#include "node/fitness.h"
#include "node/io/machine.h"
#include "node/io/net/metered.h"
#include "node/io/net/reach_watch.h"
#include "node/io/uplink_measure.h"

namespace linnet::io {

class Candidacy {
 public:
  static constexpr Duration kLook = std::chrono::seconds(10);  // at the machine
  static constexpr Duration kAskLink = std::chrono::minutes(1);
  static constexpr Duration kSecondLook = std::chrono::seconds(45);  // before who serves is out of reach
  static constexpr Duration kVisited = std::chrono::minutes(5);      // somebody came in lately
  static constexpr double kShareOfNew = 1.0 / 6;                     // idle CPU is that of the last minute

  struct Ears {
    std::function<std::vector<Endpoint>()> supernodes;  // by UDP, for the uplink
    std::function<bool()> busy;                         // a call stands
    std::function<std::uint64_t()> came_in;             // how many have begun a session with us by datagrams
    std::function<void()> changed;                      // fit() may be another
  };

  // `reach` outlives this; its owner tells of its changes.
  Candidacy(Loop& loop, Rng& rng, const node::Fitness::Limits& limits, ReachWatch& reach, Ears ears);
  ~Candidacy();

  void reach_changed() { settle(); }
  // A port that a router opened for our datagrams, proven, and whether streams come in by another.
  void set_mapped(std::optional<Endpoint> datagrams, bool streams);
  void set_month_left(bool left) { fitness_.set_month_left(now(), left); }
  void set_serving(bool serving);
  void every_second();

  std::optional<node::Fitness::Fit> fit() const { return fitness_.fit(now()); }
  // Bits a second; nothing: not measured.
  std::optional<std::uint64_t> uplink() const { return fitness_.uplink(); }
  std::vector<node::FitnessCheck> checks() const { return fitness_.checks(now()); }

 private:
  static Time now();
  void look();
  void measure_uplink();
  bool lost_for_now(bool reached);
  void settle();

  Loop& loop_;
  Rng& rng_;
  ReachWatch& reach_;
  Ears ears_;
  node::Fitness fitness_;
  MachineWatch machine_;
  SleepWatch sleep_;
  Metered metered_;
  std::optional<bool> link_;
  double packets_ = 0;
  Time look_at_{};
  Time ask_link_at_{};
  bool serving_ = false;
  Time lost_at_ = kNever;
  std::optional<Endpoint> mapped_;
  bool mapped_streams_ = false;
  std::unique_ptr<UplinkMeasure> uplink_;  // while it is measured
  std::optional<double> idle_;
  Time began_;
  std::uint64_t came_in_ = 0;
  Time came_at_{};
  std::optional<std::optional<node::Fitness::Fit>> told_;  // none: nothing yet
};

}  // namespace linnet::io
