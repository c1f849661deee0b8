#include "node/conference_roster.h"

#include <algorithm>

#include "crypto/text.h"

namespace linnet::node::conference {

bool is_name(std::string_view text) {
  if (text.empty()) return true;
  if (text.size() > kMaxName || text.front() == ' ' || text.back() == ' ') return false;
  while (!text.empty()) {
    const auto word = text.substr(0, text.find(' '));
    if (word.empty() || !crypto::is_visible_utf8(word)) return false;
    text.remove_prefix(std::min(text.size(), word.size() + 1));
  }
  return true;
}
namespace {

std::uint8_t flags_of(const Member& member) {
  return static_cast<std::uint8_t>((member.muted ? 1 : 0) | (member.poor ? 2 : 0) | (member.recording ? 4 : 0));
}

crypto::Hash256 lot(const RoomId& room, const crypto::DeviceKey& device) {
  return crypto::hash256({view("linnet-1 conference lot"), room, device});
}

bool may_mix(const Roster& roster, const crypto::DeviceKey& device) {
  return !roster.head.founder_only || !roster.has(roster.head.founder) || device == roster.head.founder;
}

}  // namespace

crypto::Hash256 Roster::hash() const {
  Writer out(members.size() * 400);
  for (const auto& [device, member] : members) {
    write(out, member.claim);
    out.u8(flags_of(member));
  }
  return crypto::hash256({view("linnet-1 conference members"), out.written()});
}

std::uint32_t source_of(const RoomId& room, const crypto::DeviceKey& device) {
  const auto hash = crypto::hash256({view("linnet-1 conference source"), room, device});
  Reader in(hash.bytes);
  return std::max<std::uint32_t>(1, in.u32());
}

double worth(const Claim& claim) {
  const auto uplink = claim.uplink_kbps == 0 ? kUnknownUplink : claim.uplink_kbps;
  return std::min<double>(std::min(claim.mixes, kMostMixes), static_cast<double>(uplink) / kLineOfMember);
}

std::vector<crypto::DeviceKey> rank(const Roster& roster) {
  struct Row {
    const Claim* claim;
    double worth;
    crypto::Hash256 lot;
  };
  std::vector<Row> rows;
  for (const auto& [device, member] : roster.members) {
    if (may_mix(roster, device))
      rows.push_back({&member.claim.claim, worth(member.claim.claim), lot(roster.head.room, device)});
  }
  const auto& incumbent = roster.head.mixer;
  std::sort(rows.begin(), rows.end(), [&](const Row& a, const Row& b) {
    if (a.worth != b.worth) return a.worth > b.worth;
    if (a.claim->reachable != b.claim->reachable) return a.claim->reachable;
    if (a.claim->mains != b.claim->mains) return a.claim->mains;
    const bool is_a = a.claim->device() == incumbent, is_b = b.claim->device() == incumbent;
    if (is_a != is_b) return is_a;
    return a.lot < b.lot;
  });
  std::vector<crypto::DeviceKey> out;
  for (const auto& row : rows) out.push_back(row.claim->device());
  return out;
}

std::optional<crypto::DeviceKey> elect(const Roster& roster) {
  const auto ranked = rank(roster);
  if (ranked.empty()) return std::nullopt;
  const auto incumbent = roster.members.find(roster.head.mixer);
  const bool stands = incumbent != roster.members.end() && may_mix(roster, incumbent->first);
  if (!stands) return ranked.front();
  const double now = worth(incumbent->second.claim.claim);
  const double best = worth(roster.members.at(ranked.front()).claim.claim);
  const auto need = static_cast<double>(roster.members.size());
  const bool gain = best >= now * kGain || (now < need && best > now);
  return gain ? ranked.front() : incumbent->first;
}

std::optional<crypto::DeviceKey> deputy_of(const Roster& roster) {
  for (const auto& device : rank(roster))
    if (device != roster.head.mixer) return device;
  return std::nullopt;
}

}  // namespace linnet::node::conference
