// The one event loop of a daemon: descriptors, alarms, signals and work posted by other threads, all on one thread.
// The only face of Asio: nothing else includes it. The kernel's timer is set only when an alarm is due earlier than it.
// The constructor throws boost::system::system_error when there is no descriptor to be had.
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>

#include "base/time.h"

namespace linnet::io {

class Loop {
 public:
  Loop();
  ~Loop();

  void run();                             // until stop()
  void stop();                            // from the loop's thread
  void post(std::function<void()> work);  // from any thread

  // The next turn begins no earlier, so that what comes meanwhile is dealt with together; kLongestRest after now at
  // most. Alarms wait as well. From the loop's thread; holds for one turn.
  static constexpr Duration kLongestRest = std::chrono::milliseconds(1);
  void rest_until(Time at);

  // Calls `readable` while the descriptor has something to read, is closed at the other end or has an error. Does not
  // own the descriptor; it must outlive the watch. A watch may
  // be destroyed from any handler, its own included.
  class Watch {
   public:
    virtual ~Watch() = default;
    // Calls `writable` once, when the descriptor takes bytes again. Another one takes its place.
    virtual void when_writable(std::function<void()> writable) = 0;
  };
  std::unique_ptr<Watch> watch(int fd, std::function<void()> readable);

  // One deadline; setting it again replaces it. kNever stops it. Those that are due ring in the order of their
  // deadlines.
  class Alarm {
   public:
    virtual ~Alarm() = default;
    virtual void set(Time at) = 0;
  };
  std::unique_ptr<Alarm> alarm(std::function<void()> ring);

  // In the whole process one loop may have them.
  void on_signals(std::initializer_list<int> signals, std::function<void(int)> handler);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace linnet::io
