// Every UDP payload on the loopback interface, as whoever owns the wire sees it.
#pragma once

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "node/io/files.h"

namespace linnet::scenario {

class WireTap {
 public:
  ~WireTap();
  bool open();  // false without the right to
  // Ends the recording. Payloads from or to one of the ports.
  std::vector<std::string> stop(const std::vector<std::uint16_t>& ports);

 private:
  struct Packet {
    std::uint16_t from, to;
    std::string payload;
  };
  void record();

  io::Fd fd_;
  std::thread thread_;
  std::atomic<bool> ending_{false};
  std::vector<Packet> packets_;
};

}  // namespace linnet::scenario
