#include "node/claims.h"

#include <algorithm>
#include <utility>

namespace linnet::node {
namespace {

NameCheck judge_claims(const Rooms& rooms, const crypto::AccountKey& account, const overlay::Found& found) {
  bool own = false;
  bool others = false;
  for (const auto& device : found.devices) {
    const auto& who = device.record.account();
    if (rooms.contacts.revoked(who, device.record.certificate.epoch)) continue;
    (who == account ? own : others) = true;
  }
  if (others) return NameCheck::contested;
  // A record of their own must be there to be found: one that shows its name to us alone is no proof of anything.
  return own && found.status ? NameCheck::alone : NameCheck::unknown;
}

std::string note_of(const crypto::Address& address, const overlay::Found& found) {
  std::string out = "Several keys claim " + address.text() + ":";
  std::vector<crypto::AccountKey> said;
  for (const auto& device : found.devices) {
    const auto& who = device.record.account();
    if (std::find(said.begin(), said.end(), who) != said.end()) continue;
    said.push_back(who);
    out += "\n  " + crypto::fingerprint(who) + "  " + crypto::Address::key_name(address.user(), who).text();
  }
  return out + "\n  Ask which is the right one, then: linnet contact add " + address.text() + " --key KEYNAME";
}

void look_up(Rooms& rooms, Time now, asker::Claim claim) {
  if (claim.address.is_key_name() || rooms.askers.full<asker::Claim>()) return;
  if (const auto find = rooms.peer.find(now, claim.address, std::nullopt, true))
    rooms.askers.put(*find, std::move(claim));
}

}  // namespace

void ask_claim(Rooms& rooms, Time now, CallId call, const crypto::Address& address, const crypto::AccountKey& account) {
  look_up(rooms, now, {call, address, account});
}

void ask_claim(Rooms& rooms, Time now, const crypto::Address& address, const crypto::AccountKey& account) {
  look_up(rooms, now, {std::nullopt, address, account});
}

std::optional<input::NameChecked> answer_claim(Rooms& rooms, const asker::Claim& asked, const overlay::Found& found) {
  const auto result = judge_claims(rooms, asked.account, found);
  if (asked.call)
    return input::NameChecked{result, result == NameCheck::contested ? note_of(asked.address, found) : ""};
  const auto key = crypto::key_hash(asked.account);
  const auto* contact = rooms.contacts.find(key);
  if (result != NameCheck::alone || contact == nullptr || !contact->listed()) return std::nullopt;
  Contacts::Meeting meeting;
  meeting.key = key;
  meeting.key_name = contact->key_name;
  meeting.address = asked.address;
  meeting.account = asked.account;
  meeting.source = contact->source;
  meeting.now = rooms.wall;
  (void)rooms.contacts.meet(meeting);
  save_people(rooms);
  return std::nullopt;
}

}  // namespace linnet::node
