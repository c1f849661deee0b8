// `who`: names being looked up for a person who only wants to know.
#pragma once

#include <map>

#include "node/rooms.h"

namespace linnet::node {

class Lookups {
 public:
  static constexpr std::size_t kMax = 64;

  void who(Rooms& rooms, Time now, CommandId command, const std::string& name);
  // False when the answer is not to one of these.
  bool on_found(Rooms& rooms, Wall wall, const overlay::Found& found);

 private:
  struct Asked {
    CommandId command{};
    crypto::Address address;
  };
  std::map<overlay::FindId, Asked> asked_;
};

}  // namespace linnet::node
