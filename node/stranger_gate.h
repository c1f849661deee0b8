// How often people we do not know may make themselves heard: by key, by where they come from, and all together. Token
// buckets over bounded tables: who rings and hangs up a thousand times wakes nobody a thousand times, and who makes a
// thousand keys is still behind the same few supernodes.
#pragma once

#include <map>

#include "crypto/guard.h"
#include "node/people.h"

namespace linnet::node {

class StrangerGate {
 public:
  static constexpr std::size_t kRinging = 4;  // at once
  static constexpr std::size_t kBurst = 16;   // all together, and one more for each interval that passed
  static constexpr Duration kInterval = std::chrono::seconds(15);
  static constexpr std::size_t kKeyBurst = 3;
  static constexpr Duration kKeyInterval = std::chrono::seconds(60);
  static constexpr double kPrefixBurst = 8;
  static constexpr double kPrefixRate = 1.0 / 20;  // a second
  static constexpr std::size_t kKeys = 1024;       // remembered; the one that was silent longest goes

  // `via`: the supernode that the call came through, or the stranger's own address. `ringing`: strangers that ring now;
  // `ringing_same`: of this key among them.
  bool let_in(Time now, const PersonKey& key, const IpAddress& via, std::size_t ringing, std::size_t ringing_same);
  std::uint64_t refused() const { return refused_; }

 private:
  struct Bucket {
    std::size_t left = 0;
    Time since{};
  };
  static void refill(Bucket& bucket, Time now, std::size_t burst, Duration interval);
  Bucket& of(const PersonKey& key, Time now);

  Bucket all_{kBurst, {}};
  std::map<PersonKey, Bucket> keys_;
  crypto::PrefixLimiter prefixes_{kPrefixRate, kPrefixBurst};
  std::uint64_t refused_ = 0;
};

}  // namespace linnet::node
