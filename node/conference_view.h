// A conference as people and scripts see it: `linnet conf ls`.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "crypto/address.h"
#include "node/command.h"
#include "node/conference_deadline.h"

namespace linnet::node {

// What this device is good for as the mixer of a conference.
struct ConferenceMeans {
  std::uint32_t mixes = 50;       // members that it could mix for
  std::uint32_t uplink_kbps = 0;  // measured; 0: unknown
  bool reachable = false;
  bool mains = true;

  bool operator==(const ConferenceMeans&) const = default;
};

struct ConferenceView {
  CallId id{};
  std::string room;  // 32 hexadecimal digits
  std::string name;
  std::string address;  // of a room that has one, where this device keeps it; else empty
  std::string duty;     // of this device: "joining", "member", "deputy", "mixer", "section"
  std::uint64_t term = 0;
  bool locked = false;
  bool muted = false;  // the person here
  std::string mixer;   // addresses; empty: not known
  std::string deputy;  // empty: none
  bool deputy_streams = false;
  // Of this device while it mixes: whether its frames leave in time, and how many are heard at once for that.
  std::optional<Deadline> deadline;
  std::size_t heard_at_once = 0;
  struct Member {
    std::string address;
    std::string key_name;
    bool self = false;
    bool founder = false;
    bool speaks = false;
    bool muted = false;
    bool poor = false;
    bool recording = false;
    std::uint32_t mixes = 0;        // that it says it could, signed by it
    std::uint32_t uplink_kbps = 0;  // 0: unknown
    std::string hears;              // whom: the room's mixer or its section's; the mixer itself: itself
  };
  std::vector<Member> members;
  struct Mixer {
    std::string address;
    std::size_t members = 0;  // who hear it
  };
  std::vector<Mixer> mixers;         // the room's first; more than one: each mixes for a section
  std::vector<std::string> invited;  // rung, not here yet
};

// A room with an address that this device keeps: it may begin the conference there, and say who is in it.
struct RoomView {
  std::string address;
  std::string key_name;
  bool founded = false;              // by this person
  std::size_t keepers = 0;           // of a founder: others whom it certified
  std::int64_t expires = 0;          // Unix seconds: until then the founder has to be met again
  std::optional<CallId> conference;  // that is under way there, with us
};

// Whom the founder of a room has certified: the name of a contact is empty where he is none any more.
struct KeeperView {
  std::string name;
  std::string address;
  std::string key_name;
};

}  // namespace linnet::node
