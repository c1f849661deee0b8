// What lives on a simulated host: the shipped machine, and the hand that reads its events.
#pragma once

#include <optional>

#include "base/machine.h"
#include "base/time.h"

namespace linnet::sim {

class Actor {
 public:
  virtual ~Actor() = default;
  virtual void handle_datagram(Time now, const Datagram& datagram) = 0;
  virtual void handle_timeout(Time now) = 0;
  virtual void handle_wall(Time now, Wall wall) = 0;
  virtual Time next_timeout() const = 0;
  virtual std::optional<Transmit> poll_transmit() = 0;
  // Reads every event of the machine; may command it again. Called until nothing is left to transmit.
  virtual void settle(Time now) = 0;
};

}  // namespace linnet::sim
