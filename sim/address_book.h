// Which host an address belongs to: open addressing, so that a datagram costs one cache line. IPv4, which is nearly
// all, has a table of its own with eight bytes for each.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/endpoint.h"

namespace linnet::sim {

class AddressBook {
 public:
  void set(const IpAddress& address, std::uint32_t host) {
    if (address.is_v4()) return v4_.set(v4_of(address), host);
    others_.set(address, host);
  }
  std::optional<std::uint32_t> find(const IpAddress& address) const {
    return address.is_v4() ? v4_.find(v4_of(address)) : others_.find(address);
  }

 private:
  static std::uint32_t v4_of(const IpAddress& address) {
    std::uint32_t out;
    std::memcpy(&out, address.bytes.data() + 12, sizeof out);
    return out;
  }

  template <class Key>
  class Table {
   public:
    void set(const Key& key, std::uint32_t host) {
      if (slots_.size() < 2 * (size_ + 1)) grow();
      auto& slot = slots_[slot_of(key)];
      if (slot.host == kFree) ++size_;
      slot = {key, host};
    }
    std::optional<std::uint32_t> find(const Key& key) const {
      if (slots_.empty()) return std::nullopt;
      const auto& slot = slots_[slot_of(key)];
      return slot.host == kFree ? std::nullopt : std::optional(slot.host);
    }

   private:
    static constexpr std::uint32_t kFree = 0xffffffff;
    struct Slot {
      Key key{};
      std::uint32_t host = kFree;
    };

    std::size_t slot_of(const Key& key) const {
      const auto mask = slots_.size() - 1;
      auto i = ((std::hash<Key>{}(key)*0x9e3779b97f4a7c15U) >> 32) & mask;
      while (slots_[i].host != kFree && slots_[i].key != key) i = (i + 1) & mask;
      return i;
    }
    void grow() {
      const auto old = std::move(slots_);
      slots_.assign(old.empty() ? 64 : 2 * old.size(), Slot{});
      for (const auto& slot : old) {
        if (slot.host != kFree) slots_[slot_of(slot.key)] = slot;
      }
    }

    std::vector<Slot> slots_;
    std::size_t size_ = 0;
  };

  Table<std::uint32_t> v4_;
  Table<IpAddress> others_;
};

}  // namespace linnet::sim
