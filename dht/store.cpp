#include "dht/store.h"

#include <algorithm>

#include "base/blocks.h"

namespace linnet::dht {

bool RecordStore::make_room(const IpAddress& writer) {
  if (count_ < max_records_) return true;
  const auto own = writer.is_global() ? shares_.of(writer.prefix()) : 0;
  const auto out = shares_.excess(own + 1);
  if (!out) return false;
  const auto at = records_.find(out->user);
  drop_if(at->second, [&](const Slot& s) { return s.serial == out->serial; });
  if (at->second.empty()) erase(at);
  return true;
}

Result<RecordStore::Put> RecordStore::put(Wall now, SignedRecord record, const IpAddress& writer) {
  if (auto ok = check_time(record, now); !ok) return fail(Fault::expired);
  next_expiry_ = std::min(next_expiry_, record.expiry);
  auto* found = slots_of(record.user);
  if (found != nullptr) drop_if(*found, [&](const Slot& s) { return now >= s.record.expiry; });
  if (auto ok = floors_.judge(record, now); !ok) return fail(ok.error());
  static const Slots kNone;
  const Slots& slots = found == nullptr ? kNone : *found;

  for (const auto& slot : slots) {
    if (slot.record.account() == record.account() && slot.record.certificate.epoch > record.certificate.epoch) {
      return fail(Fault::replayed);
    }
  }
  const auto same_device = [&](const Slot& s) {
    return s.record.device() == record.device() && s.record.account() == record.account();
  };
  const auto old = std::find_if(slots.begin(), slots.end(), same_device);
  if (old == slots.end()) {
    const auto* going = going_for(slots, record);
    if (auto ok = has_room(slots, record, writer, going); !ok) return fail(ok.error());
    if (going != nullptr) drop_if(*found, [serial = going->serial](const Slot& s) { return s.serial == serial; });
    if (!make_room(writer)) return fail(Fault::full);
    return add(std::move(record), writer);
  }

  const auto epoch = record.certificate.epoch;
  const auto account = record.account();
  auto out = replace((*found)[static_cast<std::size_t>(old - slots.begin())], std::move(record));
  if (out) drop_older_epochs(*found, account, epoch);
  return out;
}

// The table may have changed since: room was made.
RecordStore::Put RecordStore::add(SignedRecord record, const IpAddress& writer) {
  floors_.lift(record);
  auto at = index_.find(record.user);
  if (at == index_.end()) at = index_.emplace(record.user, records_.try_emplace(record.user).first).first;
  auto& mine = at->second->second;
  const auto epoch = record.certificate.epoch;
  const auto account = record.account();
  ++count_;
  bytes_ += record.wire.size();
  ++serial_;
  if (writer.is_global()) shares_.add(writer.prefix(), {serial_, record.user, {}});
  mine.push_back(Slot{std::move(record), writer.prefix(), writer.is_global(), serial_});
  drop_older_epochs(mine, account, epoch);
  return Put::added;
}

// A higher epoch is the account's word that what it certified before is void.
void RecordStore::drop_older_epochs(Slots& slots, const crypto::AccountKey& account, std::uint64_t epoch) {
  drop_if(slots, [&](const Slot& s) { return s.record.account() == account && s.record.certificate.epoch < epoch; });
}

Result<RecordStore::Put> RecordStore::replace(Slot& slot, SignedRecord record) {
  if (record.sequence < slot.record.sequence) return fail(Fault::replayed);
  if (record.sequence == slot.record.sequence) {
    if (equal(record.wire, slot.record.wire)) return Put::same;
    return fail(Fault::mismatch);
  }
  bytes_ += record.wire.size();
  bytes_ -= slot.record.wire.size();
  slot.record = std::move(record);
  return Put::replaced;
}

Status RecordStore::has_room(const Slots& slots, const SignedRecord& record, const IpAddress& writer,
                             const Slot* going) const {
  const auto epoch = record.certificate.epoch;
  std::size_t of_prefix = 0;
  std::size_t kept = 0;
  const auto prefix = writer.prefix();
  for (const auto& slot : slots) {
    const bool own = slot.record.account() == record.account();
    if (&slot == going || (own && slot.record.certificate.epoch < epoch)) continue;  // goes when this one comes
    ++kept;
    if (slot.counts && writer.is_global() && slot.prefix == prefix) ++of_prefix;
  }
  if (kept >= kPerKey || of_prefix >= kPerPrefix) return fail(Fault::refused);
  return {};
}

// A person's devices share the account's places: who was replaced or is gone does not keep a new one from being found.
const RecordStore::Slot* RecordStore::going_for(const Slots& slots, const SignedRecord& newcomer) {
  const auto own = [&](const Slot& s) {
    return s.record.account() == newcomer.account() && s.record.certificate.epoch == newcomer.certificate.epoch;
  };
  if (static_cast<std::size_t>(std::count_if(slots.begin(), slots.end(), own)) < kPerAccount) return nullptr;
  const Slot* first = nullptr;
  for (const auto& slot : slots) {
    if (own(slot) && (first == nullptr || slot.record.expiry < first->record.expiry)) first = &slot;
  }
  return first;
}

void RecordStore::drop_if(Slots& slots, const std::function<bool(const Slot&)>& unwanted) {
  std::erase_if(slots, [&](const Slot& s) {
    if (!unwanted(s)) return false;
    if (s.counts) shares_.remove(s.prefix, {s.serial, s.record.user, {}});
    floors_.raise(floor_of(s.record, s.counts ? s.prefix : ByteArray<7>{}));
    --count_;
    bytes_ -= s.record.wire.size();
    return true;
  });
}

RecordStore::Slots* RecordStore::slots_of(const crypto::UserKey& key) {
  const auto at = index_.find(key);
  return at == index_.end() ? nullptr : &at->second->second;
}

RecordStore::Records::iterator RecordStore::erase(Records::iterator at) {
  index_.erase(at->first);
  return records_.erase(at);
}

void RecordStore::purge(Wall now) {
  floors_.purge(now);
  if (now < next_expiry_) return;
  next_expiry_ = kNoExpiry;
  for (auto it = records_.begin(); it != records_.end();) {
    drop_if(it->second, [&](const Slot& s) { return now >= s.record.expiry; });
    for (const auto& s : it->second) next_expiry_ = std::min(next_expiry_, s.record.expiry);
    it = it->second.empty() ? erase(it) : std::next(it);
  }
}

void RecordStore::restore(const std::vector<Floor>& floors) {
  for (const auto& floor : floors) floors_.raise(floor);
}

std::optional<Floor> RecordStore::floor(const crypto::UserKey& user, const crypto::AccountKey& account,
                                        const crypto::DeviceKey& device) const {
  const auto* slots = slots_of(user);
  if (slots == nullptr) return std::nullopt;
  for (const auto& slot : *slots) {
    if (slot.record.device() != device || slot.record.account() != account) continue;
    return floor_of(slot.record, slot.counts ? slot.prefix : ByteArray<7>{});
  }
  return std::nullopt;
}

std::vector<const SignedRecord*> RecordStore::find(const crypto::UserKey& key, Wall now) const {
  std::vector<const SignedRecord*> out;
  const auto* slots = slots_of(key);
  if (slots == nullptr) return out;
  for (const auto& slot : *slots) {
    if (check_time(slot.record, now)) out.push_back(&slot.record);
  }
  return out;
}

std::vector<const SignedRecord*> RecordStore::all(std::size_t most) const {
  std::vector<const SignedRecord*> out;
  out.reserve(std::min(count_, most));
  for (const auto& [key, slots] : records_) {
    for (const auto& slot : slots) {
      if (out.size() == most) return out;
      out.push_back(&slot.record);
    }
  }
  return out;
}

std::vector<crypto::UserKey> RecordStore::keys_after(const crypto::UserKey& key, std::size_t n) const {
  std::vector<crypto::UserKey> out;
  for (auto it = records_.upper_bound(key); it != records_.end() && out.size() < n; ++it) out.push_back(it->first);
  return out;
}

std::size_t RecordStore::memory_bytes() const {
  constexpr std::size_t kNode = 32;  // of a tree, beside its value
  std::size_t out = floors_.memory_bytes() + shares_.memory_bytes();
  out += index_.size() * block_bytes(sizeof(decltype(index_)::value_type) + 8) +
         block_bytes(index_.bucket_count() * sizeof(void*));
  for (const auto& [key, slots] : records_) {
    out += block_bytes(sizeof(*records_.begin()) + kNode) + block_bytes(slots.capacity() * sizeof(Slot));
    for (const auto& slot : slots) out += block_bytes(slot.record.wire.capacity());
  }
  return out;
}

void RecordStore::drop(const crypto::UserKey& key) {
  const auto it = records_.find(key);
  if (it == records_.end()) return;
  drop_if(it->second, [](const Slot&) { return true; });
  erase(it);
}

}  // namespace linnet::dht
