#include "node/day.h"

#include <chrono>

namespace linnet::node {
namespace {

std::chrono::year_month_day civil(Wall when) {
  const std::chrono::sys_seconds at{std::chrono::seconds(seconds(when))};
  return std::chrono::floor<std::chrono::days>(at);
}

}  // namespace

std::string day_of(Wall when, Wall now) {
  static constexpr const char* kMonths[] = {"January", "February", "March",     "April",   "May",      "June",
                                            "July",    "August",   "September", "October", "November", "December"};
  const auto day = civil(when);
  std::string out =
      std::to_string(static_cast<unsigned>(day.day())) + " " + kMonths[(static_cast<unsigned>(day.month()) + 11) % 12];
  if (day.year() != civil(now).year()) out += " " + std::to_string(static_cast<int>(day.year()));
  return out;
}

std::string ago(Wall when, Wall now) {
  constexpr std::int64_t kMinute = 60, kHour = 60 * kMinute, kDay = 24 * kHour;
  const auto passed = seconds(now) - seconds(when);
  if (passed < 0) return {};
  if (passed < kMinute) return "less than a minute ago";
  if (passed < 2 * kHour) return std::to_string(passed / kMinute) + " min ago";
  if (passed < 2 * kDay) return std::to_string(passed / kHour) + " h ago";
  if (passed < 14 * kDay) return std::to_string(passed / kDay) + " days ago";
  return "on " + day_of(when, now);
}

}  // namespace linnet::node
