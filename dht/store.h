// What this supernode holds for others. Slot rules of protocol.md section 2: at most 16 records per user key, 2 per
// account key, 4 per writer prefix (of global addresses), oldest kept; a lower sequence or epoch is refused, an equal
// sequence with other bytes is an alarm.
#pragma once

#include <functional>
#include <map>
#include <vector>

#include "dht/record.h"

namespace linnet::dht {

class RecordStore {
 public:
  static constexpr std::size_t kPerKey = 16;
  static constexpr std::size_t kPerAccount = 2;
  static constexpr std::size_t kPerPrefix = 4;

  enum class Put { added, replaced, same };

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

 private:
  struct Slot {
    SignedRecord record;
    ByteArray<7> prefix;
    bool counts = false;  // against the prefix: global addresses only
  };
  using Slots = std::vector<Slot>;

  Result<Put> replace(Slot& slot, SignedRecord record);
  Status has_room(const Slots& slots, const SignedRecord& record, const IpAddress& writer) const;
  void drop_if(Slots& slots, const std::function<bool(const SignedRecord&)>& unwanted);

  std::size_t max_records_;
  std::size_t count_ = 0;
  std::size_t bytes_ = 0;
  std::map<crypto::UserKey, Slots> records_;  // ordered: handing on walks it
};

}  // namespace linnet::dht
