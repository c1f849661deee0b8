// A call is in exactly one state; what may happen in a state is what that state has an on() for (one file each).
#pragma once

#include <map>
#include <optional>
#include <variant>

#include "node/call_connecting.h"
#include "node/call_incoming.h"
#include "node/call_inviting.h"
#include "node/call_resolving.h"
#include "node/call_ringing.h"
#include "node/call_talking.h"

namespace linnet::node {

using State = std::variant<Resolving, Connecting, Inviting, Ringing, Incoming, Talking, Ended>;

struct Next {
  std::optional<State> to;
  Next() = default;
  template <class S>
  Next(S state) : to(State(std::move(state))) {}  // NOLINT: where a state is returned, that is where to go
};

// Reason of a CANCEL when nobody answered in time: the other end notes a missed call ...
inline constexpr std::string_view kNoAnswer = "No answer";
// ... and when the person declined at another device: it does not.
inline constexpr std::string_view kDeclined = "Declined";

class Call {
 public:
  // Looks the name up at once.
  static Call outgoing(Rooms& rooms, Time now, Facts facts);
  Call(Facts facts, Incoming incoming) : facts_(std::move(facts)), state_(std::move(incoming)) {}

  // Hands anything that happened to the state. True when the state changed.
  template <class E>
  bool handle(Rooms& rooms, Time now, const E& what) {
    auto next = std::visit(
        [&](auto& state) -> Next {
          if constexpr (requires { state.on(rooms, now, facts_, what); }) {
            return state.on(rooms, now, facts_, what);
          } else if constexpr (requires { state.take(rooms, now, facts_, what); }) {
            state.take(rooms, now, facts_, what);
            return state.advance(rooms, now, facts_);
          } else {
            return {};
          }
        },
        state_);
    if (!next.to) return false;
    if (facts_.room) try_next_keeper(rooms, now, next);
    state_ = std::move(*next.to);
    return true;
  }
  Time next_timeout() const;

  const Facts& facts() const { return facts_; }
  // It goes on as a leg of that conference, under another number.
  void belongs_to(CallId id, CallId conference) {
    facts_.id = id;
    facts_.conference->conference = conference;
  }
  // The room that it asked to be let in to.
  void enters(const conference::RoomId& room) { facts_.conference->room = room; }
  // Of the one device that this call is with; none while several may still answer.
  std::optional<crypto::AccountKey> account() const;
  bool over() const { return std::holds_alternative<Ended>(state_); }
  // Somebody is looked for and called, and neither rings nor answers yet.
  bool seeks() const {
    return std::holds_alternative<Resolving>(state_) || std::holds_alternative<Connecting>(state_) ||
           std::holds_alternative<Inviting>(state_);
  }
  bool ringing_us() const { return std::holds_alternative<Incoming>(state_); }
  Talking* talking() { return std::get_if<Talking>(&state_); }
  const Talking* talking() const { return std::get_if<Talking>(&state_); }

  bool owns(sip::CallId call) const;
  bool uses(const sip::PeerId& peer) const;
  // The line is lost and may come back: SIP must not forget this peer yet.
  bool waits_for(const sip::PeerId& peer) const;

  CallView view(const Rooms& rooms, Time now) const;
  CallSummary summary() const;  // only when over

 private:
  explicit Call(Facts facts) : facts_(std::move(facts)) {}
  void try_next_keeper(Rooms& rooms, Time now, Next& next);

  Facts facts_;
  State state_;
};

using CallTable = std::map<CallId, Call>;
// Whether a call stands, or is about to, on a link to this device.
bool in_use(const CallTable& calls, const sip::PeerId& peer);
// Whether the voice of a call goes by this link.
bool talking_on(const CallTable& calls, overlay::SessionId link);

}  // namespace linnet::node
