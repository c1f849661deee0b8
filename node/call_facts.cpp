#include "node/call_facts.h"

#include "node/rooms.h"

namespace linnet::node {

void meet_peer(Rooms& rooms, const Facts& facts, const crypto::AccountKey& account) {
  if (!facts.by_person) return;
  // Who lets us in to a room is not who was called: the room was.
  const auto& who = facts.room ? facts.room->account.value_or(account) : account;
  Contacts::Meeting meeting;
  meeting.account = who;
  meeting.key = crypto::key_hash(who);
  meeting.key_name = crypto::Address::key_name(facts.peer.user(), who);
  // A plain name is believed when nobody else claims it: the lookup of an outgoing call has shown that already.
  const bool sure = facts.direction == Direction::outgoing || facts.name_check == NameCheck::alone;
  const auto* known = rooms.contacts.find(meeting.key);
  const bool met = known != nullptr && known->listed();
  if (facts.peer.is_key_name() || sure) {
    meeting.address = facts.peer;
  } else if (met) {
    return;
  } else {
    meeting.address = meeting.key_name;
  }
  meeting.source =
      facts.peer.is_key_name() && facts.direction == Direction::outgoing ? Source::key_name : Source::first_use;
  meeting.now = rooms.wall;
  (void)rooms.contacts.meet(meeting);
  save_people(rooms);
}

void apply(Facts& facts, const crypto::AccountKey& account, const input::NameChecked& checked) {
  if (facts.name_check != NameCheck::pending) return;
  facts.name_check = checked.result;
  if (checked.result != NameCheck::contested) return;
  facts.note = checked.note;
  facts.peer = crypto::Address::key_name(facts.peer.user(), account);
}

}  // namespace linnet::node
