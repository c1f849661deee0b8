// "Nobody there yet" (protocol.md section 3): a node that finds no supernode serves its own links until one appears,
// and neighbours on a LAN find each other through DNS-SD. This room knows the neighbours and says when to begin and
// end.
#pragma once

#include "overlay/context.h"
#include "overlay/neighbour.h"

namespace linnet::overlay {

class Lan {
 public:
  static constexpr std::size_t kAskedAtOnce = 4;
  static constexpr Duration kAskAgain = std::chrono::milliseconds(500);
  static constexpr Duration kLookAgain = std::chrono::seconds(2);
  static constexpr Duration kLookRarely = std::chrono::seconds(60);

  // A supernode of the neighbourhood, or one that a neighbour knows of: to be asked as bootstrap nodes are.
  struct Candidate {
    Endpoint endpoint;
    std::optional<crypto::SessionKey> key;
  };

  bool heard(const Context& c, const Neighbour& neighbour, const Neighbours::Met& met);
  void lost(const Neighbour& neighbour) { neighbours_.lost(neighbour); }

  // Who may be asked; `lonely_too`: also those that serve their own links alone (for one that will not serve itself).
  std::vector<Candidate> candidates(const Context& c, bool lonely_too) const;
  // Neighbours that serve their links and that `known` says no about. Each time another address of theirs.
  template <class Known>
  std::vector<dht::Contact> to_meet(Known known) {
    std::vector<dht::Contact> out;
    for (const auto& node : neighbours_.all()) {
      if (node.text.role != LanRole::lonely) continue;
      const auto contact = Neighbours::contact(node, turn_);
      if (contact && !known(*contact)) out.push_back(*contact);
    }
    ++turn_;
    return out;
  }
  // Candidates are to be asked soon; but whatever is announced, not sooner than kAskAgain after the last time.
  void ask(Time now) {
    if (!neighbours_.all().empty()) ask_at_ = std::min(ask_at_, std::max(now, asked_ + kAskAgain));
  }
  bool ask_due(Time now);
  // Time to look again at who has not been met yet.
  bool due(Time now);
  Time next_timeout() const { return std::min(look_at_, ask_at_); }
  void start(Time now) { look_at_ = now; }
  void stop() { look_at_ = kNever; }

  const Neighbours& neighbours() const { return neighbours_; }

 private:
  Neighbours neighbours_;
  std::size_t turn_ = 0;
  unsigned looks_ = 0;
  Time look_at_ = kNever;
  Time ask_at_ = kNever;
  Time asked_{};
};

// Homes that serve their own link send no address. Those of our neighbours are put where we hear them; others fall out.
std::vector<dht::Home> located(const Neighbours& neighbours, const std::vector<dht::Home>& homes,
                               const crypto::SessionKey& self);

}  // namespace linnet::overlay
