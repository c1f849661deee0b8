// For how many members of a conference this machine could mix: the mixer's work for some tenths of a second, timed by
// the thread's clock (media/mix_benchmark.h), and what else the machine has to do. A machine that is busy meanwhile is
// looked at again soon (node/io/spare_cores.h).
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "base/time.h"
#include "node/conference_view.h"
#include "node/io/loop.h"
#include "node/io/machine.h"
#include "node/io/spare_cores.h"

namespace linnet::io {

// Of one frame of 20 ms.
struct MixerCost {
  double frame_ms = 0;   // whatever the number of members
  double member_ms = 0;  // for each of them, a datagram sent and taken included
  double share = 1;      // of one core, that the work may have: under a quota for the CPU it waits
};

// Takes some tenths of a second of one core, longer under a quota; stops early once `stop` is set. The best of several
// rounds, `share` as it was given. With few members at first; who could mix for many is measured with many, for what
// each costs grows when no cache holds them all. Nothing: SRTP or a socket cannot be had here, or it was stopped.
std::optional<MixerCost> measure_mixer(const std::atomic<bool>& stop);

inline constexpr double kShareForMixing = 0.7;  // of one core
inline constexpr std::uint32_t kMostMixed = 2000;
// At least one. `spare_cores`: that nothing else uses.
std::uint32_t members_mixed(const MixerCost& cost, double spare_cores);
// Another figure than was told last. Measuring twice never gives the same; each that is told is a new roster for all.
bool worth_telling(const node::ConferenceMeans& told, const node::ConferenceMeans& found);

// Measures on a thread of its own, and not again for a while.
class MixerMeans {
 public:
  static constexpr Duration kGood = std::chrono::minutes(10);
  static constexpr Duration kLooks = std::chrono::milliseconds(200);  // at what else runs, before the work

  struct Found {
    std::uint32_t mixes = 0;
    bool mains = true;
    MixerCost cost;  // of which that follows
    double spare_cores = 0;
  };

  explicit MixerMeans(Loop& loop);
  ~MixerMeans();

  // Calls `found` on the loop: at once where it is known, never where it cannot be measured or is being measured for
  // somebody who asked before; and once more with each later look by which the machine is worth something else.
  void ask(Time now, std::function<void(const Found&)> found);

 private:
  struct Measured {
    MixerCost cost;
    double spare = 0, cores = 0;
    bool mains = true;
  };
  void run();
  void take(const Measured& measured);
  void await_look();
  void look_again();

  Loop& loop_;
  std::function<void(const Found&)> tell_;
  MachineWatch watch_;  // of the loop's thread
  std::optional<SpareCores> spare_;
  std::unique_ptr<Loop::Alarm> looks_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::optional<Found> found_;
  Time at_{};
  bool measuring_ = false;
  std::mutex mutex_;
  std::condition_variable ended_;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

}  // namespace linnet::io
