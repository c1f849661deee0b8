// Supernodes that this node remembers, at most 200 (protocol.md section 3). A value; node/io writes it to hosts.db.
//
// Two tables of buckets, after E. Heilman, A. Kendler, A. Zohar, S. Goldberg, "Eclipse Attacks on Bitcoin's
// Peer-to-Peer Network" (USENIX Security 2015): of those that answered us (`tried`), and of those that somebody told us
// of
// (`fresh`). A secret of this node and the group of an address (IPv4 /16, IPv6 /32; else the address itself) name its
// buckets, for a fresh one the group of who told of it too: one prefix, and one informant, reach few of them. Nobody
// takes the place of one that answers.
#pragma once

#include <optional>
#include <vector>

#include "base/rng.h"
#include "base/time.h"
#include "dht/contact.h"
#include "overlay/ways.h"

namespace linnet::overlay {

// `waiting`: it answered us, its bucket is full, and one of those there is to be tested first.
enum class HostTable : std::uint8_t { fresh, tried, waiting };

struct CachedHost {
  dht::Contact contact;
  Wall last_success{};
  Wall served{};                        // it was one of those that answer for us
  std::array<Wall, kWays> successes{};  // the last one by each way, 0: none
  std::uint32_t rtt_us = 0;
  std::uint32_t failures = 0;  // since the last success
  HostTable table = HostTable::fresh;
  std::uint8_t slot = 0;  // in its table; of one that waits: whose place it would take

  bool proven() const { return table != HostTable::fresh; }
};

class HostCache {
 public:
  using Secret = ByteArray<16>;
  // What decides on a bucket: addresses of one group are cheap for who has one of them.
  using Group = ByteArray<19>;

  static constexpr std::size_t kSlots = 4;  // of each bucket
  static constexpr std::size_t kTriedBuckets = 32;
  static constexpr std::size_t kFreshBuckets = 16;
  static constexpr std::size_t kWaiting = 8;
  static constexpr std::size_t kCapacity = kSlots * (kTriedBuckets + kFreshBuckets) + kWaiting;
  static constexpr std::size_t kTriedOfGroup = 2;      // buckets that one group reaches
  static constexpr std::size_t kFreshOfInformant = 4;  // and one informant
  static constexpr std::uint32_t kGone = 3;            // failures in a row after which none is tested any more
  static constexpr std::uint32_t kTests = 2;           // that one for whose place another waits may fail
  static constexpr std::size_t kLatest = 2;            // candidates that served us last

  // Without a secret anybody could compute the buckets: who uses the cache draws one where there is none.
  bool keyed() const { return secret_ != Secret{}; }
  void key(const Secret& secret);

  // `by`: who told us.
  void heard_of(const dht::Contact& contact, const IpAddress& by);
  // It answered us, and proved its keys.
  void succeeded(const dht::Contact& contact, Way way, Wall now, Duration rtt);
  // It answers for us.
  void serves(const dht::Contact& contact, Wall now);
  // The one there did not answer, or answers no more, while others do.
  void failed(const Endpoint& endpoint);

  // Whom a feeler asks: one for whose place another waits, or a fresh one.
  std::optional<dht::Contact> to_test(Rng& rng) const;
  // Of whom to ask when nobody is there, in this order: those that served us last, others that answered once, one or
  // more that we heard of. Of distinct groups, at random, while there is a choice.
  std::vector<CachedHost> candidates(std::size_t n, Rng& rng) const;
  // The way that worked last, with whomever: this network may be the same one.
  std::optional<Way> latest_way() const;
  const std::vector<CachedHost>& hosts() const { return hosts_; }
  std::size_t size() const { return hosts_.size(); }

  static Group group_of(const Endpoint& endpoint);
  static bool lasting(const dht::Contact& contact);

  Bytes save() const;
  static Result<HostCache> load(ByteView bytes);

 private:
  std::uint64_t draw(std::string_view what, ByteView of, ByteView and_of) const;
  std::size_t tried_bucket(const Endpoint& endpoint) const;
  std::size_t fresh_bucket(const Endpoint& endpoint, const Group& informant) const;
  CachedHost* find(const dht::Contact& contact);
  CachedHost* at(HostTable table, std::size_t slot);
  bool waited_for(std::size_t bucket) const;
  std::optional<std::size_t> room(HostTable table, std::size_t bucket, std::uint32_t failures);
  void add(const CachedHost& host);
  void erase(CachedHost* host);
  bool put(CachedHost host, HostTable table, std::optional<std::size_t> slot);
  bool place_fresh(const CachedHost& host, const Group& informant);
  bool place_tried(const CachedHost& host);
  bool place_waiting(const CachedHost& host);
  void place(const CachedHost& host);
  void adopt(std::vector<CachedHost> hosts);
  void let_in_waiting();
  void answered(std::size_t slot);
  Status check(const CachedHost& host);

  Secret secret_{};
  std::vector<CachedHost> hosts_;
};

}  // namespace linnet::overlay
