// Who may ring: the rules for links and INVITEs that come to us.
#pragma once

#include <map>
#include <optional>

#include "node/call.h"

namespace linnet::node {

using Calls = std::map<CallId, Call>;

class Reception {
 public:
  // People without a pin, ringing at once.
  static constexpr std::size_t kMaxStrangers = 4;
  // ... and one after the other: this many rings at once, and one more for each interval that passed.
  static constexpr std::size_t kStrangerRings = 16;
  static constexpr Duration kStrangerInterval = std::chrono::seconds(15);

  // A link stands: SIP learns who that device is, and a contact learns our endpoints at once.
  void on(Rooms& rooms, Time now, const Calls& calls, const overlay::LinkUp& up);

  // What to ring with; nothing when the INVITE was refused. An impostor's attempt is told once a link as an ended call.
  struct Admitted {
    Facts facts;
    Incoming incoming;
    bool known = false;
  };
  std::optional<Admitted> admit(Rooms& rooms, Time now, Wall wall, const Calls& calls, CallId id,
                                const sip::IncomingCall& call);

 private:
  bool let_stranger_ring(Time now, const Calls& calls);
  bool make_room(Rooms& rooms, Time now, const Calls& calls);

  std::size_t rings_ = kStrangerRings;  // left to strangers
  Time rings_since_{};                  // when the last one was given back
};

}  // namespace linnet::node
