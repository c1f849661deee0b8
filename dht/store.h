// What this supernode holds for others. Slot rules of protocol.md section 2: at most 16 records per user key, 2 per
// account key, 4 per writer prefix (of global addresses), oldest kept; a lower sequence or epoch is refused, an equal
// sequence with other bytes is an alarm.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "dht/record.h"

namespace linnet::dht {

// How much of a store each prefix has filled. Bounded by the store.
class WriterShares {
 public:
  using Prefix = ByteArray<7>;
  struct Entry {
    std::uint64_t serial = 0;  // rises with every record
    crypto::UserKey user;
    auto operator<=>(const Entry&) const = default;
  };
  void add(const Prefix& prefix, const Entry& entry);
  void remove(const Prefix& prefix, const Entry& entry);
  std::size_t of(const Prefix& prefix) const;
  // The youngest record of the prefix that has most, if it has more than `than`.
  std::optional<Entry> excess(std::size_t than) const;

 private:
  std::map<Prefix, std::set<Entry>> entries_;
  std::set<std::pair<std::size_t, Prefix>> by_size_;
};

class RecordStore {
 public:
  static constexpr std::size_t kPerKey = 16;
  static constexpr std::size_t kPerAccount = 2;
  static constexpr std::size_t kPerPrefix = 4;

  enum class Put { added, replaced, same };

  // A full store takes a record only at the cost of the writer prefix that has most, when the newcomer's has less: its
  // youngest record goes.
  explicit RecordStore(std::size_t max_records) : max_records_(max_records) {}

  // The record was read by read_record(), so its signatures hold. `writer` is the address of who asked to store it.
  // Fault::expired, replayed (sequence or epoch), mismatch (the alarm), refused (slots), full (the whole store).
  Result<Put> put(Wall now, SignedRecord record, const IpAddress& writer);
  void purge(Wall now);

  // Oldest first; those within their time at `now`.
  std::vector<const SignedRecord*> find(const crypto::UserKey& key, Wall now) const;
  std::vector<const SignedRecord*> all() const;
  // Up to n keys in order after `key`; fewer at the end of the store.
  std::vector<crypto::UserKey> keys_after(const crypto::UserKey& key, std::size_t n) const;
  void drop(const crypto::UserKey& key);
  std::size_t size() const { return count_; }
  std::size_t bytes() const { return bytes_; }
  std::size_t memory_bytes() const;

 private:
  struct Slot {
    SignedRecord record;
    ByteArray<7> prefix;
    bool counts = false;  // against the prefix: global addresses only
    std::uint64_t serial = 0;
  };
  using Slots = std::vector<Slot>;

  Result<Put> replace(Slot& slot, SignedRecord record);
  Put add(SignedRecord record, const IpAddress& writer);
  void drop_older_epochs(Slots& slots, const crypto::AccountKey& account, std::uint64_t epoch);
  Status has_room(const Slots& slots, const SignedRecord& record, const IpAddress& writer) const;
  void drop_if(Slots& slots, const std::function<bool(const Slot&)>& unwanted);

  bool make_room(const IpAddress& writer);

  std::size_t max_records_;
  std::uint64_t serial_ = 0;
  WriterShares shares_;
  std::size_t count_ = 0;
  std::size_t bytes_ = 0;
  std::map<crypto::UserKey, Slots> records_;  // ordered: handing on walks it
};

}  // namespace linnet::dht
