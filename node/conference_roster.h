// Who is in a conference, and who mixes: signed by the mixer. A new one replaces it by its term, within a term by its
// version. The rank of members follows from it alone, so that all who have the same roster agree.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "node/conference_claim.h"

namespace linnet::node::conference {

inline constexpr std::size_t kMaxMembers = 1200;
// Of more members than these only the strongest are told with their claims: those who may come to mix. The others are
// thin entries, and are not elected.
inline constexpr std::size_t kAllWithClaims = 150;
inline constexpr std::size_t kWithClaims = 64;
inline constexpr std::size_t kMaxSections = 32;
inline constexpr std::size_t kMaxName = 64;  // octets, UTF-8

// Words of visible UTF-8 with spaces between them, at most kMaxName octets. Empty is none.
bool is_name(std::string_view text);

struct Member {
  SignedClaim claim;   // thin: who it is and its address, nothing else
  bool muted = false;  // by the room
  bool poor = false;   // little of what he sends arrives
  bool recording = false;
  bool thin = false;
  std::uint8_t section = 0;  // whom it hears: 0 the mixer, n Head::sections[n - 1]

  const crypto::DeviceKey& device() const { return claim.claim.device(); }
};

struct Head {
  RoomId room{};
  std::string name;
  crypto::DeviceKey founder{};  // who started it: may lock, mute and remove
  std::uint64_t term = 0;       // counts mixers
  std::uint32_t version = 0;    // within the term
  crypto::DeviceKey mixer{};
  std::optional<crypto::DeviceKey> deputy;
  bool locked = false;        // nobody comes in any more
  bool founder_only = false;  // nobody but the founder is to mix, as long as he is there
  // Who mix for a part of the room each (conference_sections.h). All zero: for nobody at present.
  std::vector<crypto::DeviceKey> sections;
};

struct Roster {
  Head head;
  std::map<crypto::DeviceKey, Member> members;

  // BLAKE2b-256 over all members in the order of their keys.
  crypto::Hash256 hash() const;
  bool has(const crypto::DeviceKey& device) const { return members.contains(device); }
};

// Up to so many the deputy sends his own mix beside the mixer's, and hears everybody.
inline constexpr std::size_t kStreamed = 8;
inline bool deputy_streams(const Roster& roster) {
  return roster.members.size() <= kStreamed && roster.head.sections.empty();
}

// An entry as it is told, and as it is hashed.
void write(Writer& out, const Member& member);
Result<Member> read_member(Reader& in);
Member thinned(const Member& member);
bool same(const Member& a, const Member& b);

// What a member's stream is called in every packet that passes it on (CSRC, RFC 3550): its own SSRC in this room.
std::uint32_t source_of(const RoomId& room, const crypto::DeviceKey& device);

// For how many a device could mix.
double worth(const Claim& claim);
// All that may mix and whose claims are told, the best first: by worth, anybody's packets come in, mains, the
// incumbent, then the lower hash of room and device.
std::vector<crypto::DeviceKey> rank(const Roster& roster);
// Who is to mix, given who does (Head::mixer): another only for a real gain, or where the incumbent cannot carry the
// room. None: nobody is in it.
std::optional<crypto::DeviceKey> elect(const Roster& roster);
// Who publish the address of a room: of those who may, the mixer, the deputy, then by rank.
inline constexpr std::size_t kPublishers = 2;
std::vector<crypto::DeviceKey> publishers(const Roster& roster, std::size_t most = kPublishers);
// The best but the mixer and, as long as there is anybody else, those who mix for a section.
std::optional<crypto::DeviceKey> deputy_of(const Roster& roster);

inline constexpr double kGain = 1.5;                      // times the incumbent's worth
inline constexpr std::uint32_t kMostMixes = 2000;         // more counts for no more
inline constexpr std::uint32_t kLineOfMember = 48;        // kbit/s on the wire: Opus at 24 kbit/s in frames of 20 ms
inline constexpr std::uint32_t kUnknownUplink = 100'000;  // kbit/s: the measured mixes decide

}  // namespace linnet::node::conference
