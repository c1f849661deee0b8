// Keys of a session and their renewal: a fresh Noise XK handshake inside the session, bound to the one before.
// The initiator of the session begins. Its messages ride on an internal channel, so that loss is none of its business.
#pragma once

#include <memory>
#include <optional>

#include "crypto/identity.h"
#include "crypto/noise.h"
#include "overlay/sessions.h"

namespace linnet::overlay {

struct SessionKeys {
  crypto::Secret send;
  crypto::Secret receive;
  crypto::Hash512 binding{};  // of the handshake they came from
  std::uint8_t epoch = 0;
  Time since{};
};

class KeyRing {
 public:
  KeyRing(crypto::noise::Split split, const crypto::Hash512& binding, Time now);

  const SessionKeys& current() const { return current_; }
  // The key that opens packets of this epoch, or null.
  const crypto::Secret* receiving(Time now, std::uint8_t epoch) const;
  // Somebody opened a packet of this epoch: keys that were ready become current.
  void opened(Time now, std::uint8_t epoch);
  void forget_old(Time now);
  Time next_timeout() const { return renewal_ && renewal_->previous ? renewal_->previous->until : kNever; }

  struct Setup {
    const crypto::Suite& suite;
    Rng& rng;
    const crypto::Identity& identity;
    const std::optional<crypto::Secret>& psk;
  };
  bool renewing() const { return renewal_ && (renewal_->handshake || renewal_->next); }
  // The first message. Only the initiator of the session calls it.
  Result<Bytes> begin(const Setup& setup, const crypto::SessionKey& remote);
  // A message of the peer; what to answer, if anything. A fault ends the session.
  Result<std::optional<Bytes>> on_message(Time now, const Setup& setup, bool initiator, const crypto::SessionKey& remote,
                                          ByteView message);

 private:
  struct Previous {
    crypto::Secret receive;
    std::uint8_t epoch;
    Time until;
  };
  struct Renewal {
    std::optional<Previous> previous;
    std::optional<SessionKeys> next;  // initiator: until the peer uses them
    std::optional<crypto::noise::Handshake> handshake;
  };

  crypto::noise::Handshake handshake(const Setup& setup, crypto::noise::Role role,
                                     const std::optional<crypto::SessionKey>& remote) const;
  SessionKeys finish() const;
  Renewal& renewal();
  void promote(Time now, SessionKeys keys);

  SessionKeys current_;
  std::unique_ptr<Renewal> renewal_;  // while there is more than the current keys
};

}  // namespace linnet::overlay
