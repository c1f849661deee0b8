// Who may use a TURN server: long-term credentials of configured users (RFC 8489, section 9.2), with nonces that need
// no memory: the time and a keyed digest of it and of who was told.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/rng.h"
#include "base/time.h"
#include "nat/stun_auth.h"
#include "nat/stun_builder.h"
#include "nat/turn_config.h"

namespace linnet::nat::turn {

class Credentials {
 public:
  static constexpr Duration kNonceLife = std::chrono::minutes(10);

  Credentials(std::string realm, std::span<const User> users, Rng& rng);

  // Who asks, and how what is answered is signed.
  struct Known {
    std::uint16_t user = 0;
    bool sha256_key = false;  // PASSWORD-ALGORITHM
    bool sha256_tag = false;  // MESSAGE-INTEGRITY-SHA256

    bool operator==(const Known&) const = default;
  };
  // Or unauthenticated, bad_request, stale_nonce (section 9.2.4). A challenge() goes with the first and the last.
  tl::expected<Known, stun::ErrorCode> check(Time now, const Endpoint& client, const stun::Message& request) const;
  void challenge(Time now, const Endpoint& client, stun::Builder& out) const;
  void sign(const Known& who, stun::Builder& out) const;

  std::string nonce(Time now, const Endpoint& client) const;
  std::size_t users() const { return users_.size(); }

 private:
  struct Keys {
    std::string name;
    ByteArray<32> hash;
    Result<ByteArray<16>> md5;
    ByteArray<32> sha256;
  };

  bool fresh(Time now, const Endpoint& client, std::string_view nonce) const;
  std::string nonce_of(std::uint32_t second, const Endpoint& client) const;
  std::optional<std::uint16_t> who(const stun::Message& request) const;
  ByteView key(const Known& who) const;

  std::string realm_;
  std::vector<Keys> users_;
  ByteArray<32> secret_;
};

}  // namespace linnet::nat::turn
