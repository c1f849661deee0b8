#include "node/contacts.h"

#include <algorithm>
#include <utility>

#include "crypto/text.h"

namespace linnet::node {
namespace {

std::string lower(std::string_view in) {
  std::string out(in);
  for (auto& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

}  // namespace

std::string_view to_string(Source source) {
  switch (source) {
    case Source::first_use: return "first-use";
    case Source::dns: return "dns";
    case Source::invitation: return "invitation";
    case Source::key_name: return "key-name";
  }
  return "first-use";
}

Contacts::Contacts(Memory memory) : memory_(std::move(memory)) {
  for (const auto& [key, contact] : memory_.contacts) {
    if (contact.listed()) names_.emplace(contact.name, key);
  }
  // Pins of before there were contacts.
  for (const auto& [address, key] : memory_.pins) {
    if (const auto* known = find(key); known != nullptr && known->listed()) continue;
    Contact contact;
    contact.key = key;
    contact.key_name = crypto::Address::key_name(address.user(), key);
    contact.address = address;
    contact.name = free_name(address);
    save(contact);
  }
}

std::optional<PersonKey> Contacts::pin(const crypto::Address& address) const {
  if (const auto own = address.key_hash()) return own;
  const auto found = memory_.pins.find(address);
  if (found == memory_.pins.end()) return std::nullopt;
  return found->second;
}

Standing Contacts::judge(const crypto::Address& address, const crypto::AccountKey& account) const {
  const auto key = crypto::key_hash(account);
  if (const auto pinned = pin(address); pinned && *pinned != key) return Standing::changed;
  const auto* contact = find(key);
  return contact != nullptr && contact->listed() ? Standing::contact : Standing::stranger;
}

bool Contacts::knows(const crypto::AccountKey& account) const {
  const auto* contact = find(crypto::key_hash(account));
  return contact != nullptr && contact->listed() && !contact->blocked;
}

bool Contacts::blocked(const crypto::AccountKey& account) const {
  const auto* contact = find(crypto::key_hash(account));
  return contact != nullptr && contact->blocked;
}

bool Contacts::revoked(const crypto::AccountKey& account, std::uint32_t epoch) const {
  const auto* contact = find(crypto::key_hash(account));
  return contact != nullptr && epoch < contact->epoch;
}

const Contact* Contacts::find(const PersonKey& key) const {
  const auto found = memory_.contacts.find(key);
  return found == memory_.contacts.end() ? nullptr : &found->second;
}

const Contact* Contacts::find(const crypto::Address& address) const {
  const auto key = pin(address);
  return key ? find(*key) : nullptr;
}

const Contact* Contacts::find(std::string_view who) const {
  const auto named = names_.find(lower(who));
  if (named != names_.end()) return find(named->second);
  const auto address = crypto::Address::parse(who);
  return address ? find(*address) : nullptr;
}

bool Contacts::is_short_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxShortName && name.front() != '-' &&
         name.find('@') == std::string_view::npos && crypto::is_visible_utf8(name);
}

std::string Contacts::free_name(const crypto::Address& address) const {
  std::string base = lower(address.user());
  if (!is_short_name(base)) base = "contact";
  base.resize(std::min(base.size(), kMaxShortName - 6));
  if (!is_short_name(base)) base = "contact";  // a character was cut in two
  std::string out = base;
  for (int n = 2; names_.count(out) != 0; ++n) out = base + "-" + std::to_string(n);
  return out;
}

void Contacts::save(const Contact& contact) {
  auto& stored = memory_.contacts[contact.key];
  if (stored.listed() && stored.name != contact.name) names_.erase(stored.name);
  stored = contact;
  if (stored.listed()) names_[stored.name] = stored.key;
  changes_.emplace_back(stored);
}

void Contacts::set_pin(const crypto::Address& address, const PersonKey& key) {
  if (address.is_key_name() || memory_.pins.size() >= kMaxPins) return;
  if (memory_.pins.emplace(address, key).second) changes_.emplace_back(Pin{address, key});
}

Result<const Contact*> Contacts::meet(const Meeting& m) {
  if (const auto pinned = pin(m.address); pinned && *pinned != m.key) return fail(Fault::mismatch);
  const auto name = lower(m.name);
  if (!name.empty()) {
    const auto taken = names_.find(name);
    if (!is_short_name(name) || (taken != names_.end() && taken->second != m.key)) return fail(Fault::refused);
  }
  Contact contact;
  if (const auto* known = find(m.key)) {
    contact = *known;
  } else if (memory_.contacts.size() >= kMaxContacts) {
    return fail(Fault::full);
  }
  if (!contact.listed()) contact.since = m.now;
  contact.key = m.key;
  contact.source = std::max(contact.source, m.source);
  if (m.account) contact.account = m.account;
  if (contact.key_name.empty()) contact.key_name = m.key_name;
  if (contact.address.empty() || !m.address.is_key_name()) contact.address = m.address;
  if (!name.empty()) contact.name = name;
  if (contact.name.empty()) contact.name = free_name(contact.address);
  set_pin(m.address, m.key);
  save(contact);
  drop_request(m.key);
  return find(m.key);
}

Result<const Contact*> Contacts::replace(const PersonKey& old, const Meeting& wanted) {
  auto m = wanted;
  if (const auto* before = find(old); before != nullptr && m.name.empty()) m.name = before->name;
  forget(old);
  return meet(m);
}

void Contacts::note_epoch(const crypto::AccountKey& account, std::uint32_t epoch) {
  const auto* known = find(crypto::key_hash(account));
  if (known == nullptr || (known->epoch >= epoch && known->account)) return;
  auto contact = *known;
  contact.epoch = std::max(contact.epoch, epoch);
  contact.account = account;
  save(contact);
}

void Contacts::set_verified(const PersonKey& key, std::optional<Wall> when) {
  const auto* known = find(key);
  if (known == nullptr) return;
  auto contact = *known;
  contact.verified = when;
  save(contact);
}

// What lies in the future was noted by a clock that was wrong: whatever was heard since is better.
void Contacts::note_heard(const crypto::AccountKey& account, Wall when, Wall now, std::chrono::seconds every) {
  const auto known = memory_.contacts.find(crypto::key_hash(account));
  if (known == memory_.contacts.end() || !known->second.listed() || known->second.blocked) return;
  auto& heard = known->second.heard;
  if (!heard || *heard < when || *heard > now) heard = when;
  const auto stored = heard_stored_.find(known->first);
  if (stored != heard_stored_.end() && *heard - stored->second < every && stored->second <= now) return;
  heard_stored_[known->first] = *heard;
  changes_.emplace_back(known->second);
}

Status Contacts::block(const PersonKey& key, const crypto::Address& address, const crypto::Address& key_name,
                       Wall now) {
  Contact contact;
  if (const auto* known = find(key)) {
    contact = *known;
  } else if (memory_.contacts.size() >= kMaxContacts) {
    return fail(Fault::full);
  } else {
    contact.key = key;
    contact.address = address;
    contact.key_name = key_name;
    contact.since = now;
  }
  contact.blocked = true;
  save(contact);
  drop_request(key);
  return {};
}

void Contacts::unblock(const PersonKey& key) {
  const auto* known = find(key);
  if (known == nullptr || !known->blocked) return;
  if (!known->listed()) return forget(key);  // nothing else was known of them
  auto contact = *known;
  contact.blocked = false;
  save(contact);
}

// The key by value: the caller's may be one that stands in what is erased.
void Contacts::forget(PersonKey key) {
  for (auto it = memory_.pins.begin(); it != memory_.pins.end();) {
    if (it->second != key) {
      ++it;
      continue;
    }
    changes_.emplace_back(Unpin{it->first});
    it = memory_.pins.erase(it);
  }
  const auto known = memory_.contacts.find(key);
  if (known == memory_.contacts.end()) return;
  if (known->second.listed()) names_.erase(known->second.name);
  memory_.contacts.erase(known);
  heard_stored_.erase(key);
  changes_.emplace_back(DropContact{key});
}

const Request* Contacts::request(const PersonKey& key) const {
  const auto& all = memory_.requests;
  const auto it = std::find_if(all.begin(), all.end(), [&](const Request& r) { return r.key == key; });
  return it == all.end() ? nullptr : &*it;
}

bool Contacts::note_request(const Request& request) {
  auto& all = memory_.requests;
  const auto it = std::find_if(all.begin(), all.end(), [&](const Request& r) { return r.key == request.key; });
  if (it != all.end()) {
    it->last = request.last;
    it->times = it->times == 0xffffffff ? it->times : it->times + 1;
    changes_.emplace_back(*it);
    return true;
  }
  if (all.size() >= kMaxRequests) {
    // Those that nobody looked at for a month make room; younger ones are not pushed out by who makes many keys.
    std::vector<PersonKey> old;
    for (const auto& r : all) {
      if (request.last - r.last > kRequestLife) old.push_back(r.key);
    }
    for (const auto& key : old) drop_request(key);
    if (all.size() >= kMaxRequests) return false;
  }
  all.push_back(request);
  changes_.emplace_back(request);
  return true;
}

void Contacts::drop_request(PersonKey key) {
  if (std::erase_if(memory_.requests, [&](const Request& r) { return r.key == key; }) != 0)
    changes_.emplace_back(DropRequest{key});
}

void Contacts::put(const StoredInvitation& invitation) {
  drop_invitation(invitation.id);
  memory_.invitations.push_back(invitation);
  changes_.emplace_back(invitation);
}

void Contacts::drop_invitation(const crypto::InvitationId& id) {
  if (std::erase_if(memory_.invitations, [&](const StoredInvitation& i) { return i.id == id; }) != 0)
    changes_.emplace_back(DropInvitation{id});
}

void Contacts::put(const Acceptance& acceptance) {
  drop_acceptance(acceptance.inviter);
  memory_.acceptances.push_back(acceptance);
  changes_.emplace_back(acceptance);
}

void Contacts::drop_acceptance(const PersonKey& inviter) {
  if (std::erase_if(memory_.acceptances, [&](const Acceptance& a) { return a.inviter == inviter; }) != 0)
    changes_.emplace_back(DropAcceptance{inviter});
}

}  // namespace linnet::node
