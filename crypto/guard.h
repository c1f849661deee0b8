// What stands before every handshake: mac1 and the stateless cookie (WireGuard paper, sections 5.4.4 and 5.4.7), a rate limit by
// source prefix. A stranger costs us one keyed hash and no memory.
#pragma once

#include <array>
#include <unordered_map>

#include "base/endpoint.h"
#include "base/rng.h"
#include "base/time.h"
#include "crypto/suite.h"

namespace linnet::crypto {

// mac1 is keyed by the responder's SK (for XX by the network id): BLAKE2b-128 keyed with hash256("linnet-1 mac1" || key).
class Mac1 {
 public:
  Mac1(const Suite& suite, ByteView responder_key);
  Mac compute(ByteView message) const;
  bool check(ByteView message, const Mac& mac) const;

 private:
  const Suite* suite_;
  Hash256 key_;
};

// Issues and checks cookies: keyed hash of the source endpoint under a secret that changes every 2 minutes (the last two are good).
class CookieJar {
 public:
  CookieJar(const Suite& suite, Rng& rng);
  Mac cookie_for(Time now, const Endpoint& source);
  // mac2 = mac(cookie, message).
  bool check_mac2(Time now, const Endpoint& source, ByteView message, const Mac& mac2);

 private:
  void rotate(Time now);

  const Suite* suite_;
  Rng* rng_;
  Secret current_;
  Secret previous_;
  Time rotated_at_{};
  bool fresh_ = false;
};

// Token bucket by prefix (IpAddress::prefix). The table is bounded; when full, the emptiest-idle entry goes.
class PrefixLimiter {
 public:
  PrefixLimiter(double tokens_per_second, double burst, std::size_t capacity = 4096);
  bool allow(Time now, const IpAddress& source, double cost = 1.0);
  std::size_t size() const { return buckets_.size(); }

 private:
  struct Bucket {
    double tokens;
    Time at;
  };
  struct Hash {
    std::size_t operator()(const ByteArray<7>& p) const noexcept;
  };

  double rate_;
  double burst_;
  std::size_t capacity_;
  std::unordered_map<ByteArray<7>, Bucket, Hash> buckets_;
};

}  // namespace linnet::crypto
