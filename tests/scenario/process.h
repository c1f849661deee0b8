// The `linnet` program as a script sees it: arguments in, exit code and output out. Every wait has an end and rests on
// an event.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "node/io/files.h"

namespace linnet::scenario {

using Json = nlohmann::ordered_json;

struct Ran {
  int exit = -1;  // 128 + signal when killed, -1 when it did not end in time
  std::string out;
  std::string err;

  Json last_line() const;  // of stdout, parsed
  std::vector<std::string> lines() const;
};

// "NAME=VALUE", over the test's own environment.
using Environment = std::vector<std::string>;

// A running program whose output is read line by line.
class Process {
 public:
  explicit Process(const std::vector<std::string>& arguments, const Environment& environment = {});
  Process(const std::string& program, const std::vector<std::string>& arguments, const Environment& environment);
  ~Process();  // killed, if it still runs
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  // The next line of stdout; nothing at its end or after `limit_ms`.
  std::optional<std::string> line(int limit_ms);
  // The first line of stderr; empty at its end or after the limit.
  std::string talk(int limit_ms);
  Ran wait(int limit_ms = 60'000);
  void signal(int number);
  int pid() const { return pid_; }

 private:
  bool read_some(int limit_ms);

  int pid_ = 0;
  io::Fd out_;
  io::Fd err_;
  std::string out_text_;
  std::size_t out_taken_ = 0;
  std::string err_text_;
};

Ran linnet(const std::vector<std::string>& arguments, const Environment& environment = {});

std::vector<std::string> keys_of(const Json& object);

}  // namespace linnet::scenario
