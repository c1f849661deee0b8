#include "node/contacts.h"

#include <utility>

namespace linnet::node {

Contacts::Contacts(Memory memory) : memory_(std::move(memory)) {
  for (const auto& pin : memory_.pins) accounts_.insert(pin.second);
}

std::optional<crypto::AccountKey> Contacts::pin(const crypto::Address& address) const {
  const auto found = memory_.pins.find(address);
  if (found == memory_.pins.end()) return std::nullopt;
  return found->second;
}

Standing Contacts::judge(const crypto::Address& address, const crypto::AccountKey& account) const {
  if (address.is_key_name() && !address.proves(account)) return Standing::changed;
  const auto pinned = pin(address);
  if (!pinned) return Standing::stranger;
  return *pinned == account ? Standing::contact : Standing::changed;
}

bool Contacts::first_contact(const crypto::Address& address, const crypto::AccountKey& account) {
  if (judge(address, account) != Standing::stranger || memory_.pins.size() >= kMaxPins) return false;
  memory_.pins.emplace(address, account);
  accounts_.insert(account);
  return true;
}

}  // namespace linnet::node
