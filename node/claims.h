// Who else claims the plain name that somebody unknown came under. Asked while it rings, so that nobody is pinned, or
// called by a name, because they came first (protocol.md section 1).
#pragma once

#include <map>
#include <variant>

#include "node/call_facts.h"

namespace linnet::node {

class Claims {
 public:
  static constexpr std::size_t kMax = 32;

  // For a call that rings.
  void check(Rooms& rooms, Time now, CallId call, const crypto::Address& address, const crypto::AccountKey& account);
  // For a contact that we know by the key alone so far: its name is pinned when nobody else claims it.
  void check(Rooms& rooms, Time now, const crypto::Address& address, const crypto::AccountKey& account);

  struct Verdict {
    CallId call{};
    input::NameChecked checked;
  };
  // Nothing when the answer was not to one of these, or was about a contact. `taken` says which.
  std::optional<Verdict> on_found(Rooms& rooms, const overlay::Found& found, bool& taken);

 private:
  struct Asked {
    std::optional<CallId> call;
    crypto::Address address;
    crypto::AccountKey account;
  };
  bool ask(Rooms& rooms, Time now, Asked asked);

  std::map<overlay::FindId, Asked> asked_;
};

}  // namespace linnet::node
