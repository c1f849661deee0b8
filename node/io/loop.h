// The one event loop of a daemon: descriptors, alarms, signals and work posted by other threads, all on one thread.
// The only face of Asio: nothing else includes it.
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

  // Calls `readable` while the descriptor has something to read. Does not own the descriptor; it must outlive the
  // watch.
  class Watch {
   public:
    virtual ~Watch() = default;
    // Calls `writable` once, when the descriptor takes bytes again.
    virtual void when_writable(std::function<void()> writable) = 0;
  };
  std::unique_ptr<Watch> watch(int fd, std::function<void()> readable);

  // One deadline; setting it again replaces it. kNever stops it.
  class Alarm {
   public:
    virtual ~Alarm() = default;
    virtual void set(Time at) = 0;
  };
  std::unique_ptr<Alarm> alarm(std::function<void()> ring);

  void on_signals(std::initializer_list<int> signals, std::function<void(int)> handler);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace linnet::io
