// Figures of a running node for a scraper on the same machine: Prometheus text (exposition format 0.0.4) at /metrics,
// made anew for each request. One request a connection; bounded in number, size and time.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <string>

#include "node/io/net/byte_stream.h"

namespace linnet::io {

class MetricsPort {
 public:
  static constexpr std::size_t kGuests = 8;  // at once; the oldest goes for the next
  static constexpr std::size_t kLongestRequest = 8 * 1024;
  static constexpr Duration kPatience = std::chrono::seconds(5);  // for a request, and for its answer to be taken

  // A loopback address. Trouble names the port when another program has it. Loop outlives this.
  static Outcome<std::unique_ptr<MetricsPort>> open(Loop& loop, const Endpoint& at, std::function<std::string()> text);

  const Endpoint& bound() const { return bound_; }
  std::size_t guests() const { return guests_.size(); }

 private:
  struct Guest {
    std::unique_ptr<ByteStream> stream;
    std::string asked;
    Time until{};
    bool answered = false;
  };
  using Guests = std::list<Guest>;

  MetricsPort(Loop& loop, Fd fd, const Endpoint& bound, std::function<std::string()> text);
  void accept();
  void read(Guests::iterator guest);
  void move_on(Guests::iterator guest);
  void sweep();
  void leave(Guests::iterator guest);

  Loop& loop_;
  Fd fd_;
  Endpoint bound_;
  std::function<std::string()> text_;
  Guests guests_;
  std::unique_ptr<Loop::Alarm> alarm_;
  std::unique_ptr<Loop::Watch> watch_;
};

// What that request gets; nothing: it is not whole yet.
std::optional<std::string> answer_http(std::string_view request, const std::function<std::string()>& metrics);

}  // namespace linnet::io
