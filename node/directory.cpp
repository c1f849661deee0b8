#include "node/directory.h"

#include <algorithm>
#include <utility>

namespace linnet::node {
namespace {

std::vector<crypto::AccountKey> accounts_of(const std::vector<overlay::FoundDevice>& devices) {
  std::vector<crypto::AccountKey> out;
  for (const auto& device : devices) {
    const auto& account = device.record.account();
    if (std::find(out.begin(), out.end(), account) == out.end()) out.push_back(account);
  }
  return out;
}

Finding person(const crypto::AccountKey& account, std::vector<overlay::FoundDevice> devices) {
  std::erase_if(devices, [&](const auto& device) { return device.record.account() != account; });
  if (devices.empty()) return Nobody{};
  if (devices.size() > kMaxDevices) devices.resize(kMaxDevices);
  return Person{account, std::move(devices)};
}

}  // namespace

Finding judge(const crypto::Address& address, const std::optional<crypto::AccountKey>& pin,
              std::vector<overlay::FoundDevice> devices) {
  // A key name is proved by the key alone: what does not prove it was never found.
  if (address.is_key_name()) {
    std::erase_if(devices, [&](const auto& device) { return !address.proves(device.record.account()); });
  }
  const auto accounts = accounts_of(devices);
  if (accounts.empty()) return Nobody{};
  if (pin) {
    if (std::find(accounts.begin(), accounts.end(), *pin) == accounts.end())
      return IdentityChanged{*pin, accounts.front()};
    return person(*pin, std::move(devices));
  }
  if (accounts.size() > 1) return Claimants{accounts};
  return person(accounts.front(), std::move(devices));
}

std::string explain(const crypto::Address& address, const Claimants& claimants) {
  std::string out =
      "Several keys claim " + address.text() + ". Call refused. Ask for the right one and call its key name:";
  for (const auto& account : claimants.accounts) {
    out += "\n  " + crypto::fingerprint(account) + "  " + crypto::Address::key_name(address.user(), account).text();
  }
  return out;
}

std::string explain(const crypto::Address& address, const IdentityChanged& changed) {
  return "IDENTITY CHANGED: the key of " + address.text() +
         " is not the one of earlier calls. Call refused.\n  known: " + crypto::fingerprint(changed.pinned) +
         "\n  now:   " + crypto::fingerprint(changed.claimed);
}

}  // namespace linnet::node
