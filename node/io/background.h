// A process that goes on without its terminal, and tells whoever started it how its start went.
#pragma once

#include <functional>
#include <string>

#include "node/io/trouble.h"

namespace linnet::io {

struct StartReport {
  Exit exit = Exit::failed;
  std::string talk;  // for stderr
  std::string data;  // for stdout
};

// Files that are made from now on are closed to other users.
void keep_files_private();

// Forks. The child runs `daemon`, which calls `report` once, and ends with it; the parent returns that report. To be
// called before any thread exists.
using Report = std::function<void(const StartReport&)>;
// `slow` is called once when that takes longer than a person thinks nothing of.
Outcome<StartReport> start_in_background(const std::function<void(const Report& report)>& daemon,
                                         const std::function<void()>& slow = nullptr);

}  // namespace linnet::io
