// Time as cores know it: handed in, never read. See ARCHITECTURE.md, "The shape of a core".
#pragma once

#include <chrono>
#include <cstdint>

namespace linnet {

// A clock without now(), on purpose: a core cannot ask the time; it is told.
struct Clock {
  using duration = std::chrono::microseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<Clock>;
  static constexpr bool is_steady = true;
};

using Time = Clock::time_point;
using Duration = Clock::duration;

// A deadline that never comes.
inline constexpr Time kNever = Time::max();

// Seconds since the Unix epoch. Only certificates and records are judged by it.
enum class Wall : std::int64_t {};

constexpr std::int64_t seconds(Wall w) { return static_cast<std::int64_t>(w); }
constexpr Wall operator+(Wall w, std::chrono::seconds s) { return Wall{seconds(w) + s.count()}; }
constexpr Wall operator-(Wall w, std::chrono::seconds s) { return Wall{seconds(w) - s.count()}; }
constexpr std::chrono::seconds operator-(Wall a, Wall b) {
  return std::chrono::seconds{seconds(a) - seconds(b)};
}

constexpr std::int64_t micros(Duration d) { return d.count(); }
constexpr double millis(Duration d) { return static_cast<double>(d.count()) / 1000.0; }

}  // namespace linnet
