#include "node/directory.h"

#include <algorithm>
#include <utility>

#include "node/day.h"

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

Finding judge(const crypto::Address& address, const std::optional<PersonKey>& pin,
              std::vector<overlay::FoundDevice> devices) {
  // A key name is proved by the key alone: what does not prove it was never found.
  if (address.is_key_name()) {
    std::erase_if(devices, [&](const auto& device) { return !address.proves(device.record.account()); });
  }
  const auto accounts = accounts_of(devices);
  if (accounts.empty()) return Nobody{};
  if (pin) {
    const auto known =
        std::find_if(accounts.begin(), accounts.end(), [&](const auto& a) { return crypto::key_hash(a) == *pin; });
    if (known == accounts.end()) return IdentityChanged{*pin, crypto::key_hash(accounts.front())};
    return person(*known, std::move(devices));
  }
  if (accounts.size() > 1) return Claimants{accounts};
  return person(accounts.front(), std::move(devices));
}

std::string explain(const crypto::Address& address, const Claimants& claimants) {
  std::string out = "Several keys claim " + address.text() +
                    ". Call refused.\n  Ask which is the right one, then: linnet contact add " + address.text() +
                    " --key KEYNAME";
  for (const auto& account : claimants.accounts) {
    out += "\n  " + crypto::fingerprint(account) + "  " + crypto::Address::key_name(address.user(), account).text();
  }
  return out;
}

std::string explain(const crypto::Address& address, const IdentityChanged& changed, const Contact* known, Wall now) {
  const auto& name = known != nullptr && known->listed() ? known->name : address.text();
  std::string out = "IDENTITY CHANGED: " + name + "'s key is not the one ";
  if (known != nullptr && known->verified) {
    out += "verified on " + day_of(*known->verified, now);
  } else if (known != nullptr && seconds(known->since) > 0) {
    out += "known since " + day_of(known->since, now);
  } else {
    out += "known here";
  }
  return out + ". Call refused.\n  Ask them in person, then: linnet contact verify " + name +
         " --new\n  known: " + crypto::fingerprint(changed.pinned) +
         "\n  now:   " + crypto::fingerprint(changed.claimed);
}

}  // namespace linnet::node
