// The terminal of a live call: keys one at a time, one line redrawn, signals as readable events.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "base/time.h"
#include "node/io/files.h"

namespace linnet::io {

bool on_terminal();  // stdout is one, and can rewrite a line (TERM is not "dumb")

// While it lives, keys come without Enter and are not echoed. Restores the terminal however the scope is left.
class RawKeys {
 public:
  RawKeys();  // does nothing when stdin is no terminal
  ~RawKeys();
  RawKeys(const RawKeys&) = delete;
  RawKeys& operator=(const RawKeys&) = delete;
  bool active() const { return active_; }
  int fd() const;  // stdin, or -1
  char key();      // once stdin is readable; 0 at its end

 private:
  struct Saved;
  Saved* saved_ = nullptr;
  bool active_ = false;
};

// SIGINT, SIGTERM and SIGHUP as a descriptor that becomes readable. Threads started later inherit the mask.
class Interrupts {
 public:
  Interrupts();
  ~Interrupts();
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;
  int fd() const { return fd_.get(); }
  void take();

 private:
  Fd fd_;
};

// Which of the descriptors can be read (or are at their end), once one can or the limit has passed. A negative one
// never can.
std::array<bool, 3> readable(const std::array<int, 3>& fds, Duration limit);
inline constexpr Duration kNoLimit = Duration::max();

// One line, written over the one before and cut to the terminal's width.
class LiveLine {
 public:
  void show(std::string_view text);
  void clear();

 private:
  bool shown_ = false;
};

}  // namespace linnet::io
