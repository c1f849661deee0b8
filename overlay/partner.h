// NAT behaviour discovery (RFC 5780) by two supernodes that have one address each: who is asked for an answer from
// elsewhere has a partner send it (docs/decisions/021). This is the side that asks: it finds a partner, keeps a session
// with it, and knows of each request what became of it. The other side is SupernodeRole and node/stun_door.
#pragma once

#include <optional>
#include <vector>

#include "base/fifo.h"
#include "overlay/attach.h"

namespace linnet::overlay {

class Partners {
 public:
  static constexpr std::size_t kPending = 64;
  static constexpr Duration kAnswer = std::chrono::seconds(2);  // what the partner did not say by then it did not do
  static constexpr Duration kReach = std::chrono::seconds(10);  // for a session and an offer
  static constexpr Duration kAgain =
      std::chrono::seconds(60);  // the offer is asked for anew: the partner forgets who is idle
  static constexpr Duration kNobody = std::chrono::seconds(15);  // until there is somebody to ask
  static constexpr Duration kTried = std::chrono::minutes(10);   // who had no offer
  static constexpr std::size_t kMostTried = 64;
  static constexpr std::size_t kLookAt = 32;

  // `self`: our own place. Its port is that of every partner: the four places of RFC 5780 are two addresses at the same
  // two ports.
  Partners(const Endpoint& self, std::uint16_t second_port) : self_(self), second_port_(second_port) {}

  // Sees to a partner among the supernodes that we know.
  void settle(const Context& c, Attachments& attachments, const dht::Dht& dht);
  Time next_timeout() const;
  // From a supernode that we have a session with. False: it was not about this.
  bool on_message(const Context& c, const Supernode& from, const control::Message& message);
  // We are no supernode any more.
  void leave(const Context& c, Attachments& attachments);
  // The partner's address and second port, while it stands by; true once from take_changed() when that changed.
  std::optional<Endpoint> other() const;
  bool take_changed() { return std::exchange(changed_, false); }

  // Has the partner send. Fault::refused: there is none; Fault::full. Else poll_failed() says if nothing was sent.
  Status ask(const Context& c, const Attachments& attachments, control::PartnerSend order);
  std::optional<control::PartnerSend> poll_failed();

 private:
  enum class Stage : std::uint8_t { none, reaching, asked, stands };
  struct Tried {
    crypto::SessionKey who;
    Time until{};
  };
  struct Pending {
    control::PartnerSend order;
    Time by{};
  };

  void choose(const Context& c, Attachments& attachments, const dht::Dht& dht);
  void give_up(const Context& c, Attachments& attachments, Duration tried);
  bool fits(const dht::Contact& contact) const;
  void expire(Time now);

  Endpoint self_;
  std::uint16_t second_port_;
  Stage stage_ = Stage::none;
  dht::Contact partner_;
  std::uint16_t offered_ = 0;
  Time next_{};  // of the stage
  std::vector<Tried> tried_;
  std::vector<Pending> pending_;  // oldest first
  Fifo<control::PartnerSend> failed_;
  std::uint64_t numbers_ = 0;
  bool changed_ = false;
};

}  // namespace linnet::overlay
