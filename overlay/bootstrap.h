// Whom a node asks when it knows nobody: host cache and configured addresses, all at once, first answer wins
// (protocol.md section 3).
#pragma once

#include <vector>

#include "overlay/context.h"

namespace linnet::overlay {

class Bootstrap {
 public:
  static constexpr std::size_t kFromCache = 8;
  static constexpr std::size_t kFromConfig = 16;
  // A node that nobody answered for this long is alone; it goes on asking.
  static constexpr Duration kPatience = std::chrono::seconds(2);

  struct Candidate {
    Endpoint endpoint;
    std::optional<crypto::SessionKey> key;
  };

  // Candidates in the order of trust. An address that the cache knows is asked by its key, now and then by the bare
  // address: the supernode there may have new keys.
  std::vector<Candidate> candidates(const Context& c, const HostCache& cache) const;

  // Told whenever the number of supernodes that answer may have changed.
  void connected(const Context& c, bool any_up, bool any_connecting);
  // True when it is time to ask (again).
  bool due(const Context& c);
  bool patience_over(Time now) const { return lonely_since_ && now - *lonely_since_ >= kPatience; }
  Time next_timeout() const;

 private:
  std::optional<Time> lonely_since_;
  Time ask_at_ = kNever;
  unsigned rounds_ = 0;
  bool noticed_ = false;
};

}  // namespace linnet::overlay
