#include "node/conference_leg.h"

#include <algorithm>

namespace linnet::node {
namespace {

constexpr std::string_view kInvite = "invite-", kJoin = "join", kMix = "mix-";

}  // namespace

std::string title_of(const conference::RoomId& room, const std::string& name) {
  return name.empty() ? to_hex(room) : name;
}

std::string to_token(const ConferenceLeg& leg) {
  if (leg.kind == ConferenceLeg::Kind::join) return std::string(kJoin);
  return std::string(leg.kind == ConferenceLeg::Kind::invite ? kInvite : kMix) + to_hex(leg.room);
}

std::optional<ConferenceLeg> conference_leg(std::string_view token) {
  ConferenceLeg out;
  if (token == kJoin) {
    out.kind = ConferenceLeg::Kind::join;
    out.ours = true;
    return out;
  }
  const bool invites = token.starts_with(kInvite);
  if (!invites && !token.starts_with(kMix)) return std::nullopt;
  out.kind = invites ? ConferenceLeg::Kind::invite : ConferenceLeg::Kind::mix;
  const auto room = from_hex(token.substr(invites ? kInvite.size() : kMix.size()));
  if (!room || room->size() != out.room.size()) return std::nullopt;
  std::copy(room->begin(), room->end(), out.room.begin());
  return out;
}

}  // namespace linnet::node
