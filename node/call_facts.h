// What stays true of a call while it walks through its states, and what was measured of it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "media/session.h"
#include "node/call_view.h"
#include "node/conference_leg.h"
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
  bool protected_once = false;
  CallExplain explain;
};

// Who claims the plain name that an unknown caller came under: looked up while it rings.
enum class NameCheck : std::uint8_t {
  none,  // nothing to look up: a key name, or a contact
  pending,
  alone,      // nobody else does: the name may be pinned
  contested,  // others do: the caller is called by its key name
  unknown,    // the overlay did not say
};

// The address that was called is a room's (docs/decisions/041): one of its keepers is asked to let us in, then the
// next.
struct RoomCall {
  crypto::Address address;  // as called
  std::optional<crypto::AccountKey> account;
  struct Keeper {
    crypto::Address name;  // a key name
    crypto::DeviceKey device;
  };
  std::vector<Keeper> left;          // who says there that they are in it, and was not asked yet
  std::uint32_t epoch = 0;           // the latest of those who say so: who has an older one was dismissed
  bool found = false;                // it is to be founded, unless somebody else has that address
  bool keep = false;                 // we may begin the conference when nobody is in it
  bool stale = false;                // we might, if what its founder certified here had not run out
  bool begins = false;               // nobody is: this call becomes one
  std::vector<std::string> invites;  // to be called in
};

struct Facts {
  CallId id{};
  Direction direction{};
  crypto::Address peer;  // as called, or as they came
  Time began{};          // the command, or the INVITE
  Wall started{};
  bool cold = false;
  bool explain = false;     // somebody wants to know what the paths came to, on both sides
  bool remembered = false;  // found by what an earlier lookup brought: may be out of date
  bool looked_again = false;
  std::optional<Duration> limit;  // hangs up by itself this long after the answer
  bool verified = false;          // the account is pinned for this name, or the name is its key
  bool by_person = false;         // a person chose to call or to answer: only that makes a contact
  NameCheck name_check = NameCheck::none;
  std::string note;  // a warning about who this is
  std::optional<ConferenceLeg> conference;
  std::optional<RoomCall> room;
  std::optional<std::size_t> lookup_hops;
  std::optional<Time> found;   // the person's record
  std::optional<Time> linked;  // the first sealed link to a device of theirs
  std::optional<Time> rang;
  std::optional<Time> answered;
  std::optional<Talked> talked;

  // Part of a conference here: programs and history know that one alone.
  bool hidden() const { return conference && conference->conference; }
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

// What a person or the clock says to a call.
namespace input {
struct Answer {
  bool by_person = true;  // else by itself
};
struct Hangup {};
struct Hold {
  bool on = true;
};
struct Tick {};
// The names of the caller were looked up.
struct NameChecked {
  NameCheck result{};
  std::string note;
};
}  // namespace input

// A call stands between this account and us: whoever a person chose to talk to becomes a contact.
void meet_peer(Rooms& rooms, const Facts& facts, const crypto::AccountKey& account);

// What a lookup of the caller's name has shown. Contested: the caller is called by the key name from now on.
void apply(Facts& facts, const crypto::AccountKey& account, const input::NameChecked& checked);

// Where a call goes next; empty: it stays. Defined behind the states it may go to (node/call.h).
struct Next;

}  // namespace linnet::node
