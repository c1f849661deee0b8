// The `linnet` program: arguments in, exit code out.
#pragma once

#include <string>
#include <vector>

namespace linnet::cli {

int run(const std::vector<std::string>& arguments);

}  // namespace linnet::cli
