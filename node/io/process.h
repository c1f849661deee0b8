// Other processes: one that is to end, and children that are this very program.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/time.h"
#include "node/io/files.h"

namespace linnet::io {

// Taken while the process surely runs; its number may then be given to another without confusion.
class ProcessWatch {
 public:
  explicit ProcessWatch(int pid);
  bool gone(Duration limit) const;  // waits; false when it still runs after the limit

 private:
  Fd fd_;
};

// A child that runs this program, out of reach of the terminal's Ctrl-C, and dies with us however we die.
class Child {
 public:
  // `arguments` without the program's name; stderr goes to `log`.
  static Outcome<Child> start(const std::vector<std::string>& arguments, const std::filesystem::path& log);
  Child(Child&& other) noexcept;
  Child& operator=(Child&&) = delete;
  ~Child();  // killed, if it still runs

  // The first line of its stdout. Trouble when it ends or the limit passes before, or `interrupt` becomes readable.
  Outcome<std::string> first_line(Duration limit, int interrupt);
  void kill();                // SIGKILL, and waits for its end
  void terminate();           // SIGTERM
  void wait(Duration limit);  // then kill

 private:
  Child() = default;

  int pid_ = 0;
  Fd out_;
};

}  // namespace linnet::io
