#include "node/conference_leg.h"

#include <algorithm>

namespace linnet::node {
namespace {

constexpr std::string_view kInvite = "invite-", kJoin = "join", kJoinRoom = "join-", kMix = "mix-";

bool read_room(std::string_view digits, conference::RoomId& to) {
  const auto room = from_hex(digits);
  if (!room || room->size() != to.size()) return false;
  std::copy(room->begin(), room->end(), to.begin());
  return true;
}

std::string written(const KeeperProof& proof) {
  Writer out;
  out.u64(static_cast<std::uint64_t>(seconds(proof.not_before)));
  out.u64(static_cast<std::uint64_t>(seconds(proof.not_after)));
  out.u32(proof.epoch).bytes(proof.signature);
  return to_hex(out.written());
}

std::optional<KeeperProof> read_proof(std::string_view digits) {
  constexpr std::uint64_t kMostWall = std::uint64_t{1} << 40;  // as of certificates
  const auto bytes = from_hex(digits);
  if (!bytes) return std::nullopt;
  Reader in(*bytes);
  const auto from = in.u64(), until = in.u64();
  KeeperProof out;
  out.epoch = in.u32();
  out.signature = in.array<64>();
  if (!in.done() || from > kMostWall || until > kMostWall) return std::nullopt;
  out.not_before = Wall{static_cast<std::int64_t>(from)};
  out.not_after = Wall{static_cast<std::int64_t>(until)};
  return out;
}

std::optional<ConferenceLeg> read_join(std::string_view room_and_proof) {
  ConferenceLeg out;
  out.kind = ConferenceLeg::Kind::join;
  out.ours = true;
  const auto room = room_and_proof.substr(0, room_and_proof.find('-'));
  if (!read_room(room, out.room)) return std::nullopt;
  if (room.size() == room_and_proof.size()) return out;
  out.proof = read_proof(room_and_proof.substr(room.size() + 1));
  return out.proof ? std::optional(std::move(out)) : std::nullopt;
}

}  // namespace

KeeperProof proof_of(const crypto::DeviceCertificate& certificate) {
  return {certificate.not_before, certificate.not_after, certificate.epoch, certificate.signature};
}

crypto::DeviceCertificate certificate_of(const KeeperProof& proof, const crypto::AccountKey& room,
                                         const crypto::DeviceKey& device) {
  return {room, device, proof.not_before, proof.not_after, proof.epoch, proof.signature};
}

std::string title_of(const conference::RoomId& room, const std::string& name) {
  return name.empty() ? to_hex(room) : name;
}

std::string to_token(const ConferenceLeg& leg) {
  if (leg.kind == ConferenceLeg::Kind::join) {
    if (leg.room == conference::RoomId{}) return std::string(kJoin);
    return std::string(kJoinRoom) + to_hex(leg.room) + (leg.proof ? "-" + written(*leg.proof) : "");
  }
  return std::string(leg.kind == ConferenceLeg::Kind::invite ? kInvite : kMix) + to_hex(leg.room);
}

std::optional<ConferenceLeg> conference_leg(std::string_view token) {
  ConferenceLeg out;
  if (token == kJoin) {
    out.kind = ConferenceLeg::Kind::join;
    out.ours = true;
    return out;
  }
  if (token.starts_with(kJoinRoom)) return read_join(token.substr(kJoinRoom.size()));
  const bool invites = token.starts_with(kInvite);
  if (!invites && !token.starts_with(kMix)) return std::nullopt;
  out.kind = invites ? ConferenceLeg::Kind::invite : ConferenceLeg::Kind::mix;
  if (!read_room(token.substr(invites ? kInvite.size() : kMix.size()), out.room)) return std::nullopt;
  return out;
}

}  // namespace linnet::node
