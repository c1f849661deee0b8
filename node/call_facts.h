// What stays true of a call while it walks through its states, and what was measured of it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "media/session.h"
#include "node/call_view.h"
#include "node/directory.h"
#include "node/rooms.h"

namespace linnet::node {

// What talking left behind for the summary.
struct Talked {
  Duration length{};
  PathWord path = PathWord::unknown;
  std::string via;
  media::Stats stats;
  std::vector<PathChange> path_changes;
};

struct Facts {
  CallId id{};
  Direction direction{};
  crypto::Address peer;  // as called, or as they came
  Time began{};          // the command, or the INVITE
  Wall started{};
  bool cold = false;
  std::optional<Duration> limit;  // hangs up by itself this long after the answer
  bool verified = false;          // the account is pinned for this name, or the name is its key
  std::optional<Time> rang;
  std::optional<Time> answered;
  std::optional<Talked> talked;
};

// Where a call's signalling goes: one device of the person.
struct Line {
  sip::PeerId peer;
  overlay::SessionId link{};
  sip::CallId call{};
  crypto::AccountKey account;
  // How to find the device again when the link is lost; the callee waits to be found.
  std::optional<crypto::Address> address;
  std::optional<overlay::FoundDevice> device;
};

// A call's last state: nothing leads out of it.
struct Ended {
  CallResult result = CallResult::ended;
  std::string text;
};

// Where a call goes next; empty: it stays. Defined behind the states it may go to (node/call.h).
struct Next;

// What a person or the clock says to a call.
namespace input {
struct Answer {};
struct Hangup {};
struct Hold {
  bool on = true;
};
struct Tick {};
}  // namespace input

}  // namespace linnet::node
