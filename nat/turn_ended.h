// Clients of a TURN server that ended what they had, for as long as a nonce lives: their nonces of before are good for
// nothing that comes later. Bounded: of the oldest that gave way, nonces only age.
#pragma once

#include <unordered_map>

#include "base/endpoint.h"
#include "base/fifo.h"
#include "base/time.h"

namespace linnet::nat::turn {

class Ended {
 public:
  static constexpr std::size_t kMost = 4096;

  void add(Time now, const Endpoint& client, Duration remembered) {
    while (!order_.empty() && (order_.size() >= kMost || order_.front().until <= now)) forget();
    auto& last = last_[client];
    last = {last.times + 1, now + remembered};
    order_.push_back({client, last.until});
  }
  // How often of late; 0 of everybody else.
  std::uint32_t times(Time now, const Endpoint& client) const {
    const auto at = last_.find(client);
    return at == last_.end() || at->second.until <= now ? 0 : at->second.times;
  }

 private:
  struct Last {
    std::uint32_t times = 0;
    Time until{};
  };
  struct One {
    Endpoint client;
    Time until{};
  };
  void forget() {
    const auto oldest = order_.take();
    const auto at = last_.find(oldest.client);
    if (at != last_.end() && at->second.until == oldest.until) last_.erase(at);
  }

  std::unordered_map<Endpoint, Last> last_;
  Fifo<One> order_;
};

}  // namespace linnet::nat::turn
