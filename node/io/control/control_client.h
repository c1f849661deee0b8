// A program's end of the daemon's control socket.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/time.h"
#include "node/io/control/control_socket.h"
#include "node/io/settings/home.h"

namespace linnet::io {

class Client {
 public:
  // Trouble, exit 3: nobody listens there.
  static Outcome<Client> connect(const Home& home);

  Done send(const std::string& request);
  // The next line: nothing at the end of the connection. Waits at most `limit`; kForever waits as long as it takes.
  static constexpr Duration kForever = Duration::max();
  // Trouble also when `interrupt`, a descriptor, becomes readable first.
  Outcome<std::optional<std::string>> line(Duration limit = kForever, int interrupt = -1);
  // Called once by line() when nothing came within kAtOnce: a person sees something within 100 ms.
  static constexpr Duration kAtOnce = std::chrono::milliseconds(80);
  void when_slow(std::function<void()> tell) { slow_ = std::move(tell); }
  // A whole line that was read already, or nothing. For those who poll fd() themselves: read_more() once it is
  // readable.
  std::optional<std::string> buffered();
  bool read_more();  // false at the end of the connection

  int fd() const { return link_.fd.get(); }
  int pid() const { return link_.pid; }

 private:
  explicit Client(DaemonLink link) : link_(std::move(link)) {}

  DaemonLink link_;
  std::string in_;
  std::function<void()> slow_;
};

// One request, one answer.
Outcome<std::string> ask(const Home& home, const std::string& request, Duration limit,
                         std::function<void()> slow = nullptr);

}  // namespace linnet::io
