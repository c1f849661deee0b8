#include "node/people_desk.h"

#include <algorithm>
#include <utility>

#include "node/directory.h"
#include "node/own_clock.h"

namespace linnet::node::people_desk {
namespace {

Reply refusal(Refusal why, std::string text) {
  Reply out;
  out.refusal = why;
  out.text = std::move(text);
  return out;
}

Reply good(const Contact* contact, std::string text = {}) {
  Reply out;
  if (contact != nullptr) out.contact = *contact;
  out.text = std::move(text);
  return out;
}

Reply no_contact(const std::string& who) {
  return refusal(Refusal::not_found, "No contact \"" + who + "\". See: linnet contact ls");
}

Reply no_address(const std::string& who) {
  return refusal(Refusal::bad, "\"" + who + "\" is no address. Give name@domain or a key name.");
}

std::string shown(const Contact& contact) { return contact.listed() ? contact.name : contact.address.text(); }

// Why meet() did not make a contact.
Reply not_met(const Rooms& rooms, const Contacts::Meeting& m, Fault fault) {
  if (fault == Fault::mismatch)
    return refusal(Refusal::identity, explain(m.address, IdentityChanged{*rooms.contacts.pin(m.address), m.key},
                                              rooms.contacts.find(m.address), rooms.wall));
  if (fault == Fault::refused)
    return refusal(Refusal::bad, "\"" + m.name + "\" is another contact's name, or cannot be one.");
  return refusal(Refusal::refused, "There is no room for another contact.");
}

Reply meet(Rooms& rooms, const Contacts::Meeting& meeting) {
  const auto met = rooms.contacts.meet(meeting);
  if (!met) return not_met(rooms, meeting, met.error());
  save_people(rooms);
  return good(*met, (*met)->name + " is a contact now.");
}

Reply number_with(const Rooms& rooms, const PersonKey& key, const crypto::Address& key_name, const Contact* contact) {
  Reply out;
  if (contact != nullptr) out.contact = *contact;
  out.safety_number = crypto::safety_number(crypto::key_hash(rooms.identity.account_key()), key);
  out.fingerprint = crypto::fingerprint(key);
  out.key_name = key_name.text();
  return out;
}

std::vector<crypto::AccountKey> accounts_in(const Rooms& rooms, const overlay::Found& found) {
  std::vector<crypto::AccountKey> out;
  for (const auto& device : found.devices) {
    const auto& who = device.record.account();
    if (rooms.contacts.revoked(who, device.record.certificate.epoch)) continue;
    if (std::find(out.begin(), out.end(), who) == out.end()) out.push_back(who);
  }
  return out;
}

std::optional<Reply> look_up(Rooms& rooms, Time now, asker::Desk asked) {
  if (rooms.askers.full<asker::Desk>()) return refusal(Refusal::refused, "Too many lookups at once. Try again.");
  const auto find = rooms.peer.find(now, asked.address, std::nullopt, true);
  if (!find)
    return refusal(Refusal::unreachable, "No supernode can be asked: " + std::string(to_string(find.error())) + ".");
  rooms.askers.put(*find, std::move(asked));
  return std::nullopt;
}

Reply found(Rooms& rooms, const ask::Add& add, const crypto::Address& address,
            const std::vector<crypto::AccountKey>& accounts) {
  if (accounts.empty())
    return refusal(Refusal::not_found, "Nobody has the name " + address.text() +
                                           " now. With a key name it can be added all the same: --key KEYNAME" +
                                           wrong_clock(rooms));
  if (accounts.size() > 1 && !rooms.contacts.pin(address))
    return refusal(Refusal::identity, explain(address, Claimants{accounts}));
  Contacts::Meeting meeting;
  meeting.address = address;
  meeting.name = add.name;
  meeting.now = rooms.wall;
  meeting.account = accounts.front();
  if (const auto pin = rooms.contacts.pin(address)) {
    for (const auto& account : accounts) {
      if (crypto::key_hash(account) == *pin) meeting.account = account;
    }
  }
  meeting.key = crypto::key_hash(*meeting.account);
  meeting.key_name = crypto::Address::key_name(address.user(), *meeting.account);
  meeting.source = Source::first_use;
  return meet(rooms, meeting);
}

Reply found(Rooms& rooms, const ask::Verify& verify, const crypto::Address& address,
            const std::vector<crypto::AccountKey>& accounts) {
  const auto* contact = rooms.contacts.find(verify.who);
  if (contact == nullptr) return no_contact(verify.who);
  auto others = accounts;
  std::erase_if(others, [&](const auto& a) { return crypto::key_hash(a) == contact->key; });
  if (!verify.key.empty()) {
    const auto chosen = crypto::Address::parse(verify.key);
    std::erase_if(others, [&](const auto& a) { return !chosen || !chosen->proves(a); });
  }
  if (others.empty()) return refusal(Refusal::not_found, "No other key claims " + address.text() + " now.");
  if (others.size() > 1) {
    auto out =
        refusal(Refusal::identity, "Several other keys claim " + address.text() +
                                       ". Say which: linnet contact verify " + contact->name + " --new --key KEYNAME");
    for (const auto& a : others)
      out.text += "\n  " + crypto::fingerprint(a) + "  " + crypto::Address::key_name(address.user(), a).text();
    return out;
  }
  return number_with(rooms, crypto::key_hash(others.front()), crypto::Address::key_name(address.user(), others.front()),
                     contact);
}

// A key is blocked, not a name: anybody may take a name.
Reply found(Rooms& rooms, const ask::Block&, const crypto::Address& address,
            const std::vector<crypto::AccountKey>& accounts) {
  std::optional<PersonKey> key = address.key_hash();
  if (!key && accounts.size() == 1) key = crypto::key_hash(accounts.front());
  if (!key && accounts.empty())
    return refusal(Refusal::not_found, "Nobody has the name " + address.text() +
                                           " now. Block the key name instead: see linnet log" + wrong_clock(rooms));
  if (!key) {
    auto out = refusal(Refusal::identity,
                       "Several keys claim " + address.text() + ". Block the one that is meant by its key name:");
    for (const auto& a : accounts) out.text += "\n  " + crypto::Address::key_name(address.user(), a).text();
    return out;
  }
  if (*key == crypto::key_hash(rooms.identity.account_key())) return refusal(Refusal::bad, "That is you.");
  if (!rooms.contacts.block(*key, address, crypto::Address::key_name(address.user(), *key), rooms.wall))
    return refusal(Refusal::refused, "There is no room for another blocked key.");
  save_people(rooms);
  return good(rooms.contacts.find(*key), address.text() + " is blocked.");
}

}  // namespace

void on_found(Rooms& rooms, const asker::Desk& asked, const overlay::Found& answer) {
  const auto accounts = accounts_in(rooms, answer);
  Reply reply;
  if (!answer.status && accounts.empty()) {
    reply = refusal(Refusal::unreachable, "The overlay did not answer in time. Try again when you are online.");
  } else {
    reply = std::visit([&](const auto& what) { return found(rooms, what, asked.address, accounts); }, asked.what);
  }
  rooms.out.push(event::PeopleDone{asked.command, std::move(reply)});
}

std::optional<Reply> handle(Rooms& rooms, Time now, CommandId command, const ask::Add& add) {
  const auto address = crypto::Address::parse(add.who);
  if (!address) return no_address(add.who);
  if (*address == rooms.identity.address || *address == rooms.identity.key_name())
    return refusal(Refusal::bad, address->text() + " is your own address.");
  Contacts::Meeting meeting;
  meeting.address = *address;
  meeting.name = add.name;
  meeting.now = rooms.wall;
  meeting.source = Source::key_name;
  if (const auto own = address->key_hash()) {
    meeting.key = *own;
    meeting.key_name = *address;
    return meet(rooms, meeting);
  }
  if (!add.key.empty()) {
    const auto chosen = crypto::Address::parse(add.key);
    if (!chosen || !chosen->is_key_name())
      return refusal(Refusal::bad,
                     "\"" + add.key + "\" is no key name. It ends with .linnet.alt: see linnet who " + add.who);
    meeting.key = *chosen->key_hash();
    meeting.key_name = crypto::Address::key_name(address->user(), meeting.key);
    return meet(rooms, meeting);
  }
  return look_up(rooms, now, {command, add, *address});
}

std::optional<Reply> handle(Rooms& rooms, Time now, CommandId command, const ask::Verify& verify) {
  const auto* contact = rooms.contacts.find(verify.who);
  if (contact == nullptr || !contact->listed()) return no_contact(verify.who);
  const auto key = contact->key;
  if (verify.withdraw) {
    rooms.contacts.set_verified(key, std::nullopt);
    save_people(rooms);
    return good(rooms.contacts.find(key), shown(*rooms.contacts.find(key)) + " is not verified.");
  }
  if (!verify.anew) {
    if (!verify.confirm) return number_with(rooms, key, contact->key_name, contact);
    rooms.contacts.set_verified(key, rooms.wall);
    save_people(rooms);
    const auto* now_known = rooms.contacts.find(key);
    auto out = number_with(rooms, key, now_known->key_name, now_known);
    out.text = now_known->name + " is verified.";
    return out;
  }
  if (contact->address.is_key_name())
    return refusal(
        Refusal::bad,
        contact->name +
            " is known by the key name alone: another key would be somebody else. Add them anew: linnet contact add");
  if (!verify.confirm) return look_up(rooms, now, {command, verify, contact->address});
  const auto chosen = crypto::Address::parse(verify.key);
  if (!chosen || !chosen->is_key_name()) return refusal(Refusal::bad, "\"" + verify.key + "\" is no key name.");
  Contacts::Meeting meeting;
  meeting.address = contact->address;
  meeting.key = *chosen->key_hash();
  meeting.key_name = crypto::Address::key_name(contact->address.user(), meeting.key);
  meeting.now = rooms.wall;
  meeting.source = Source::key_name;  // compared in person
  if (meeting.key == key) return refusal(Refusal::bad, "That is the key we know: nothing has changed.");
  if (const auto* other = rooms.contacts.find(meeting.key); other != nullptr && other->blocked)
    return refusal(Refusal::refused, "That key is blocked here. First: linnet contact block --off " + chosen->text());
  const auto met = rooms.contacts.replace(key, meeting);
  if (!met) return not_met(rooms, meeting, met.error());
  rooms.contacts.set_verified(meeting.key, rooms.wall);
  save_people(rooms);
  const auto* known = rooms.contacts.find(meeting.key);
  auto out = number_with(rooms, meeting.key, known->key_name, known);
  out.text = known->name + " has a new key, and it is verified.";
  return out;
}

std::optional<Reply> handle(Rooms& rooms, Time now, CommandId command, const ask::Block& block) {
  if (const auto* contact = rooms.contacts.find(block.who)) {
    const auto name = shown(*contact);
    if (!block.on && !contact->blocked) return refusal(Refusal::not_found, name + " is not blocked.");
    const auto key = contact->key;
    if (block.on) {
      (void)rooms.contacts.block(key, contact->address, contact->key_name, rooms.wall);
    } else {
      rooms.contacts.unblock(key);
    }
    save_people(rooms);
    return good(rooms.contacts.find(key), name + (block.on ? " is blocked." : " is no longer blocked."));
  }
  const auto address = crypto::Address::parse(block.who);
  if (!block.on) return address ? refusal(Refusal::not_found, block.who + " is not blocked.") : no_contact(block.who);
  if (!address) return no_contact(block.who);
  if (address->is_key_name()) return found(rooms, block, *address, {});
  // Somebody who asked to call is known by key already.
  std::vector<Request> asking;
  for (const auto& request : rooms.contacts.memory().requests) {
    if (request.address == *address) asking.push_back(request);
  }
  if (asking.size() == 1) {
    (void)rooms.contacts.block(asking[0].key, asking[0].address, asking[0].key_name, rooms.wall);
    save_people(rooms);
    return good(rooms.contacts.find(asking[0].key), address->text() + " is blocked.");
  }
  return look_up(rooms, now, {command, block, *address});
}

std::optional<Reply> handle(Rooms& rooms, Time, CommandId, const ask::Forget& forget) {
  const auto* contact = rooms.contacts.find(forget.who);
  if (contact == nullptr) return no_contact(forget.who);
  auto out = good(contact, shown(*contact) + " is forgotten: the next call is with a stranger.");
  rooms.contacts.forget(contact->key);
  save_people(rooms);
  return out;
}

std::optional<Reply> handle(Rooms& rooms, Time, CommandId, const ask::AnswerRequest& answer) {
  const auto address = crypto::Address::parse(answer.who);
  std::vector<Request> fits;
  for (const auto& request : rooms.contacts.memory().requests) {
    const bool named = address && (request.address == *address || request.key_name == *address);
    if (named || request.address.user() == answer.who) fits.push_back(request);
  }
  if (fits.empty())
    return refusal(Refusal::not_found, "No request of \"" + answer.who + "\". See: linnet contact ls --requests");
  if (fits.size() > 1) {
    auto out =
        refusal(Refusal::identity, "Several keys ask under that name. Give the key name of the one that is meant:");
    for (const auto& r : fits) out.text += "\n  " + crypto::fingerprint(r.key) + "  " + r.key_name.text();
    return out;
  }
  const auto& request = fits.front();
  if (!answer.accept) {
    rooms.contacts.drop_request(request.key);
    save_people(rooms);
    return good(nullptr, "The request of " + request.address.text() + " is declined. They are not told.");
  }
  Contacts::Meeting meeting;
  meeting.key = request.key;
  meeting.key_name = request.key_name;
  meeting.address = request.address;
  meeting.name = answer.name;
  meeting.source = Source::first_use;
  meeting.now = rooms.wall;
  auto out = meet(rooms, meeting);
  if (out.refusal == Refusal::none)
    out.text += " They may call you now; linnet call " + out.contact->name + " calls them.";
  return out;
}

}  // namespace linnet::node::people_desk
