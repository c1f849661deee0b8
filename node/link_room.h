// What a link's line has room for beside its voices (overlay::Room), as the calls on it found: the least of all counts.
#pragma once

#include <optional>
#include <vector>

#include "overlay/path.h"
#include "sip/peer.h"

namespace linnet::node {

class LinkRoom {
 public:
  static constexpr int kScant = 33'000;    // bit/s on the wire: below
  static constexpr double kCrowded = 250;  // ms that the other end's voice waits: a line is full, and it may be ours
  static constexpr double kClear = 100;    // ... until it is less than this

  // The limit that this call's voice met; nothing: none, or little goes out. How late the other end's comes.
  void note(sip::CallId call, std::optional<int> ceiling, double lateness_ms = 0);
  // It is over, or stands elsewhere.
  void forget(sip::CallId call);
  overlay::Room room() const;

 private:
  struct Entry {
    sip::CallId call;
    overlay::Room room = overlay::Room::both;
    bool crowded = false;
  };
  std::vector<Entry> calls_;
};

}  // namespace linnet::node
