// Where one member cannot mix for all: the room has sections, each with a mixer of its own, and those exchange their
// sums with the room's mixer, as members whose voice is a sum. Who hears whom stands in the roster; what it becomes
// when somebody comes or goes follows from the roster alone, and few are moved by it.
//
// Section 0 is the mixer's own: in it are the deputy, who mixes for another section, and as many others as it carries.
#pragma once

#include <map>

#include "node/conference_roster.h"

namespace linnet::node::conference {

// Whom that member hears; nothing: it is the mixer, or nobody of this roster.
std::optional<crypto::DeviceKey> mixer_of(const Roster& roster, const crypto::DeviceKey& member);
// The section that it mixes for beside the mixer: 1 at the least.
std::optional<std::uint8_t> section_led_by(const Roster& roster, const crypto::DeviceKey& device);
// Whether `device` has a leg to `member`, to mix for it or, as the deputy, to be able to.
bool carries(const Roster& roster, const crypto::DeviceKey& device, const crypto::DeviceKey& member);
// In section 0, the mixer itself left out.
std::size_t heard_by_mixer(const Roster& roster);
// Legs that a member of that claim is to have.
std::size_t capacity(const Claim& claim);

// Who mixes for which section, and who is in it, from who did and was. The deputy is known.
void place(Roster& roster);
// Nowhere yet: for place() to find a section. Never told.
inline constexpr std::uint8_t kNowhere = 0xff;
// Takes the claims from whoever is not to be told with one, and gives them back out of `known` to others.
void choose_claims(Roster& roster, const std::map<crypto::DeviceKey, SignedClaim>& known);

inline constexpr double kAsGood = 0.75;    // of the best's worth: who is in section 0 already need not be moved
inline constexpr double kDissolves = 0.6;  // of what the others carry: with less than that a section is one too many
inline constexpr std::size_t kLeastOfSection = 2;  // legs, to be worth a section

}  // namespace linnet::node::conference
