// The one place where a supernode's keys and measurements stand. Routing tables hold 4-byte handles into it.
//
// What every search reads stands apart from the entries: a hash index by key, and the first 8 bytes of each position.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/time.h"
#include "crypto/suite.h"
#include "dht/contact.h"

namespace linnet::dht {

// Smoothed round-trip time and its variation (RFC 6298, section 2); milliseconds.
class RttEstimate {
 public:
  // `usual`: what a first sample varies by, as a share of itself (RFC 6298 takes the half of it).
  void add(Duration sample, float usual = 0.5F);
  // An answer came, and which of several questions it answers nobody knows: it may take longer than we believe.
  void doubt();
  // How far from what is expected, as a share of that, at most 1.
  float off(Duration sample) const;
  bool measured() const { return mean_ms_ >= 0; }
  // Mean and four variations: most answers are here by then.
  Duration timeout() const;

 private:
  float mean_ms_ = -1;
  float variation_ms_ = 0;
};

enum class Handle : std::uint32_t {};

struct BookEntry {
  Contact contact;
  RttEstimate rtt;
  Time heard{};                  // last answer
  Time tried{};                  // last ping that maintenance sent
  crypto::Mac cookie{};          // for the next request to it
  Time cookie_at = Time::min();  // when it was given
  std::uint8_t failures = 0;     // in a row
  bool live = false;             // stands in a bucket, not among its candidates
};

class ContactBook {
 public:
  explicit ContactBook(std::size_t capacity) : capacity_(capacity) {}

  // The contact must not be there yet; asks full() first.
  Handle add(const Contact& contact);
  void remove(Handle handle);
  // Null when unknown.
  const BookEntry* find(const crypto::DeviceKey& device) const;
  BookEntry* find(const crypto::DeviceKey& device);
  std::optional<Handle> handle_of(const crypto::DeviceKey& device) const;
  // Fetches into the cache what a search for the device reads: its slot first, then (a moment later) its entry.
  void prefetch_slot(const crypto::DeviceKey& device) const;
  void prefetch_entry(const crypto::DeviceKey& device) const;
  void prefetch(Handle handle) const;

  const BookEntry& at(Handle handle) const { return entries_[static_cast<std::size_t>(handle)]; }
  BookEntry& at(Handle handle) { return entries_[static_cast<std::size_t>(handle)]; }
  std::size_t size() const { return order_.size(); }
  bool full() const { return order_.size() >= capacity_; }
  // The i-th in the order of keys, i < size().
  Handle nth(std::size_t i) const { return order_[i]; }
  // The first 8 bytes of the entry's position, big-endian: enough to tell who is nearer but for one pair in 2^64.
  std::uint64_t lead(Handle handle) const { return leads_[static_cast<std::size_t>(handle)]; }
  std::size_t memory_bytes() const;

 private:
  struct Slot {
    std::uint32_t tag = 0;
    std::uint32_t handle = kFree;
  };
  static constexpr std::uint32_t kFree = 0xffffffff;

  std::size_t lower_bound(const crypto::DeviceKey& device) const;
  std::size_t slot_of(const crypto::DeviceKey& device) const;  // where it stands or would stand
  void index(const crypto::DeviceKey& device, Handle handle);
  void unindex(std::size_t slot);

  std::size_t capacity_;
  std::vector<BookEntry> entries_;
  std::vector<std::uint64_t> leads_;  // beside entries_
  std::vector<Handle> free_;
  std::vector<Handle> order_;  // sorted by device key
  std::vector<Slot> slots_;    // open addressing, a power of two, at most half full
};

}  // namespace linnet::dht
