// From the records found under a name to the person behind it: the rules of protocol.md section 1, without a network.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "node/people.h"
#include "overlay/peer.h"

namespace linnet::node {

struct Nobody {};
// One account, proven by the name itself, by the pin, or by being the only one that claims the name.
struct Person {
  crypto::AccountKey account;
  std::vector<overlay::FoundDevice> devices;  // at least one, at most kMaxDevices
};
// Two accounts or more claim a name that is not pinned: nobody but the caller may choose.
struct Claimants {
  std::vector<crypto::AccountKey> accounts;
};
// The name is pinned, and only others claim it now.
struct IdentityChanged {
  PersonKey pinned;
  PersonKey claimed;
};
using Finding = std::variant<Nobody, Person, Claimants, IdentityChanged>;

inline constexpr std::size_t kMaxDevices = 8;  // of one person, called at once

Finding judge(const crypto::Address& address, const std::optional<PersonKey>& pin,
              std::vector<overlay::FoundDevice> devices);

// One plain sentence or two about why the call is refused, with fingerprints and the way to choose.
std::string explain(const crypto::Address& address, const Claimants& claimants);
// `known`: the contact whose name it is, when there is one.
std::string explain(const crypto::Address& address, const IdentityChanged& changed, const Contact* known = nullptr,
                    Wall now = {});

}  // namespace linnet::node
