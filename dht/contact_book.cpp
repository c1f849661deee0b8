#include "dht/contact_book.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "base/growth.h"

namespace linnet::dht {

void RttEstimate::add(Duration sample, float usual) {
  const auto ms = static_cast<float>(millis(sample));
  if (mean_ms_ < 0) {
    mean_ms_ = ms;
    variation_ms_ = ms * usual;
    return;
  }
  variation_ms_ += (std::fabs(ms - mean_ms_) - variation_ms_) / 4;
  mean_ms_ += (ms - mean_ms_) / 8;
}

void RttEstimate::doubt() {
  if (measured()) variation_ms_ = std::clamp(2 * variation_ms_, mean_ms_ / 8, mean_ms_);
}

float RttEstimate::off(Duration sample) const {
  return std::min(1.0F, std::fabs(static_cast<float>(millis(sample)) - mean_ms_) / std::max(1.0F, mean_ms_));
}

Duration RttEstimate::timeout() const {
  return Duration(static_cast<Duration::rep>((mean_ms_ + 4 * variation_ms_) * 1000));
}

std::size_t ContactBook::lower_bound(const crypto::DeviceKey& device) const {
  const auto it =
      std::lower_bound(order_.begin(), order_.end(), device,
                       [this](Handle h, const crypto::DeviceKey& key) { return at(h).contact.device < key; });
  return static_cast<std::size_t>(it - order_.begin());
}

std::size_t ContactBook::slot_of(const crypto::DeviceKey& device) const {
  const auto hash = std::hash<crypto::DeviceKey>{}(device);
  const auto mask = slots_.size() - 1;
  auto i = hash & mask;
  for (;; i = (i + 1) & mask) {
    const auto& slot = slots_[i];
    if (slot.handle == kFree) return i;
    if (slot.tag == static_cast<std::uint32_t>(hash >> 32) && at(Handle{slot.handle}).contact.device == device)
      return i;
  }
}

void ContactBook::prefetch_slot(const crypto::DeviceKey& device) const {
  if (!slots_.empty()) __builtin_prefetch(&slots_[std::hash<crypto::DeviceKey>{}(device) & (slots_.size() - 1)]);
}

void ContactBook::prefetch_entry(const crypto::DeviceKey& device) const {
  if (slots_.empty()) return;
  const auto handle = slots_[std::hash<crypto::DeviceKey>{}(device) & (slots_.size() - 1)].handle;
  if (handle != kFree) prefetch(Handle{handle});
}

void ContactBook::prefetch(Handle handle) const {
  const auto* entry = reinterpret_cast<const char*>(&at(handle));
  for (std::size_t i = 0; i < sizeof(BookEntry); i += 64) __builtin_prefetch(entry + i);
}

void ContactBook::index(const crypto::DeviceKey& device, Handle handle) {
  const auto hash = std::hash<crypto::DeviceKey>{}(device);
  slots_[slot_of(device)] = {static_cast<std::uint32_t>(hash >> 32), static_cast<std::uint32_t>(handle)};
}

// What stands behind a freed slot moves up, so that no search ends too early.
void ContactBook::unindex(std::size_t hole) {
  const auto mask = slots_.size() - 1;
  slots_[hole] = Slot{};
  for (auto i = (hole + 1) & mask; slots_[i].handle != kFree; i = (i + 1) & mask) {
    const auto home = std::hash<crypto::DeviceKey>{}(at(Handle{slots_[i].handle}).contact.device) & mask;
    if (((i - home) & mask) < ((i - hole) & mask)) continue;
    slots_[hole] = slots_[i];
    slots_[i] = Slot{};
    hole = i;
  }
}

Handle ContactBook::add(const Contact& contact) {
  assert(!full() && !handle_of(contact.device));
  if (slots_.size() < 2 * (order_.size() + 1)) {
    slots_.assign(std::max<std::size_t>(16, 2 * slots_.size()), Slot{});
    for (const auto handle : order_) index(at(handle).contact.device, handle);
  }
  Handle handle{};
  if (free_.empty()) {
    handle = Handle{static_cast<std::uint32_t>(entries_.size())};
    make_room_for_one(entries_);
    entries_.emplace_back();
    make_room_for_one(leads_);
    leads_.emplace_back();
  } else {
    handle = free_.back();
    free_.pop_back();
    at(handle) = BookEntry();
  }
  at(handle).contact = contact;
  leads_[static_cast<std::size_t>(handle)] = dht::lead(contact.position);
  make_room_for_one(order_);
  order_.insert(order_.begin() + static_cast<std::ptrdiff_t>(lower_bound(contact.device)), handle);
  index(contact.device, handle);
  return handle;
}

void ContactBook::remove(Handle handle) {
  const auto& device = at(handle).contact.device;
  const auto i = lower_bound(device);
  assert(i < order_.size() && order_[i] == handle);
  unindex(slot_of(device));
  order_.erase(order_.begin() + static_cast<std::ptrdiff_t>(i));
  free_.push_back(handle);
}

std::optional<Handle> ContactBook::handle_of(const crypto::DeviceKey& device) const {
  if (slots_.empty()) return std::nullopt;
  const auto& slot = slots_[slot_of(device)];
  if (slot.handle == kFree) return std::nullopt;
  return Handle{slot.handle};
}

std::size_t ContactBook::memory_bytes() const {
  return entries_.capacity() * sizeof(BookEntry) + leads_.capacity() * sizeof(std::uint64_t) +
         (free_.capacity() + order_.capacity()) * sizeof(Handle) + slots_.capacity() * sizeof(Slot);
}

const BookEntry* ContactBook::find(const crypto::DeviceKey& device) const {
  const auto handle = handle_of(device);
  return handle ? &at(*handle) : nullptr;
}

BookEntry* ContactBook::find(const crypto::DeviceKey& device) {
  const auto handle = handle_of(device);
  return handle ? &at(*handle) : nullptr;
}

}  // namespace linnet::dht
