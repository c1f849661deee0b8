#include "dht/contact_book.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace linnet::dht {

void RttEstimate::add(Duration sample) {
  const auto ms = static_cast<float>(millis(sample));
  if (mean_ms_ < 0) {
    mean_ms_ = ms;
    variation_ms_ = ms / 2;
    return;
  }
  variation_ms_ += (std::fabs(ms - mean_ms_) - variation_ms_) / 4;
  mean_ms_ += (ms - mean_ms_) / 8;
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

Handle ContactBook::add(const Contact& contact) {
  assert(!full() && !handle_of(contact.device));
  Handle handle{};
  if (free_.empty()) {
    handle = Handle{static_cast<std::uint32_t>(entries_.size())};
    entries_.emplace_back();
  } else {
    handle = free_.back();
    free_.pop_back();
    at(handle) = BookEntry();
  }
  at(handle).contact = contact;
  order_.insert(order_.begin() + static_cast<std::ptrdiff_t>(lower_bound(contact.device)), handle);
  return handle;
}

void ContactBook::remove(Handle handle) {
  const auto i = lower_bound(at(handle).contact.device);
  assert(i < order_.size() && order_[i] == handle);
  order_.erase(order_.begin() + static_cast<std::ptrdiff_t>(i));
  free_.push_back(handle);
}

std::optional<Handle> ContactBook::handle_of(const crypto::DeviceKey& device) const {
  const auto i = lower_bound(device);
  if (i == order_.size() || at(order_[i]).contact.device != device) return std::nullopt;
  return order_[i];
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
