// Other people as values: contacts, invitations, requests, what is asked about them and what is to be stored.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "base/time.h"
#include "crypto/identity.h"
#include "crypto/invitation.h"

namespace linnet::node {

// A person is known by BLAKE2b-256(AK): what a key name carries and an account key proves.
using PersonKey = crypto::Hash256;

// What is done with the call of somebody who is no contact.
enum class Strangers : std::uint8_t {
  ring,     // rings, marked as unknown and limited in number
  request,  // does not ring: a request is kept, for the person to accept or decline
  refuse,
};

// How sure we are that a name is this key's, weakest first (protocol.md section 1). Never lowered.
enum class Source : std::uint8_t { first_use = 0, dns = 1, invitation = 2, key_name = 3 };
std::string_view to_string(Source source);

struct Contact {
  PersonKey key;
  crypto::Address key_name;
  crypto::Address address;                    // as they call themselves; the key name when there is no other
  std::string name;                           // short, unique; empty: no contact, only blocked
  std::optional<crypto::AccountKey> account;  // once it was seen; a key name carries its hash only
  Source source = Source::first_use;
  Wall since{};
  std::optional<Wall> verified;  // when the safety numbers were compared and were the same
  std::optional<Wall> heard;     // when a device of theirs last spoke to this one; nothing: not yet, or not noted
  bool blocked = false;
  std::uint32_t epoch = 0;  // the highest revocation epoch seen: devices of a lower one are refused

  bool listed() const { return !name.empty(); }
};

// One that we gave out. Its secret is not kept: only who holds it can make the id of it.
struct StoredInvitation {
  crypto::InvitationId id{};
  Wall made{};
  Wall expires{};
  std::optional<PersonKey> used_by;
};

// One that we accepted and whose inviter does not know of us yet.
struct Acceptance {
  PersonKey inviter;
  crypto::InvitationSecret secret{};
  Wall expires{};
};

// Somebody unknown called while strangers = request.
struct Request {
  PersonKey key;
  crypto::Address key_name;
  crypto::Address address;
  Wall first{};
  Wall last{};
  std::uint32_t times = 1;
};

// A room with an address (docs/decisions/041) that this device keeps: its own account has certified us.
struct StoredRoom {
  crypto::Address address;
  crypto::DeviceCertificate certificate;  // of this device, by the room
  bool founded = false;                   // by our account: the room's key follows from ours
  std::set<PersonKey> keepers;            // of the founder: whose devices are certified when they are met

  const crypto::AccountKey& account() const { return certificate.account; }
};
struct DropRoom {
  crypto::Address address;
};

// What the driver stores. Contact, invitation, acceptance, request: written over the one with the same key.
struct Pin {
  crypto::Address address;
  PersonKey key;
};
struct Unpin {
  crypto::Address address;
};
struct DropContact {
  PersonKey key;
};
struct DropInvitation {
  crypto::InvitationId id{};
};
struct DropAcceptance {
  PersonKey inviter;
};
struct DropRequest {
  PersonKey key;
};
using Change = std::variant<Contact, DropContact, Pin, Unpin, StoredInvitation, DropInvitation, Acceptance,
                            DropAcceptance, Request, DropRequest, StoredRoom, DropRoom>;

// What a person asks. `who`: a short name, an address or a key name.
namespace ask {
struct Invite {
  std::chrono::seconds life{7 * 24 * 3600};
};
struct CancelInvitation {
  std::string id;  // hex, or its beginning
};
struct Accept {
  std::string code;
  std::string name;  // short name to give; empty: their own
};
struct Add {
  std::string who;
  std::string key;   // key name of the claimant that is meant; empty: the only one
  std::string name;  // short name to give; empty: their own
};
struct Verify {
  std::string who;
  bool anew = false;      // the key that claims the name now, not the one we know
  std::string key;        // which of the new ones, as key name; empty: the only one
  bool confirm = false;   // the numbers were compared: keep the result
  bool withdraw = false;  // they were not the same after all
};
struct Block {
  std::string who;
  bool on = true;
};
struct Forget {
  std::string who;
};
struct AnswerRequest {
  std::string who;
  bool accept = true;
  std::string name;
};
struct Revoke {};  // the next revocation epoch: other devices of this account are void
}  // namespace ask

using Ask = std::variant<ask::Invite, ask::CancelInvitation, ask::Accept, ask::Add, ask::Verify, ask::Block,
                         ask::Forget, ask::AnswerRequest, ask::Revoke>;

enum class Refusal : std::uint8_t { none, bad, not_found, identity, unreachable, refused };

struct Reply {
  Refusal refusal = Refusal::none;
  std::string text;  // one plain sentence for a person
  std::optional<Contact> contact;
  std::string code;           // Invite
  std::string id;             // Invite
  Wall expires{};             // Invite
  std::string safety_number;  // Verify
  std::string key_name;       // Verify: whose number that is
  std::string fingerprint;
  bool waiting = false;  // Accept: the inviter has not heard of it yet
};

}  // namespace linnet::node
