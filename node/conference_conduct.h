// Whether a member's device sends what a member's device sends. Packets that no call of it opens and far more packets
// than voice takes are counted; over a bound they are not looked at any more, and whoever sends them is named.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string_view>

#include "base/time.h"
#include "crypto/keys.h"

namespace linnet::node {

class ConferenceConduct {
 public:
  static constexpr Duration kWindow = std::chrono::seconds(2);
  // Of one leg in a window: frames of 10 ms that come by two ways are 400.
  static constexpr unsigned kMostVoice = 500;
  // Packets on their way when a leg ends or its key changes are no more than a second's.
  static constexpr unsigned kMostForeign = 90;
  static constexpr unsigned kForeignLookedAt = 500;  // more are not tried
  static constexpr std::size_t kMostDevices = 512;

  struct Finding {
    crypto::DeviceKey who{};
    std::string_view what;
  };

  // Before a packet of its is opened. False: it sent too many in this window.
  bool admits(Time now, const crypto::DeviceKey& device);
  // A packet of a leg was opened (`ours`: we mix for it there), or no call opened it.
  void voice(Time now, const crypto::DeviceKey& device, bool ours);
  void foreign(Time now, const crypto::DeviceKey& device);
  std::optional<Finding> poll();

 private:
  struct Seen {
    Time since{};
    unsigned ours = 0, theirs = 0, foreign = 0;
    bool over() const { return ours >= kMostVoice || theirs >= kMostVoice || foreign >= kForeignLookedAt; }
  };
  Seen* seen(Time now, const crypto::DeviceKey& device);
  void note(const crypto::DeviceKey& device, std::string_view what);

  std::map<crypto::DeviceKey, Seen> seen_;
  std::deque<Finding> findings_;
};

}  // namespace linnet::node
