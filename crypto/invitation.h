// An invitation: one person's word, signed by the account key, that who holds the one-time secret in it is welcome. It
// carries the key (so that the name cannot be squatted on) and supernodes to join through (so that nothing else needs
// to be configured).
//
// Fixed binary: version 1, network tag 8, AK 32, name u16 + text, count u8 + {endpoint, SK 32}, expiry u64, secret 16,
// signature by AK over "linnet-1 invitation" || network id || everything before it. As text: LINNET- and base32, in any
// case, spaces and line breaks ignored.
#pragma once

#include <string>
#include <vector>

#include "base/endpoint.h"
#include "crypto/identity.h"

namespace linnet::crypto {

inline constexpr std::size_t kMaxInvitedVia = 3;
inline constexpr std::size_t kMaxInvitation = 640;  // bytes
inline constexpr std::chrono::hours kMaxInvitationLife{90 * 24};

struct InvitationSupernode {
  Endpoint endpoint;
  SessionKey session;

  bool operator==(const InvitationSupernode&) const = default;
};

// Names an invitation without giving its secret away: BLAKE2b-128 of it. Stored in its place.
using InvitationId = ByteArray<16>;
using InvitationSecret = ByteArray<16>;
InvitationId invitation_id(const InvitationSecret& secret);

struct Invitation {
  AccountKey account;
  Address address;  // the inviter's name; the key name when there is no other
  std::vector<InvitationSupernode> via;
  Wall expires{};
  InvitationSecret secret{};

  Address key_name() const { return Address::key_name(address.user(), account); }
  InvitationId id() const { return invitation_id(secret); }
};

// Signs with the identity's account key. Fault::too_big with more than kMaxInvitedVia supernodes.
Result<std::string> write_invitation(const Suite& suite, const Identity& identity, const NetworkId& network,
                                     const Invitation& invitation);
// Fault::malformed: no invitation; unsupported: of a later version; mismatch: for another network; bad_signature:
// forged or mistyped. Its time is not judged here.
Result<Invitation> read_invitation(const Suite& suite, const NetworkId& network, std::string_view text);

}  // namespace linnet::crypto
