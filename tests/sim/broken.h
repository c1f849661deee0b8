// What a run broke, a line each; nothing is what every run must show.
#pragma once

#include <string>

#include "sim/report.h"

namespace linnet::sim {

inline std::string broken(const Report& r) {
  std::string out;
  for (const auto& b : r.broken) out += b + "\n";
  return out;
}

}  // namespace linnet::sim
