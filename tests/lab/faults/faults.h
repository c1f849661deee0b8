// What a program under the shim is made to suffer: a page shared by the test and the program (LINNET_FAULTS names the
// file). All zero: nothing happens, and steps are counted.
#pragma once

#include <atomic>
#include <cstdint>

namespace linnet::faults {

struct Page {
  // A step is a call that changes files: write, sync, truncate, rename, link, unlink, creation. Sockets, pipes and
  // terminals do not count.
  std::atomic<std::int64_t> steps;
  std::atomic<std::int64_t> kill_at;    // SIGKILL before this step; 0: never
  std::atomic<std::int64_t> torn;       // 1: a write at that step leaves half of its bytes first
  std::atomic<std::int64_t> fail_from;  // steps fail with `error` from this one
  std::atomic<std::int64_t> fail_to;    // to this one
  std::atomic<std::int64_t> error;      // ENOSPC, EIO
  std::atomic<std::int64_t> failed;     // steps that did
  std::atomic<std::int64_t> wall_s;     // CLOCK_REALTIME is off by this many seconds
  std::atomic<std::int64_t> counting;   // 1: allocations are counted
  std::atomic<std::int64_t> allocations;
  std::atomic<std::int64_t> starve;  // counts down: the allocation that makes it 0 fails
  std::atomic<std::int64_t> starved;
  std::atomic<std::int64_t> accepts_refused;  // accept4 without a descriptor to give
};

}  // namespace linnet::faults
