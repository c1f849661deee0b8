// For how many members of a conference this machine could mix: the mixer's work for some tenths of a second, timed by
// the thread's clock and by the wall's (media/mix_benchmark.h), and what else the machine has to do.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "base/time.h"
#include "node/io/loop.h"

namespace linnet::io {

// Of one frame of 20 ms.
struct MixerCost {
  double frame_ms = 0;   // whatever the number of members
  double member_ms = 0;  // for each of them, a datagram sent and taken included
  double share = 1;      // of one core, that the work was given: under a quota for the CPU it waits
};

// Takes some tenths of a second of one core, longer under a quota; stops early once `stop` is set. Nothing: SRTP or a
// socket cannot be had here, or it was stopped.
std::optional<MixerCost> measure_mixer(const std::atomic<bool>& stop);

inline constexpr double kShareForMixing = 0.7;  // of one core
inline constexpr std::uint32_t kMostMixed = 2000;
// At least one. `idle_cores`: that nothing else uses.
std::uint32_t members_mixed(const MixerCost& cost, double idle_cores);

// Measures on a thread of its own, and not again for a while.
class MixerMeans {
 public:
  static constexpr Duration kGood = std::chrono::minutes(10);
  static constexpr Duration kLooks = std::chrono::milliseconds(200);  // at what else runs, before the work

  struct Found {
    std::uint32_t mixes = 0;
    bool mains = true;
    MixerCost cost;  // of which that follows
    double idle_cores = 0;
  };

  explicit MixerMeans(Loop& loop) : loop_(loop) {}
  ~MixerMeans();

  // Calls `found` on the loop: at once where it is known, never where it cannot be measured or is being measured for
  // somebody who asked before.
  void ask(Time now, std::function<void(const Found&)> found);

 private:
  void run(std::function<void(const Found&)> found);

  Loop& loop_;
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
