// What devices in one conference tell each other, on the channel `conference` of the links between them. Fixed binary:
// kind 1 byte, then
//   1 claim     a signed claim
//   2 roster    the head, the hash of all members, the mixer's signature of both; term and version of the roster that
//               the rest changes (0: nothing is left of an earlier one); page 1, pages 1: of so many messages this is
//               that one; devices that went; members that came or changed
//   3 want      room 16: the whole roster, please
//   4 silent    room 16, term 8: the mixer is not heard here
//   5 ready     room 16, term 8: of the deputy: every member is connected
//   6 take      room 16, term 8: of the mixer to its deputy: mix from now on, as that term
//   7 bring     room 16, device 32, name: of a member to the mixer: connect this one, who is to come in
//   8 remove    room 16, device 32: of the founder
//   9 setting   room 16, what 1 (1 locked, 2 muted), on 1, device 32 (of muted): of the founder
//  10 noted     room 16, on 1: this device records
//  11 introduce a signed claim: of a member to the mixer: this one is to come in
//  12 missed    room 16, device 32, left 1: of who mixes for a section to the mixer: nothing comes from this one, or it
//               ended its leg
//  13 passed    room 16, device 32, term 8, number 8, words, signature: what a member of a section says to the mixer
//  14 certified room 16, name, certificate: of a room's founder to a keeper's device (node/room_book.h)
#pragma once

#include <variant>

#include "node/conference_roster.h"

namespace linnet::node::conference {

struct RosterNews {
  Head head;
  crypto::Hash256 members_hash;
  crypto::Signature signature{};
  std::uint64_t base_term = 0;
  std::uint32_t base = 0;
  std::uint8_t page = 0, pages = 1;
  std::vector<crypto::DeviceKey> gone;
  std::vector<Member> changed;
};
struct Want {
  RoomId room{};
};
struct Silent {
  RoomId room{};
  std::uint64_t term = 0;
};
struct Ready {
  RoomId room{};
  std::uint64_t term = 0;
};
struct Take {
  RoomId room{};
  std::uint64_t term = 0;
};
struct Bring {
  RoomId room{};
  crypto::DeviceKey device{};
  crypto::Address address;
};
struct Remove {
  RoomId room{};
  crypto::DeviceKey device{};
};
enum class SettingKind : std::uint8_t { locked = 1, muted = 2 };
struct Setting {
  RoomId room{};
  SettingKind kind{};
  bool on = false;
  crypto::DeviceKey device{};
};
struct Records {
  RoomId room{};
  bool on = false;
};
struct Introduce {
  SignedClaim claim;
};
struct Missed {
  RoomId room{};
  crypto::DeviceKey device{};
  bool left = false;
};
// Who has no way to the mixer but the one who mixes for him: that one passes it on, and cannot change it.
struct Passed {
  RoomId room{};
  crypto::DeviceKey origin{};
  std::uint64_t term = 0;
  std::uint64_t number = 0;  // grows: nothing is heard twice
  Bytes words;               // a message
  crypto::Signature signature{};
};
// That device may say who is in the room of that address. It proves itself: it is signed by the room's own key.
struct Certified {
  RoomId room{};
  crypto::Address address;
  crypto::DeviceCertificate certificate;
};
using Message = std::variant<SignedClaim, RosterNews, Want, Silent, Ready, Take, Bring, Remove, Setting, Records,
                             Introduce, Missed, Passed, Certified>;

inline constexpr std::size_t kMaxWords = 60 * 1024;  // of one message
inline constexpr std::size_t kMaxPages = 10;
inline constexpr std::size_t kMaxPassed = 2048;

Bytes write(const Message& message);
// Faults: truncated, malformed, too_big, unsupported (a kind of a later version).
Result<Message> read(ByteView bytes);
// Which conference it is of.
const RoomId& room_of(const Message& message);

// What the mixer signs.
crypto::Signature sign_head(const crypto::Suite& suite, const crypto::Identity& identity, const Head& head,
                            const crypto::Hash256& members);
bool verify_head(const crypto::Suite& suite, const RosterNews& news);

crypto::Signature sign_passed(const crypto::Suite& suite, const crypto::Identity& identity, const Passed& passed);
bool verify_passed(const crypto::Suite& suite, const Passed& passed);

// The news as messages that are small enough; and one page more of what came: true while all of it fit together.
std::vector<RosterNews> pages_of(const RosterNews& news);
bool append(RosterNews& to, RosterNews page);

// `base` with the news; nothing when it does not fit, is over a limit, or the hash is another.
std::optional<Roster> apply(const Roster& base, const RosterNews& news);
// From `base` to `now`.
RosterNews difference(const Roster& base, const Roster& now);

}  // namespace linnet::node::conference
