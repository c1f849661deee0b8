// Kademlia's table: one bucket for each length of the prefix shared with our own position (Maymounkov, Mazieres,
// section 2.2).
//
// - Of those at one place (place.h) the nearest counts, before any second one does, wherever the nearest are meant.
// - A contact enters only after a round trip of ours; old live ones are preferred, later ones wait as candidates.
// - Of global addresses at most 2 per /24 (IPv6: /48) stand in a bucket and 10 in the table; more of them wait as
// candidates and
//   are used only where there is no choice. Private networks know no such rule.
// - The shallow buckets hold more, `wide` of them, each twice as many as the next: most of the network lies there, and
//   who knows it asks fewer to find the rest (Stutzbach, Rejaie: Improving lookup performance over a widely-deployed
//   DHT, 2006).
// - Two failures in a row give the place to a candidate; without one the contact stays, marked bad, until five.
#pragma once

#include <vector>

#include "base/rng.h"
#include "dht/contact_book.h"
#include "dht/place.h"

namespace linnet::dht {

class RoutingTable {
 public:
  static constexpr std::size_t kCandidates = 4;
  static constexpr std::size_t kPerPrefixInBucket = 2;
  static constexpr std::size_t kPerPrefixInTable = 10;
  static constexpr std::uint8_t kBad = 2;  // failures in a row
  static constexpr std::uint8_t kDead = 5;

  RoutingTable(const Contact& self, std::size_t k, std::size_t max_contacts, std::size_t wide = 0);

  // We are elsewhere: everybody is placed anew, live ones first; who finds no room is forgotten.
  void move_to(const Contact& self);

  // Whether a round trip to this contact would be worth its bytes.
  bool wants(const Contact& contact) const;
  // It answered: refreshes or inserts. True when it newly stands in a bucket.
  bool answered(Time now, const Contact& contact, std::optional<Duration> rtt);
  // It did not.
  void failed(const Contact& contact);

  // The nearest of each place first, nearest first; then the others. Bad contacts are left out, candidates come in only
  // when there are fewer live ones than n.
  std::vector<Handle> nearest(const Id& target, std::size_t n) const;
  // Live and not bad.
  std::size_t size() const { return good_; }
  // Whether everybody around `target` should be known here: it lies so near ourselves that the buckets which hold its n
  // nearest have room left.
  bool covers(const Id& target, std::size_t n) const;
  // How many supernodes there are, judged by the density of places around ourselves; ourselves included.
  double estimated_network_size() const;
  // The same from the largest part of the key space around us whose buckets have room left, if that is less: a crowd
  // near us makes the nearest stand close together, and counts for no more than it is here.
  double least_network_size() const;
  // Whether we would be among the n that nearest(target, n) gives.
  bool self_among_nearest(const Id& target, std::size_t n) const;
  // Somebody at our own place is.
  bool mate_is_nearer(const Id& target) const { return nearer_than_self(target, kPlaceBits) > 0; }
  // Live and not bad ones that are nearer to `target` than we are: whole buckets, so nobody's position is looked at.
  std::size_t nearer_than_self(const Id& target, std::size_t from_bucket = 0) const;
  // Another number whenever the answers to the two questions above may have changed.
  std::uint64_t generation() const { return generation_; }

  ContactBook& book() { return book_; }
  const ContactBook& book() const { return book_; }
  // Index of the deepest bucket that exists, plus one.
  std::size_t buckets() const { return buckets_.size(); }
  std::size_t live_in(std::size_t bucket) const { return buckets_[bucket].live.size(); }
  // Live ones whose place another live one has, ours not looked at.
  std::size_t crowded() const { return crowded_; }
  // Periodic recovery: the bucket that was longest without a lookup, if that is before `limit`. Marks it as looked up.
  std::optional<std::size_t> take_stale_bucket(Time now, Time limit);
  // A random place whose first difference from ours is at that bit.
  Id random_in(std::size_t bucket, Rng& rng) const;

  std::size_t memory_bytes() const;
  // For tests: every rule of the class head holds.
  bool sane() const;

 private:
  struct Bucket {
    std::vector<Handle> live;        // oldest first
    std::vector<Handle> candidates;  // latest last
    Time looked_up = Time::min();
    std::size_t good = 0;  // of live: fewer than kBad failures
  };

  static constexpr std::size_t kFew = 16;
  static constexpr float kLeastVaries = 1.0F / 16;

  struct Near {              // a candidate of a search
    std::uint64_t distance;  // its first 8 bytes
    Handle handle;
  };

  std::size_t index_of(const Contact& contact) const;
  std::size_t room(std::size_t bucket) const { return k_ << (bucket < wide_ ? wide_ - bucket : 0); }
  Bucket& bucket_for(const Contact& contact);
  void count_good(Bucket& bucket, int by);
  void stand(Bucket& bucket, Handle handle);
  bool has_company(const Bucket& bucket, Handle handle) const;
  // Nobody that we know is at our own place.
  bool alone() const { return buckets_.size() <= static_cast<std::size_t>(kPlaceBits); }
  const Contact& farthest(const Id& target, const std::vector<Handle>& from) const;
  bool diverse(const Bucket& bucket, const Contact& contact) const;
  void measure(BookEntry& entry, std::optional<Duration> rtt);
  void promote(Bucket& bucket);
  void replace(Handle handle);
  void remove(Bucket& bucket, Handle handle);
  void gather(const Id& target, std::size_t bucket, bool candidates, std::vector<Near>& out) const;
  bool take_best(const Id& target, std::size_t n, std::vector<Near>& from, std::vector<Handle>& out) const;
  bool take_nearest(const Id& target, std::size_t n, std::vector<Near>& from, std::vector<Handle>& out) const;
  void collect(const Id& target, std::size_t n, bool candidates, std::vector<Handle>& out) const;

  crypto::DeviceKey device_;  // our own, and our place
  Id position_;
  std::size_t k_;
  std::size_t wide_;
  std::size_t good_ = 0;  // live, and fewer than kBad failures
  std::size_t crowded_ = 0;
  std::uint64_t generation_ = 0;
  float varies_ = 0.5F;  // round trips of contacts, from what was expected of each: a share of it
  ContactBook book_;
  std::vector<Bucket> buckets_;
};

}  // namespace linnet::dht
