// Which host an address belongs to: open addressing, so that a datagram costs one cache line.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/endpoint.h"

namespace linnet::sim {

class AddressBook {
 public:
  void set(const IpAddress& address, std::uint32_t host) {
    if (slots_.size() < 2 * (size_ + 1)) grow();
    auto& slot = slots_[slot_of(address)];
    if (slot.host == kFree) ++size_;
    slot = {address, host};
  }
  std::optional<std::uint32_t> find(const IpAddress& address) const {
    if (slots_.empty()) return std::nullopt;
    const auto& slot = slots_[slot_of(address)];
    return slot.host == kFree ? std::nullopt : std::optional(slot.host);
  }

 private:
  static constexpr std::uint32_t kFree = 0xffffffff;
  struct Slot {
    IpAddress address;
    std::uint32_t host = kFree;
  };

  std::size_t slot_of(const IpAddress& address) const {
    const auto mask = slots_.size() - 1;
    auto i = ((std::hash<IpAddress>{}(address)*0x9e3779b97f4a7c15U) >> 32) & mask;
    while (slots_[i].host != kFree && slots_[i].address != address) i = (i + 1) & mask;
    return i;
  }
  void grow() {
    const auto old = std::move(slots_);
    slots_.assign(old.empty() ? 64 : 2 * old.size(), Slot{});
    for (const auto& slot : old) {
      if (slot.host != kFree) slots_[slot_of(slot.address)] = slot;
    }
  }

  std::vector<Slot> slots_;
  std::size_t size_ = 0;
};

}  // namespace linnet::sim
