// Who waits for which lookup: one table, from the overlay's id of the lookup to whoever asked. When the answer comes,
// Node takes the asker out and hands the answer to the one room that knows what it is for (node_events.cpp).
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <variant>

#include "node/command.h"
#include "node/conference_message.h"
#include "overlay/peer_event.h"

namespace linnet::node {

namespace asker {

// A call that looks for the person (call_resolving).
struct OfCall {
  CallId call{};
};
// A person who only wants to know (who).
struct Who {
  static constexpr std::size_t kMax = 64;
  CommandId command{};
  crypto::Address address;
};
// A person who adds, compares or blocks somebody (people_desk).
struct Desk {
  static constexpr std::size_t kMax = 32;
  CommandId command{};
  std::variant<ask::Add, ask::Verify, ask::Block> what;
  crypto::Address address;
};
// Does anybody else claim the name that this account came under? For a call that rings, or a new contact (claims).
struct Claim {
  static constexpr std::size_t kMax = 32;
  std::optional<CallId> call;
  crypto::Address address;
  crypto::AccountKey account;
};
// An accepted invitation on its way to the inviter (invitations).
struct Delivery {
  PersonKey inviter;
};

// A person who wants to know how somebody is reached (examiner).
struct Examination {
  CommandId command{};
};

// Who else says that he is in the room of this conference's address (conference_address).
struct OtherHalf {
  CallId conference{};
};

// A room with an address whose keeper this device is to become: does anybody else have that name (conference_address)?
struct NewRoom {
  static constexpr std::size_t kMax = 4;
  crypto::DeviceKey from{};
  conference::Certified what;
};

}  // namespace asker

using Asker = std::variant<asker::OfCall, asker::Who, asker::Desk, asker::Claim, asker::Delivery, asker::Examination,
                           asker::OtherHalf, asker::NewRoom>;

// Bounded by the overlay, which runs few lookups at once and answers each; and by the kMax of a kind.
class Askers {
 public:
  void put(overlay::FindId find, Asker asker) { waiting_.insert_or_assign(find, std::move(asker)); }
  std::optional<Asker> take(overlay::FindId find) {
    const auto it = waiting_.find(find);
    if (it == waiting_.end()) return std::nullopt;
    auto out = std::move(it->second);
    waiting_.erase(it);
    return out;
  }
  template <class A>
  bool full() const {
    const auto of_this_kind = [](const auto& entry) { return std::holds_alternative<A>(entry.second); };
    return static_cast<std::size_t>(std::count_if(waiting_.begin(), waiting_.end(), of_this_kind)) >= A::kMax;
  }

 private:
  std::map<overlay::FindId, Asker> waiting_;
};

}  // namespace linnet::node
