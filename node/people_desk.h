// What a person asks about other people: adds, compares, blocks, forgets. Some of it needs a lookup first.
#pragma once

#include <map>

#include "node/rooms.h"

namespace linnet::node {

class PeopleDesk {
 public:
  static constexpr std::size_t kMax = 32;  // lookups at once

  // Nothing when the answer comes later, as event PeopleDone.
  std::optional<Reply> handle(Rooms& rooms, Time now, CommandId command, const ask::Add& add);
  std::optional<Reply> handle(Rooms& rooms, Time now, CommandId command, const ask::Verify& verify);
  std::optional<Reply> handle(Rooms& rooms, Time now, CommandId command, const ask::Block& block);
  std::optional<Reply> handle(Rooms& rooms, Time now, CommandId command, const ask::Forget& forget);
  std::optional<Reply> handle(Rooms& rooms, Time now, CommandId command, const ask::AnswerRequest& answer);

  // False when the answer is not to one of these.
  bool on_found(Rooms& rooms, const overlay::Found& found);

 private:
  struct Asked {
    CommandId command{};
    std::variant<ask::Add, ask::Verify, ask::Block> what;
    crypto::Address address;
  };
  std::optional<Reply> look_up(Rooms& rooms, Time now, Asked asked);
  Reply found(Rooms& rooms, const ask::Add& add, const crypto::Address& address,
              const std::vector<crypto::AccountKey>& accounts);
  Reply found(Rooms& rooms, const ask::Verify& verify, const crypto::Address& address,
              const std::vector<crypto::AccountKey>& accounts);
  Reply found(Rooms& rooms, const ask::Block& block, const crypto::Address& address,
              const std::vector<crypto::AccountKey>& accounts);

  std::map<overlay::FindId, Asked> asked_;
};

}  // namespace linnet::node
