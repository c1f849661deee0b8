// How much of a table each writer prefix has filled. Bounded by the table. Entries of one prefix are a list, the
// youngest first, and prefixes a heap, the fullest on top: neither adding nor removing looks at more than a few of
// them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "crypto/keys.h"

namespace linnet::dht {

class WriterShares {
 public:
  using Prefix = ByteArray<7>;
  // Where an entry stands, for who wants it out again.
  using Place = std::uint32_t;
  static constexpr Place kNone = 0xffffffff;
  struct Entry {
    std::uint64_t serial = 0;  // rises with every entry
    crypto::UserKey user;
    crypto::AccountKey account;  // where the table needs it to find the entry
  };
  Place add(const Prefix& prefix, const Entry& entry);
  void remove(Place place);
  std::size_t of(const Prefix& prefix) const;
  // The youngest entry of the prefix that has most, if it has more than `than`; of several the greatest prefix.
  std::optional<Entry> excess(std::size_t than) const;
  std::size_t memory_bytes() const;

 private:
  using Number = std::uint32_t;  // of a share
  struct Node {
    Entry entry;
    Place younger = kNone;
    Place older = kNone;  // of a free node: the next free one
    Number share = 0;
  };
  struct Share {
    Prefix prefix{};
    Place youngest = kNone;  // of a free share: the number of the next free one
    std::uint32_t entries = 0;
    std::uint32_t in_heap = 0;
  };
  Number share_of(const Prefix& prefix);
  void drop(Number share);
  bool before(Number a, Number b) const {
    const auto& x = shares_[a];
    const auto& y = shares_[b];
    return x.entries != y.entries ? x.entries > y.entries : x.prefix > y.prefix;
  }
  void settle_at(std::size_t at);

  std::vector<Node> nodes_;
  std::vector<Share> shares_;
  std::vector<Number> heap_;
  std::map<std::uint64_t, Number> numbers_;  // by prefix
  Place free_node_ = kNone;
  Number free_share_ = kNone;
};

}  // namespace linnet::dht
