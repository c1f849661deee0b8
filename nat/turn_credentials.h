// Who may use a TURN server: long-term credentials of configured users (RFC 8489, section 9.2) and of who has a pair of
// a short life (turn_pair.h), with nonces that need no memory: the time and a keyed digest of it and of who was told,
// and how often that client ended an allocation while older nonces of its were good (turn_ended.h).
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/rng.h"
#include "base/time.h"
#include "nat/stun_auth.h"
#include "nat/stun_builder.h"
#include "nat/turn_config.h"
#include "nat/turn_ended.h"
#include "nat/turn_pair.h"

namespace linnet::nat::turn {

class Credentials {
 public:
  static constexpr Duration kNonceLife = std::chrono::minutes(10);

  // `secret`: of ServerConfig.
  Credentials(std::string realm, std::span<const User> users, std::string secret, Rng& rng);

  // Who asks, and how what is answered is signed.
  struct Known {
    std::uint64_t user = 0;   // one number for all pairs of one name
    bool expired = false;     // the pair was good: for what it has begun, for nothing new
    bool sha256_tag = false;  // MESSAGE-INTEGRITY-SHA256
    std::uint8_t key_size = 0;
    ByteArray<32> key{};

    bool operator==(const Known&) const = default;
  };
  // Or unauthenticated, bad_request, stale_nonce (section 9.2.4). A challenge() goes with the first and the last.
  // `wall`: not known, and no pair is good.
  tl::expected<Known, stun::ErrorCode> check(Time now, std::optional<Wall> wall, const Endpoint& client,
                                             const stun::Message& request) const;
  void challenge(Time now, const Endpoint& client, stun::Builder& out) const;
  void sign(const Known& who, stun::Builder& out) const;

  std::string nonce(Time now, const Endpoint& client) const;
  // This client ended an allocation: its nonces of before are stale.
  void ended(Time now, const Endpoint& client) { ended_.add(now, client, kNonceLife); }
  std::size_t users() const { return users_.size(); }

 private:
  struct Keys {
    std::string name;
    ByteArray<32> hash;
    Result<ByteArray<16>> md5;
    ByteArray<32> sha256;
  };

  bool fresh(Time now, const Endpoint& client, std::string_view nonce) const;
  std::string nonce_of(std::uint32_t second, std::uint32_t ended, const Endpoint& client) const;
  std::optional<Known> who(std::optional<Wall> wall, const stun::Message& request, bool sha256_key) const;
  Known of_pair(const PairName& pair, Wall wall, std::string_view username, bool sha256_key) const;

  std::string realm_;
  std::vector<Keys> users_;
  std::string pair_secret_;
  ByteArray<32> secret_;
  Ended ended_;
};

}  // namespace linnet::nat::turn
