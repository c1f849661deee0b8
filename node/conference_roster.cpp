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

constexpr std::uint8_t kMuted = 1, kPoor = 2, kRecording = 4, kThin = 8;

std::uint8_t flags_of(const Member& member) {
  return static_cast<std::uint8_t>((member.muted ? kMuted : 0) | (member.poor ? kPoor : 0) |
                                   (member.recording ? kRecording : 0) | (member.thin ? kThin : 0));
}

void write_thin(Writer& out, const Claim& claim) {
  const auto& name = claim.address.text();
  out.bytes(claim.certificate.device).bytes(claim.certificate.account);
  out.u16(static_cast<std::uint16_t>(name.size())).bytes(view(name));
}

Result<SignedClaim> read_thin(Reader& in) {
  SignedClaim out;
  auto& claim = out.claim;
  claim.certificate.device.bytes = in.array<32>();
  claim.certificate.account.bytes = in.array<32>();
  const std::size_t length = in.u16();
  if (length > crypto::kMaxUserPart + 1 + crypto::kMaxDomain) return fail(Fault::too_big);
  const auto name = text(in.bytes(length));
  if (!in.ok()) return fail(Fault::truncated);
  const auto address = crypto::Address::parse(name);
  if (!address) return fail(address.error());
  if (address->text() != name) return fail(Fault::malformed);
  claim.address = *address;
  return out;
}

crypto::Hash256 lot(const RoomId& room, const crypto::DeviceKey& device) {
  return crypto::hash256({view("linnet-1 conference lot"), room, device});
}

bool may_mix(const Roster& roster, const crypto::DeviceKey& device) {
  return !roster.head.founder_only || !roster.has(roster.head.founder) || device == roster.head.founder;
}

}  // namespace

void write(Writer& out, const Member& member) {
  out.u8(flags_of(member)).u8(member.section);
  if (member.thin) return write_thin(out, member.claim.claim);
  write(out, member.claim);
}

Result<Member> read_member(Reader& in) {
  const auto flags = in.u8(), section = in.u8();
  if (!in.ok()) return fail(Fault::truncated);
  if (flags > (kMuted | kPoor | kRecording | kThin) || section > kMaxSections) return fail(Fault::malformed);
  const bool thin = (flags & kThin) != 0;
  auto claim = thin ? read_thin(in) : read_claim(in);
  if (!claim) return fail(claim.error());
  return Member{
      std::move(*claim), (flags & kMuted) != 0, (flags & kPoor) != 0, (flags & kRecording) != 0, thin, section};
}

Member thinned(const Member& member) {
  Member out{{}, member.muted, member.poor, member.recording, true, member.section};
  auto& claim = out.claim.claim;
  claim.certificate.device = member.device();
  claim.certificate.account = member.claim.claim.certificate.account;
  claim.address = member.claim.claim.address;
  return out;
}

bool same(const Member& a, const Member& b) {
  return a.claim.signature == b.claim.signature && flags_of(a) == flags_of(b) && a.section == b.section &&
         a.claim.claim.certificate.account == b.claim.claim.certificate.account &&
         a.claim.claim.address == b.claim.claim.address;
}

crypto::Hash256 Roster::hash() const {
  Writer out(members.size() * (members.size() > kAllWithClaims ? 140 : 400));
  for (const auto& entry : members) write(out, entry.second);
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
    if (!member.thin && may_mix(roster, device))
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

std::vector<crypto::DeviceKey> publishers(const Roster& roster, std::size_t most) {
  std::vector<crypto::DeviceKey> out;
  const auto take = [&](const crypto::DeviceKey& device) {
    const auto member = roster.members.find(device);
    const bool may = member != roster.members.end() && !member->second.thin && member->second.claim.claim.keeps;
    if (may && out.size() < most && std::find(out.begin(), out.end(), device) == out.end()) out.push_back(device);
  };
  take(roster.head.mixer);
  if (roster.head.deputy) take(*roster.head.deputy);
  for (const auto& device : rank(roster)) take(device);
  return out;
}

std::optional<crypto::DeviceKey> elect(const Roster& roster) {
  const auto ranked = rank(roster);
  if (ranked.empty()) return std::nullopt;
  const auto incumbent = roster.members.find(roster.head.mixer);
  const bool stands = incumbent != roster.members.end() && !incumbent->second.thin && may_mix(roster, incumbent->first);
  if (!stands) return ranked.front();
  const double now = worth(incumbent->second.claim.claim);
  const double best = worth(roster.members.at(ranked.front()).claim.claim);
  const auto need = static_cast<double>(roster.members.size());
  const bool gain = best >= now * kGain || (now < need && best > now);
  return gain ? ranked.front() : incumbent->first;
}

std::optional<crypto::DeviceKey> deputy_of(const Roster& roster) {
  const auto& sections = roster.head.sections;
  std::optional<crypto::DeviceKey> out;
  for (const auto& device : rank(roster)) {
    if (device == roster.head.mixer) continue;
    if (std::find(sections.begin(), sections.end(), device) == sections.end()) return device;
    if (!out) out = device;
  }
  return out;
}

}  // namespace linnet::node::conference
