// What holds at every moment of every run (security.md, check 37): looked at while the world goes on.
#pragma once

#include <string>
#include <vector>

#include "sim/peer_actor.h"
#include "sim/world.h"

namespace linnet::sim {

class Invariants {
 public:
  static constexpr std::size_t kBytesPerPeer = 4 * 1024 * 1024;
  static constexpr std::uint64_t kDeadlinesPerSecond = 2'000;  // of one host: more is a timer that is always due
  static constexpr std::uint64_t kPacketsPerSecond = 5'000;    // of one host: more is a storm

  // Each datagram as it is delivered.
  void see(ByteView bytes) {
    if (bytes.size() > kMaxDatagram) oversize_ = true;
  }
  // Every so often, over all hosts.
  void look(const World& world, const std::vector<PeerActor*>& actors, Time now);
  // In words, each once.
  std::vector<std::string> broken() const;

 private:
  struct Last {
    std::uint64_t deadlines = 0;
    std::uint64_t packets = 0;
  };
  void look_at(const PeerActor& actor);
  void say(std::string what);

  bool oversize_ = false;
  Time looked_{};
  std::vector<Last> last_;
  std::vector<std::string> broken_;
};

}  // namespace linnet::sim
