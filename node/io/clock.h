// The two clocks of the machine. Only the driver and the commands read them.
#pragma once

#include "base/time.h"

namespace linnet::io {

// CLOCK_MONOTONIC, so that play_start_us and record_start_us of two processes on one machine can be compared.
Time now();
Wall wall();

}  // namespace linnet::io
