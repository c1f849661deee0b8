// Bootstrap nodes given by name, looked up again while a node is alone: an address may have moved, DNS may have been
// away at start. The lookup runs on a thread of its own and is handed over through the loop.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/endpoint.h"
#include "node/io/loop.h"

namespace linnet::io {

class NameWatch {
 public:
  static constexpr Duration kFirst = std::chrono::seconds(5);
  static constexpr Duration kMost = std::chrono::minutes(5);

  using Found = std::function<void(std::vector<Endpoint>)>;
  using Resolve = std::function<std::vector<Endpoint>(const std::vector<std::string>&)>;

  // `resolve` may wait; it is called on another thread. The other constructor uses the system's resolver.
  NameWatch(Loop& loop, std::vector<std::string> names, Found found);
  NameWatch(Loop& loop, std::vector<std::string> names, Found found, Resolve resolve);
  ~NameWatch();

  // About once a second. Asks after kFirst of being alone, then less and less often.
  void every_second(bool alone);
  // Other names from now on, asked for at once.
  void rename(std::vector<std::string> names);

 private:
  struct Answer;
  void ask();
  void take();

  Loop& loop_;
  std::vector<std::string> names_;
  Found found_;
  Resolve resolve_;
  std::shared_ptr<Answer> answer_;  // of the lookup that runs
  std::unique_ptr<Loop::Watch> watch_;
  Time next_ = kNever;
  Duration pause_ = kFirst;
  bool again_ = false;  // the names changed while a lookup ran
};

}  // namespace linnet::io
