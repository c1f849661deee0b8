// What stands before every handshake: mac1 and the stateless cookie (WireGuard paper, sections 5.4.4 and 5.4.7), a rate
// limit by source prefix. A stranger costs us one keyed hash and no memory.
#pragma once

#include <list>
#include <memory>
#include <unordered_map>

#include "base/endpoint.h"
#include "base/rng.h"
#include "base/time.h"
#include "crypto/suite.h"

namespace linnet::crypto {

// mac1 is keyed by the responder's SK (for XX by the network id): BLAKE2b-128 keyed with hash256("linnet-1 mac1" ||
// key).
class Mac1 {
 public:
  Mac1(const Suite& suite, ByteView responder_key);
  Mac compute(ByteView message) const;
  bool check(ByteView message, const Mac& mac) const;

 private:
  const Suite* suite_;
  Hash256 key_;
};

// Issues and checks cookies: keyed hash of the source endpoint under a secret that changes every 2 minutes (the last
// two are good).
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

// Token bucket by prefix (IpAddress::prefix). The table is bounded; when full, the prefix that was silent longest goes.
// Whose bucket is full again goes as well: it would come back with a full one.
class PrefixLimiter {
 public:
  PrefixLimiter(double tokens_per_second, double burst, std::size_t capacity = 4096);
  PrefixLimiter(PrefixLimiter&&) = default;
  PrefixLimiter& operator=(PrefixLimiter&&) = default;
  bool allow(Time now, const IpAddress& source, double cost = 1.0);
  std::size_t size() const { return table_ ? table_->buckets.size() : 0; }
  std::uint64_t refused() const { return refused_; }

 private:
  struct Bucket {
    ByteArray<7> prefix;
    double tokens;
    Time at;
  };
  struct Hash {
    std::size_t operator()(const ByteArray<7>& p) const noexcept;
  };

  struct Table {
    std::list<Bucket> buckets;  // the most recently seen first
    std::unordered_map<ByteArray<7>, std::list<Bucket>::iterator, Hash> index;

    void forget_oldest();
  };

  Bucket& touch(Time now, const ByteArray<7>& prefix);
  void forget_full(Time now);

  double rate_;
  double burst_;
  std::size_t capacity_;
  std::uint64_t refused_ = 0;
  std::unique_ptr<Table> table_;  // none before the first was seen: a node has nine of these, and most never see any
};

}  // namespace linnet::crypto
