// What a store must not forget with a record: the highest sequence it saw of a device, and the revocation epoch of its
// account. An older record that is still within its time does not come back, also not after a restart.
#pragma once

#include <map>
#include <optional>
#include <tuple>
#include <vector>

#include "dht/record.h"
#include "dht/writer_shares.h"

namespace linnet::dht {

// Of one device under one user key. `digest` tells two records of one sequence apart.
struct Floor {
  crypto::UserKey user;
  crypto::AccountKey account;
  crypto::DeviceKey device;
  std::uint64_t sequence = 0;
  std::uint32_t epoch = 0;
  crypto::Hash256 digest;  // of the record's bytes
  Wall until{};            // then nothing of a lower sequence is within its time
  Wall epoch_until{};      // then no certificate of a lower epoch is; never before `until`
  ByteArray<7> prefix{};   // of the writer; zeros on private networks
};
Floor floor_of(const SignedRecord& record, const ByteArray<7>& prefix);

// Bounded, and so is what is kept of one account: floors of its newest epoch, of at most kPerAccount devices (those
// that matter longest). A full one takes a floor only at the cost of the writer prefix that has most, as the store
// does.
class Floors {
 public:
  static constexpr std::size_t kPerAccount = 16;

  explicit Floors(std::size_t capacity) : capacity_(capacity) {}

  // Never lowers one that stands.
  void raise(const Floor& floor);
  // Good, replayed (a lower sequence or epoch) or mismatch (the same sequence, other bytes).
  Status judge(const SignedRecord& record, Wall now) const;
  // A record of the device stands for it now.
  void lift(const SignedRecord& record);
  void purge(Wall now);
  void add_to(std::vector<Floor>& out) const;
  std::size_t size() const { return floors_.size(); }
  std::size_t memory_bytes() const;

 private:
  using Key = std::tuple<crypto::UserKey, crypto::AccountKey, crypto::DeviceKey>;
  struct Entry {
    Floor floor;
    std::uint64_t serial = 0;
    WriterShares::Place share = WriterShares::kNone;
  };
  using Table = std::map<Key, Entry>;

  void raise(Table::iterator at, const Floor& floor);
  bool make_room(const Floor& floor);
  // False: the standing ones of the account make it needless.
  bool make_room_of_account(const Floor& floor);
  Table::iterator erase(Table::iterator at);

  std::size_t capacity_;
  std::uint64_t serial_ = 0;
  Table floors_;
  WriterShares shares_;
};

}  // namespace linnet::dht
