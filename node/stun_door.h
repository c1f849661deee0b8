// STUN on the port of everything (protocol.md section 6; RFC 7983: first bytes 0 to 3). A supernode tells who asks
// where it is seen (nat/binding_server.h), and what its NAT does where the supernode has two addresses (RFC 5780) or a
// partner with the second one (node/partner_desk.h); a leaf says nothing, since it is called through its supernodes.
#pragma once

#include <functional>

#include "base/fifo.h"
#include "base/machine.h"
#include "crypto/guard.h"
#include "nat/binding_server.h"
#include "nat/stun_message.h"
#include "node/partner_desk.h"

namespace linnet::node {

class StunDoor {
 public:
  static constexpr double kPerPrefix = 20;  // answers a second to one /24 or /48
  static constexpr double kBurst = 40;
  static constexpr std::size_t kMaxWaiting = 256;

  struct Counters {
    std::uint64_t answered = 0, limited = 0, dropped = 0;
  };

  // `sockets`: as bound, in the order of Endpoint::socket. None: answers go where they came from by the usual one.
  explicit StunDoor(std::vector<Endpoint> sockets = {}, std::optional<OneAddress> one_address = {});

  // True: it was STUN, and whether it is answered has been decided. `agents` says whether the message is one of theirs,
  // and takes it then.
  bool take(Time now, const Datagram& datagram, bool serves,
            const std::function<bool(const nat::stun::Message&)>& agents = {});
  std::optional<Transmit> poll_transmit();
  const Counters& counters() const { return counters_; }

  // With one address. What the partner is to send; the owner asks for it, or says that it was not sent.
  PartnerDesk& partner() { return partner_; }
  std::optional<PartnerDesk::Order> poll_order();
  void not_sent(const PartnerDesk::Order& order);
  // We are the partner: whether it goes out.
  bool send_for(Time now, const IpAddress& asker, const PartnerDesk::Order& order);

 private:
  std::optional<Transmit> answer(const Endpoint& from, const nat::stun::Message& request) const;
  std::optional<Transmit> by_socket(nat::BindingAnswer answer) const;
  std::optional<Transmit> with_partner(std::uint16_t port, const Endpoint& from, const nat::stun::Message& request);
  const nat::BindingServer& server_for(const Endpoint& at, const Endpoint& from) const;

  std::vector<Endpoint> sockets_;
  nat::BindingServer plain_;
  std::vector<std::pair<std::vector<Endpoint>, nat::BindingServer>> discovery_;  // of a family: its four sockets
  crypto::PrefixLimiter limiter_{kPerPrefix, kBurst};
  PartnerDesk partner_;
  Fifo<PartnerDesk::Order> orders_;
  Fifo<Transmit> out_;
  Counters counters_;
};

}  // namespace linnet::node
