// Runs nat/binding_life on two sockets of its own: how long the NAT in front of this machine keeps a mapping.
#pragma once

#include <functional>
#include <memory>

#include "base/rng.h"
#include "nat/binding_life.h"
#include "node/io/clock.h"
#include "node/io/net/udp_socket.h"

namespace linnet::io {

class LifeProbe {
 public:
  // `found` is told each time something was learnt, and never from inside a call to this; it may destroy the probe.
  // `clock`: another one for a test, which then calls tick() itself.
  LifeProbe(Loop& loop, Rng& rng, const Endpoint& server, std::function<void(nat::BindingLife::Found)> found,
            std::function<Time()> clock = now);
  ~LifeProbe();
  // False: no socket.
  bool start();
  // At next_timeout(), by the alarm.
  void tick();
  Time next_timeout() const { return life_->next_timeout(); }

 private:
  std::unique_ptr<UdpSocket> open(nat::BindingLife::By by);
  void moved();

  Loop& loop_;
  Rng& rng_;
  Endpoint server_;
  std::function<void(nat::BindingLife::Found)> tell_;
  std::function<Time()> clock_;
  std::unique_ptr<UdpSocket> tested_, other_;
  std::unique_ptr<Loop::Alarm> alarm_;
  std::unique_ptr<nat::BindingLife> life_;
};

}  // namespace linnet::io
