// The people we know: contacts, pins (which key stands behind a name), whom we blocked, what waits for an answer
// (protocol.md section 1). A pin always wins and is never changed or dropped but by a person's own command.
#pragma once

#include <optional>
#include <set>

#include "node/config.h"

namespace linnet::node {

enum class Standing : std::uint8_t {
  stranger,  // neither the name nor the key is known
  contact,   // the key is a contact's, and the name is not somebody else's
  changed,   // the name is pinned to another key, or is a key name of another key
};

class Contacts {
 public:
  static constexpr std::size_t kMaxPins = 65'536;
  static constexpr std::size_t kMaxContacts = 16'384;  // blocked ones too
  static constexpr std::size_t kMaxRequests = 64;
  static constexpr std::chrono::hours kRequestLife{30 * 24};
  static constexpr std::size_t kMaxShortName = 64;  // bytes

  explicit Contacts(Memory memory);

  std::optional<PersonKey> pin(const crypto::Address& address) const;
  Standing judge(const crypto::Address& address, const crypto::AccountKey& account) const;
  // Under whatever name: a contact that is not blocked may learn our endpoints at once.
  bool knows(const crypto::AccountKey& account) const;
  bool blocked(const crypto::AccountKey& account) const;
  // The account itself has made certificates of this epoch void.
  bool revoked(const crypto::AccountKey& account, std::uint32_t epoch) const;

  const Contact* find(const PersonKey& key) const;
  const Contact* find(const crypto::Address& address) const;  // by key name or pin
  const Contact* find(std::string_view who) const;            // a short name too
  const Memory& memory() const { return memory_; }

  // Somebody became a contact, or is known better now.
  struct Meeting {
    PersonKey key;
    crypto::Address key_name;
    crypto::Address address;  // pinned, unless it is a key name
    std::optional<crypto::AccountKey> account;
    Source source = Source::first_use;
    Wall now{};
    std::string name;  // wanted; must be free. Empty: made of the address
  };
  // Fault::mismatch: the address is pinned to another key (nothing changes); refused: the short name is taken or none;
  // full.
  Result<const Contact*> meet(const Meeting& meeting);
  // Another key stands behind the contact from now on: name and address go over to it.
  Result<const Contact*> replace(const PersonKey& old, const Meeting& meeting);
  void note_epoch(const crypto::AccountKey& account, std::uint32_t epoch);
  void set_verified(const PersonKey& key, std::optional<Wall> when);
  // A device of the contact was heard at `when`, which is not after `now`. Stored when that is `every` later than what
  // was stored: who comes and goes does not keep the disk busy.
  void note_heard(const crypto::AccountKey& account, Wall when, Wall now, std::chrono::seconds every);
  // Also of somebody who is no contact.
  Status block(const PersonKey& key, const crypto::Address& address, const crypto::Address& key_name, Wall now);
  void unblock(const PersonKey& key);
  void forget(PersonKey key);  // with its pins

  // False when there is no room for a new one.
  bool note_request(const Request& request);
  const Request* request(const PersonKey& key) const;
  void drop_request(PersonKey key);

  void put(const StoredInvitation& invitation);
  void drop_invitation(const crypto::InvitationId& id);
  void put(const Acceptance& acceptance);
  void drop_acceptance(const PersonKey& inviter);

  // What changed since the last call, to be stored.
  std::vector<Change> take_changes() { return std::exchange(changes_, {}); }

  // A short name is visible UTF-8 without spaces and '@', and does not begin with '-'.
  static bool is_short_name(std::string_view name);

 private:
  std::string free_name(const crypto::Address& address) const;
  void set_pin(const crypto::Address& address, const PersonKey& key);
  void save(const Contact& contact);

  Memory memory_;
  std::map<std::string, PersonKey, std::less<>> names_;
  std::map<PersonKey, Wall> heard_stored_;
  std::vector<Change> changes_;
};

}  // namespace linnet::node
