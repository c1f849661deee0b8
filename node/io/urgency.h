// The scheduling of the thread that mixes: a frame that begins late is a hole at every member of a conference, so while
// it mixes it goes before what else the machine does, as far as the machine allows.
#pragma once

#include <cstdint>
#include <string>

namespace linnet::io {

class Urgency {
 public:
  static constexpr int kPriority = 5;  // of SCHED_RR, low among those
  static constexpr int kNice = -10;

  enum class Means : std::uint8_t {
    none,      // not allowed: no rtprio, no nice (RLIMIT_RTPRIO, RLIMIT_NICE)
    nice,      // before ordinary threads
    realtime,  // SCHED_RR
  };

  Urgency() = default;
  ~Urgency() { drop(); }
  Urgency(const Urgency&) = delete;
  Urgency& operator=(const Urgency&) = delete;

  // Of the calling thread; threads that it begins meanwhile are ordinary ones.
  Means raise();
  // As it was. By the same thread.
  void drop();
  bool raised() const { return raised_; }

 private:
  bool raised_ = false;
  Means means_ = Means::none;
  int policy_ = 0, priority_ = 0, nice_ = 0;  // before
};

// For the log.
std::string to_string(Urgency::Means means);

}  // namespace linnet::io
