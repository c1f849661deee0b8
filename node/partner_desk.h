// NAT behaviour discovery (RFC 5780) by two supernodes with one address each (docs/decisions/021): what is asked of the
// partner, and what is sent for it.
//
// Who is asked to send to an address that another names cannot know that the address asked: the other may lie, and the
// other cannot know it either where the source is forged. So it does no more harm than the forger could do without it:
// one datagram for one request, never longer than the request and never longer than the order for it, with nothing in
// it that the other chose but 12 bytes; so many a second to one prefix, for one supernode and in all; and to no address
// that is not for everybody. Whose address a session has proven to us is served before those of whom nobody knows.
#pragma once

#include <functional>

#include "crypto/guard.h"
#include "nat/binding_server.h"
#include "node/config.h"

namespace linnet::node {

class PartnerDesk {
 public:
  using Order = overlay::control::PartnerSend;
  // A second; a probe (nat/probe.h) behind a filter asks four times.
  static constexpr double kPerPrefix = 1, kPrefixBurst = 12;    // of clients: asked for, and sent to
  static constexpr double kUnproven = 2, kUnprovenBurst = 24;   // clients without a session here, together
  static constexpr double kPerPartner = 8, kPartnerBurst = 48;  // sent for one supernode (prefix)
  static constexpr double kAll = 20, kAllBurst = 80;            // asked for; sent
  static constexpr double kLooks = 100, kLooksBurst = 200;  // for a session of who asks: all clients are gone through

  struct Counters {
    std::uint64_t asked = 0, refused = 0, sent = 0, not_sent = 0;
  };

  explicit PartnerDesk(std::optional<OneAddress> own) : own_(std::move(own)) {}

  // The partner's address and second port; nothing: none stands by.
  void set_partner(std::optional<Endpoint> other) { other_ = std::move(other); }

  // Whether a request is served as RFC 5780 has it, with the partner's address as our second. `port`: of ours, where it
  // came in.
  bool serves(std::uint16_t port, const Endpoint& from, const nat::stun::Message& request) const;
  // `from` in the answer is ours, or the partner's: then `order` is for it.
  struct Said {
    std::optional<nat::BindingAnswer> answer;
    std::optional<Order> order;
  };
  Said answer(std::uint16_t port, const Endpoint& from, const nat::stun::Message& request) const;
  // Before the partner is asked. `proven`: whether a session comes from there; not called for each of a flood.
  bool may_ask(Time now, const IpAddress& client, const std::function<bool()>& proven);

  // We are the partner, and `asker` wants this sent. Nothing: it is not sent. `from` has our address.
  std::optional<nat::BindingAnswer> send_for(Time now, const IpAddress& asker, const Order& order);

  bool is_own(const Endpoint& at) const { return own_ && at.ip == own_->primary.ip; }
  const Counters& counters() const { return counters_; }

 private:
  bool may_hear(const Endpoint& client) const;

  std::optional<OneAddress> own_;
  std::optional<Endpoint> other_;
  crypto::PrefixLimiter asking_{kPerPrefix, kPrefixBurst}, heard_{kPerPrefix, kPrefixBurst};
  crypto::PrefixLimiter unproven_{kUnproven, kUnprovenBurst, 1}, partners_{kPerPartner, kPartnerBurst};
  crypto::PrefixLimiter looks_{kLooks, kLooksBurst, 1};
  crypto::PrefixLimiter all_asked_{kAll, kAllBurst, 1}, all_sent_{kAll, kAllBurst, 1};
  Counters counters_;
};

}  // namespace linnet::node
