// What this supernode holds for others. Slot rules of protocol.md section 2: at most 16 records per user key, 4 per
// account key, 4 per writer prefix (of global addresses), oldest kept; a lower sequence or epoch is refused, an equal
// sequence with other bytes is an alarm, also after the record itself has gone (floors.h).
#pragma once

#include <functional>
#include <limits>
#include <optional>
#include <vector>

#include "dht/floors.h"

namespace linnet::dht {

class RecordStore {
 public:
  static constexpr std::size_t kPerKey = 16;
  // A further device of the account takes the place of the one that expires first.
  static constexpr std::size_t kPerAccount = 4;
  static constexpr std::size_t kPerPrefix = 4;

  enum class Put { added, replaced, same };

  // A full store takes a record only at the cost of the writer prefix that has most, when the newcomer's has less: its
  // youngest record goes.
  explicit RecordStore(std::size_t max_records) : max_records_(max_records), floors_(max_records) {}

  // The record was read by read_record(), so its signatures hold. `writer` is the address of who asked to store it.
  // Fault::expired, replayed (sequence or epoch), mismatch (the alarm), refused (slots), full (the whole store).
  Result<Put> put(Wall now, SignedRecord record, const IpAddress& writer);
  void purge(Wall now);
  // What was the newest before a restart.
  void restore(const std::vector<Floor>& floors);
  // What must not be forgotten with this store: of records that went, and of those that stand.
  std::vector<Floor> all_floors() const;
  // The floor that a record which was just put stands for.
  std::optional<Floor> floor(const crypto::UserKey& user, const crypto::AccountKey& account,
                             const crypto::DeviceKey& device) const;
  std::size_t floors() const { return floors_.size(); }

  // Oldest first; those within their time at `now`.
  std::vector<const SignedRecord*> find(const crypto::UserKey& key, Wall now) const;
  // In the order of keys, at most so many.
  std::vector<const SignedRecord*> all(std::size_t most = ~std::size_t{0}) const;
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
    WriterShares::Place share = WriterShares::kNone;  // global addresses only
    std::uint64_t serial = 0;
    bool counts() const { return share != WriterShares::kNone; }  // against the prefix
  };
  using Slots = std::vector<Slot>;
  struct Held {
    std::uint64_t lead;  // the first 8 bytes of the key, big-endian
    Slots slots;         // of one user key; empty for moments only
  };
  using Records = std::vector<Held>;
  static constexpr Wall kNoExpiry{std::numeric_limits<std::int64_t>::max()};

  Result<Put> replace(Slot& slot, SignedRecord record);
  Put add(SignedRecord record, const IpAddress& writer);
  void drop_older_epochs(Slots& slots, const crypto::AccountKey& account, std::uint64_t epoch);
  // `going` makes room; it may be null.
  Status has_room(const Slots& slots, const SignedRecord& record, const IpAddress& writer, const Slot* going) const;
  // Whose place a further device of the account takes; null if it needs nobody's.
  static const Slot* going_for(const Slots& slots, const SignedRecord& newcomer);
  static bool is_of(const Held& held, const crypto::UserKey& key);
  Slots* slots_of(const crypto::UserKey& key);
  const Slots* slots_of(const crypto::UserKey& key) const { return const_cast<RecordStore*>(this)->slots_of(key); }
  Records::iterator place_of(const crypto::UserKey& key);
  void drop_if(Slots& slots, const std::function<bool(const Slot&)>& unwanted);

  bool make_room(const IpAddress& writer);

  std::size_t max_records_;
  std::uint64_t serial_ = 0;
  WriterShares shares_;
  Floors floors_;  // of records that went; those that stand are their own
  std::size_t count_ = 0;
  std::size_t bytes_ = 0;
  Records records_;               // in the order of keys: handing on walks it
  Wall next_expiry_ = kNoExpiry;  // nothing expires before
};

}  // namespace linnet::dht
