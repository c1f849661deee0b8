// What a node tells its driver.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "crypto/address.h"
#include "dht/floors.h"
#include "node/call_view.h"
#include "node/command.h"
#include "node/conference_deadline.h"
#include "node/examination.h"
#include "overlay/dial_desk.h"
#include "overlay/forwarding.h"
#include "overlay/peer_event.h"

namespace linnet::node {

enum class Outcome : std::uint8_t {
  ok,
  bad_address,
  not_found,
  no_such_call,
  busy,
  identity,
  unreachable,
  refused,
  shutting_down
};

namespace event {

// The outcome of a command. For Call: ok means the call exists (CallChanged and CallEnded follow); a refusal comes with
// the reason.
struct Done {
  CommandId command{};
  Outcome outcome{};
  std::optional<CallId> call;
  std::string text;  // one plain sentence for a person, empty when ok
};
struct WhoResult {
  CommandId command{};
  crypto::Address address;
  struct Device {
    std::string key_name;
    std::string fingerprint;  // of the account
    std::int64_t expires_in_s = 0;
    std::vector<std::string> homes;
  };
  std::vector<Device> devices;  // empty: nobody
  bool pinned = false;
  bool identity_conflict = false;  // two accounts claim it, or another than the pinned one does
  Outcome outcome{};               // ok, not_found, unreachable, identity
  std::string text;                // why not, as in its Done
};
// An examination, each time something was learnt. The last one comes before its Done.
struct Examined {
  CommandId command{};
  Examination found;
  std::optional<Answer> answer;  // of a path, just now
};
// Find out what our NAT does: Node::stun_servers(), Node::probed().
struct ProbeNat {};
// Measure how long our NAT keeps a mapping, with this supernode's help (nat/binding_life.h): Node::binding_found() each
// time something was learnt. It takes the place of one that is under way.
struct MeasureBinding {
  Endpoint server;
};
struct StatusChanged {};  // read Node::status() again
struct IncomingCall {
  CallId call{};
  crypto::Address from;
  bool known = false;      // a pin stands and matches
  std::string conference;  // that it invites to, by its name or number; empty: a call of two
};
struct CallChanged {
  CallId call{};
};
struct CallEnded {
  CallSummary summary;
};
// Something about a conference that a person should read: who did not come, who misbehaves.
struct ConferenceSaid {
  CallId call{};
  std::string text;
};
// A conference begins: measure for how many this machine could mix, if that was not done of late
// (Node::set_conference_means).
struct MeasureMixer {};
// Of this device as a mixer: whether it keeps up has changed, or what it does without for that.
struct ConferenceLoad {
  Deadline deadline{};
  std::size_t heard = 0;                 // at once
  std::optional<std::uint32_t> carries;  // members, where it was too many
};
// The driver opens sound for this call: capture() and play() until AudioStop.
struct AudioStart {
  CallId call{};
};
struct AudioStop {
  CallId call{};
};
// The answer to command People. What it changed was given out before, as SavePeople.
struct PeopleDone {
  CommandId command{};
  Reply reply;
};
// To be stored before the process may die, all of it or nothing.
struct SavePeople {
  std::vector<Change> changes;
};
// Once it is stored: Node::sequence_stored(). Nothing is published before.
struct SaveSequence {
  std::uint64_t below = 0;
};
// Of a supernode: the newest record of a device that it keeps (PeerConfig::floors of the next run).
struct SaveFloor {
  dht::Floor floor;
};
// Of a supernode: what its circuits carried this month (PeerConfig::relayed of the next run).
struct SaveRelayed {
  overlay::RelayedMonth month;
};
struct SaveHostCache {};
// Open so many UDP sockets of their own ports, for Node::poll_fan(), and tell Node::fan_opened(). Until CloseFan.
struct OpenFan {
  std::size_t sockets = 0;
};
struct CloseFan {};
// Of a supernode: open this TCP connection, send one packet of ours that is a STUN answer of that transaction, naming
// the endpoint, and close it (nat/dial_back.h).
struct Dial {
  Endpoint to;
  overlay::control::DialNonce nonce{};
};
// This node serves others from now on, or no more.
struct RoleChanged {
  overlay::Role role{};
};
// An adopted one (Node::fan_heard()) is not needed any more.
struct CloseSocket {
  std::uint8_t number = 0;
};
// The device certificate was renewed: write Node::identity() to the key file.
struct SaveIdentity {};
struct Left {};

}  // namespace event

using Event =
    std::variant<event::Done, event::WhoResult, event::Examined, event::ProbeNat, event::MeasureBinding,
                 event::StatusChanged, event::IncomingCall, event::CallChanged, event::CallEnded, event::AudioStart,
                 event::AudioStop, event::PeopleDone, event::SavePeople, event::SaveSequence, event::SaveFloor,
                 event::SaveRelayed, event::SaveHostCache, event::SaveIdentity, event::OpenFan, event::CloseFan,
                 event::CloseSocket, event::Dial, event::RoleChanged, event::ConferenceSaid, event::MeasureMixer,
                 event::ConferenceLoad, event::Left>;

}  // namespace linnet::node
