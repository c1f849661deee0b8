// Checks that wait for their answers. Each keeps what it was sent with: roles and credentials change under way.
#pragma once

#include <optional>
#include <vector>

#include "nat/ice_gatherer.h"
#include "nat/ice_message.h"

namespace linnet::nat::ice {

enum class Purpose : std::uint8_t { check, consent };

struct Waiting {
  stun::TransactionId id{};
  PairId pair{};
  bool previous = false;  // of the path of before the restart
  Purpose purpose{};
  Role role{};
  bool use_candidate = false;
  Outgoing out;
  stun::Retransmission when;
};

class Checks {
 public:
  static constexpr std::size_t kMax = 2 * kMaxPairs;

  // The one that is nearest to being given up makes room, and is returned.
  [[nodiscard]] std::optional<Waiting> add(Waiting check);
  bool owns(const stun::TransactionId& id) const { return find(id) != nullptr; }
  const Waiting* find(const stun::TransactionId& id) const;
  std::optional<Waiting> take(const stun::TransactionId& id);
  // Sends what is due; what nobody answered is returned.
  std::vector<Waiting> handle_timeout(Time now, std::vector<Outgoing>& out);
  Time next_timeout() const;

  bool on(PairId pair) const;
  void stop_sending(Time now, PairId pair);
  void stop_sending_others(Time now, PairId pair);
  // The nominations of all others.
  void stop_nominating_others(Time now, PairId pair);
  // What waits for an answer is not sent again within this.
  void slow_down(Time now, Duration rto);
  void drop(PairId pair);
  void clear() { waiting_.clear(); }
  bool empty() const { return waiting_.empty(); }

 private:
  std::vector<Waiting> waiting_;
};

}  // namespace linnet::nat::ice
