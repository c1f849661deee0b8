// What members ask of whoever mixes by SIP's own means: REFER adds somebody to the conference, with method=BYE it takes
// somebody out (RFC 4579 sections 5.5 and 5.11). They hear what came of it.
#pragma once

#include <map>
#include <optional>

#include "node/call_view.h"
#include "node/conference_room.h"
#include "sip/core.h"

namespace linnet::node {

class ConferenceReferrals {
 public:
  // Calls of that kind under way. They ring in our name: nobody is to have us ring a whole town.
  static constexpr std::size_t kAtOnce = 4;

  struct Wish {
    bool takes_out = false;
    crypto::Address who;
  };
  // `room` is the conference in whose leg it came, nothing where there is none. Nothing: it may not be, and was
  // refused.
  std::optional<Wish> read(sip::Core& sip, Time now, const sip::ReferReceived& asked,
                           const conference::Room* room) const;
  // It is tried by that call.
  void follow(sip::Core& sip, Time now, const sip::ReferReceived& asked, CallId call);
  // It is done.
  static void done(sip::Core& sip, Time now, const sip::ReferReceived& asked);
  // A call came to stand (200), or did not.
  void over(sip::Core& sip, Time now, CallId call, int code);
  void on(const sip::SubscriptionEnded& ended);

 private:
  std::map<CallId, std::optional<sip::SubscriptionId>> asked_;  // nothing: nobody wants to hear of it
};

// As a status of SIP.
int status_of(CallResult result);

// The members who are called that, by address or by key name: one person may be there with two devices.
std::vector<crypto::DeviceKey> members_at(const conference::Roster& roster, const crypto::Address& who);

}  // namespace linnet::node
