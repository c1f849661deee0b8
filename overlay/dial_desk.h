// TCP connections that a supernode opens for those who ask, so that they learn whether a port of theirs is reached from
// outside (nat/dial_back.h). Which ones it may open; the driver opens them.
//
// - Only to the address from which the asker's session comes by UDP, and that has answered a challenge: nobody is aimed
//   at anybody else. A stream may come through a proxy, whose address would be somebody else's.
// - Only to 443, 80 and ports from 1024 on: whoever shares an address with others shall not have their mail dialled.
// - Once a minute for each device, ten in a minute for each /24 or /48, four a second in all.
// - What is sent is 38 or 50 bytes, once a connection stands. The asker is told nothing: that a port is open learns who
//   listens there. The ask came in a sealed packet that was longer.
#pragma once

#include <vector>

#include "crypto/guard.h"
#include "overlay/control_message.h"

namespace linnet::overlay {

struct DialWanted {
  Endpoint to;  // TCP
  control::DialNonce nonce{};
};

class DialDesk {
 public:
  static constexpr Duration kEvery = std::chrono::minutes(1);  // of one device
  static constexpr double kOfPrefix = 10;                      // in a minute
  static constexpr unsigned kPerSecond = 4;
  static constexpr unsigned kBurst = 16;
  static constexpr std::size_t kRemembered = 60 * kPerSecond + kBurst;  // devices: there can be no more in a minute

  DialDesk() : prefixes_(kOfPrefix / 60, kOfPrefix, kRemembered) {}

  // `proven`: where the asker's session comes from. Nothing: it is refused, and counted.
  std::optional<DialWanted> take(Time now, const crypto::DeviceKey& device, const Endpoint& proven,
                                 const control::DialAsk& ask);
  std::uint64_t refused() const { return refused_; }

 private:
  struct Dialled {
    crypto::DeviceKey device;
    Time at{};
  };
  bool pay(Time now);

  std::vector<Dialled> last_;  // oldest first
  crypto::PrefixLimiter prefixes_;
  double tokens_ = kBurst;
  Time filled_{};
  std::uint64_t refused_ = 0;
};

}  // namespace linnet::overlay
