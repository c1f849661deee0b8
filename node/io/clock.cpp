#include "node/io/clock.h"

#include <time.h>

namespace linnet::io {

Time now() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return Time(
      std::chrono::duration_cast<Duration>(std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec)));
}

Wall wall() {
  timespec t{};
  clock_gettime(CLOCK_REALTIME, &t);
  return Wall{t.tv_sec};
}

}  // namespace linnet::io
