// Pins: which account stands behind a name since the first answered call (protocol.md section 1). A pin always wins and
// is never changed or dropped here: only a person does that, with a command of its own.
#pragma once

#include <optional>
#include <set>

#include "node/config.h"

namespace linnet::node {

enum class Standing : std::uint8_t {
  stranger,  // no pin for this name
  contact,   // the pin stands and matches
  changed,   // the name is pinned to another account, or is a key name of another account
};

class Contacts {
 public:
  static constexpr std::size_t kMaxPins = 65'536;  // auto-answer lets strangers in; they may not fill the memory

  explicit Contacts(Memory memory);

  std::optional<crypto::AccountKey> pin(const crypto::Address& address) const;
  Standing judge(const crypto::Address& address, const crypto::AccountKey& account) const;
  // Under whatever name: people whose calls were answered before may learn our endpoints at once.
  bool knows(const crypto::AccountKey& account) const { return accounts_.count(account) != 0; }

  // True when a new pin was made. Nothing happens when the name has one, or when a key name does not fit the account.
  bool first_contact(const crypto::Address& address, const crypto::AccountKey& account);

  const Memory& memory() const { return memory_; }

 private:
  Memory memory_;
  std::set<crypto::AccountKey> accounts_;
};

}  // namespace linnet::node
