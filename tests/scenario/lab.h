// What a script of tests/lab found: its standard output. Such scripts need root and end with 77 where they have not.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>
#include <string>

#include "checkout.h"
#include "tests/io/home_folder.h"
#include "tests/scenario/process.h"

namespace linnet::scenario {

class Lab : public testing::Test {
 protected:
  // Nothing: it cannot be made here, and log_ says why.
  std::optional<std::string> run(const std::string& script, const std::string& arguments) {
    const auto out = (home_ / "out").string(), log = (home_ / "log").string();
    const int status =
        std::system((LINNET_SOURCE_DIR "/tests/lab/" + script + " " + arguments + " >" + out + " 2>" + log).c_str());
    log_ = read(log);
    if (WEXITSTATUS(status) == 77) return std::nullopt;
    EXPECT_EQ(WEXITSTATUS(status), 0) << log_;
    return read(out);
  }

  std::string log_;

 private:
  static std::string read(const std::string& file) {
    const auto bytes = io::read_file(file, 1 << 20);
    return bytes && *bytes ? std::string(text(**bytes)) : std::string();
  }

  io::HomeFolder home_;
};

}  // namespace linnet::scenario
