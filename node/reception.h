// Who may ring: the rules for links and INVITEs that come to us.
#pragma once

#include <optional>

#include "node/call.h"
#include "node/stranger_gate.h"

namespace linnet::node {

class Reception {
 public:
  // A link stands: SIP learns who that device is, and a contact learns our endpoints at once.
  void on(Rooms& rooms, Time now, const CallTable& calls, const overlay::LinkUp& up);

  // The code by which a person asks to be asked first (RFC 5360 section 5.9.2, Consent Needed).
  static constexpr int kConsentNeeded = 470;

  // What to ring with; nothing when the INVITE was refused. An impostor's attempt is told once a link as an ended call.
  struct Admitted {
    Facts facts;
    Incoming incoming;
    bool known = false;
  };
  //
  // Expected: it is a leg of a conference that we are in, and need not be let in again.
  std::optional<Admitted> admit(Rooms& rooms, Time now, const CallTable& calls, CallId id,
                                const sip::IncomingCall& call, bool expected = false);

 private:
  // How a call of somebody unknown is met: nothing to let it ring, else the code of the refusal.
  std::optional<int> meet_stranger(Rooms& rooms, Time now, const CallTable& calls, const crypto::Address& from,
                                   const Link& link);
  bool make_room(Rooms& rooms, Time now, const CallTable& calls);

  StrangerGate gate_;
};

}  // namespace linnet::node
