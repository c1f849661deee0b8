// What a link's line has room for beside its voices (overlay::Room), as the calls on it found: the least of all counts.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "overlay/path.h"
#include "sip/peer.h"

namespace linnet::node {

class LinkRoom {
 public:
  static constexpr int kScant = 33'000;  // bit/s on the wire: below

  // The limit that this call's voice met; nothing: none, or little goes out.
  void note(sip::CallId call, std::optional<int> ceiling);
  // It is over, or stands elsewhere.
  void forget(sip::CallId call);
  overlay::Room room() const;

 private:
  std::vector<std::pair<sip::CallId, overlay::Room>> calls_;
};

}  // namespace linnet::node
