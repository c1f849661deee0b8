// Runs of linnet-sim, each in a process of its own, and a file that remembers what they printed.
#pragma once

#include <fstream>
#include <map>
#include <string>

namespace linnet::sim {

class RunLog {
 public:
  // `path`: of results.jsonl, a line for each run with its command; what it has is not run again. Empty: nothing is
  // remembered.
  explicit RunLog(const std::string& path);

  bool writable() const { return writable_; }
  // The JSON line of the command, its arguments being those of linnet-sim; empty when it printed none. `which`: "3 of
  // 40", for who watches.
  std::string line_of(const std::string& command, const std::string& which);

 private:
  std::map<std::string, std::string> lines_;
  std::ofstream file_;
  bool writable_ = true;
};

// "3 of 40".
std::string number_of(std::size_t index, std::size_t all);

}  // namespace linnet::sim
