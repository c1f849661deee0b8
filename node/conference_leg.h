// A call as part of a conference: one member mixes for another in it. Said in the INVITE, as one token in the header
// Linnet-Conference (docs/protocol/conference.md):
//   invite-ROOM   who calls is in that room and asks the other to come in: it rings; Subject has the room's name
//   join          who calls wants to come into the room that the other is in
//   join-ROOM     into that one: who calls found the other under the room's address
//   join-ROOM-PROOF   and keeps the room: what its certificate says (docs/decisions/041), in hexadecimal digits
//   mix-ROOM      who calls mixes there, or is the deputy, and connects a member
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "node/command.h"
#include "node/conference_claim.h"

namespace linnet::node {

// Of a keeper's certificate, all that the other end does not know.
struct KeeperProof {
  Wall not_before{};
  Wall not_after{};
  std::uint32_t epoch = 0;
  crypto::Signature signature{};
};
KeeperProof proof_of(const crypto::DeviceCertificate& certificate);
crypto::DeviceCertificate certificate_of(const KeeperProof& proof, const crypto::AccountKey& room,
                                         const crypto::DeviceKey& device);

struct ConferenceLeg {
  enum class Kind : std::uint8_t { invite, join, mix };
  Kind kind = Kind::invite;
  conference::RoomId room{};              // all zero while a joiner does not know it
  bool ours = false;                      // we mix for the other end, or may have to
  std::optional<crypto::DeviceKey> only;  // the one device of theirs that is called
  std::optional<CallId> conference;       // that it belongs to here; nothing: it rings, or has not been let in
  std::optional<std::uint32_t> source;    // our SSRC in it, where it is said by the room
  bool for_another = false;               // a member had us call: no contact of ours for that
  std::optional<KeeperProof> proof;       // of a joiner
  std::string name;                       // of an invitation: what the conference is called; may be empty
};

// What it is called towards people: its name, else its number.
std::string title_of(const conference::RoomId& room, const std::string& name);

// What stands in the header, and back.
std::string to_token(const ConferenceLeg& leg);
std::optional<ConferenceLeg> conference_leg(std::string_view token);

}  // namespace linnet::node
