// A day as people say it.
#pragma once

#include <string>

#include "base/time.h"

namespace linnet::node {

// "3 May", with the year when it is not the present one: "3 May 2025". UTC.
std::string day_of(Wall when, Wall now);

// "14 min ago", "3 h ago", "2 days ago", from two weeks on "on 3 May". Empty for what lies in the future.
std::string ago(Wall when, Wall now);

}  // namespace linnet::node
