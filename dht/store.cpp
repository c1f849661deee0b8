#include "dht/store.h"

#include <algorithm>

#include "base/blocks.h"

namespace linnet::dht {
namespace {

// The order of keys is that of these, but for one pair in 2^64.
std::uint64_t lead_of(const crypto::UserKey& key) { return lead(id_of(key)); }

}  // namespace

bool RecordStore::make_room(const IpAddress& writer) {
  if (count_ < max_records_) return true;
  const auto own = writer.is_global() ? shares_.of(writer.prefix()) : 0;
  const auto out = shares_.excess(own + 1);
  if (!out) return false;
  const auto at = place_of(out->user);
  drop_if(at->slots, [&](const Slot& s) { return s.serial == out->serial; });
  if (at->slots.empty()) records_.erase(at);
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
  auto at = place_of(record.user);
  if (at == records_.end() || !is_of(*at, record.user)) at = records_.insert(at, Held{lead_of(record.user), {}});
  auto& mine = at->slots;
  const auto epoch = record.certificate.epoch;
  const auto account = record.account();
  ++count_;
  bytes_ += record.wire.size();
  ++serial_;
  const auto prefix = writer.prefix();
  const auto share =
      writer.is_global() ? shares_.add(prefix, {serial_, record.user, {}}) : WriterShares::Place{WriterShares::kNone};
  mine.push_back(Slot{std::move(record), prefix, share, serial_});
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
    if (slot.counts() && writer.is_global() && slot.prefix == prefix) ++of_prefix;
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
    if (s.counts()) shares_.remove(s.share);
    floors_.raise(floor_of(s.record, s.counts() ? s.prefix : ByteArray<7>{}));
    --count_;
    bytes_ -= s.record.wire.size();
    return true;
  });
}

// Keys are hashes, so where one stands follows from its first bytes, nearly; from there in steps that double, since who
// chooses names may crowd them.
RecordStore::Records::iterator RecordStore::place_of(const crypto::UserKey& key) {
  const auto lead = lead_of(key);
  const auto n = records_.size();
  const auto guess = static_cast<std::size_t>((lead >> 32) * n >> 32);
  std::size_t low = guess, high = guess;  // below `low` all are before the key, from `high` on none is
  for (std::size_t step = 1; low > 0 && records_[low - 1].lead >= lead; step *= 2) {
    high = low - 1;
    low -= std::min(step, low);
  }
  for (std::size_t step = 1; high < n && records_[high].lead < lead; step *= 2) {
    low = high + 1;
    high += std::min(step, n - high);
  }
  const auto before = [&](const Held& held, std::uint64_t wanted) { return held.lead < wanted; };
  const auto begin = records_.begin();
  auto at = std::lower_bound(begin + static_cast<std::ptrdiff_t>(low), begin + static_cast<std::ptrdiff_t>(high), lead,
                             before);
  while (at != records_.end() && at->lead == lead && !at->slots.empty() && at->slots.front().record.user < key) ++at;
  return at;
}

bool RecordStore::is_of(const Held& held, const crypto::UserKey& key) {
  if (held.slots.empty()) return held.lead == lead_of(key);
  return held.slots.front().record.user == key;
}

RecordStore::Slots* RecordStore::slots_of(const crypto::UserKey& key) {
  const auto at = place_of(key);
  return at != records_.end() && is_of(*at, key) ? &at->slots : nullptr;
}

void RecordStore::purge(Wall now) {
  floors_.purge(now);
  if (now < next_expiry_) return;
  next_expiry_ = kNoExpiry;
  for (auto& held : records_) {
    drop_if(held.slots, [&](const Slot& s) { return now >= s.record.expiry; });
    for (const auto& s : held.slots) next_expiry_ = std::min(next_expiry_, s.record.expiry);
  }
  std::erase_if(records_, [](const Held& held) { return held.slots.empty(); });
}

void RecordStore::restore(const std::vector<Floor>& floors) {
  for (const auto& floor : floors) floors_.raise(floor);
}

std::vector<Floor> RecordStore::all_floors() const {
  std::vector<Floor> out;
  floors_.add_to(out);
  for (const auto& held : records_) {
    for (const auto& slot : held.slots)
      out.push_back(floor_of(slot.record, slot.counts() ? slot.prefix : ByteArray<7>{}));
  }
  return out;
}

std::optional<Floor> RecordStore::floor(const crypto::UserKey& user, const crypto::AccountKey& account,
                                        const crypto::DeviceKey& device) const {
  const auto* slots = slots_of(user);
  if (slots == nullptr) return std::nullopt;
  for (const auto& slot : *slots) {
    if (slot.record.device() != device || slot.record.account() != account) continue;
    return floor_of(slot.record, slot.counts() ? slot.prefix : ByteArray<7>{});
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
  for (const auto& held : records_) {
    for (const auto& slot : held.slots) {
      if (out.size() == most) return out;
      out.push_back(&slot.record);
    }
  }
  return out;
}

std::vector<crypto::UserKey> RecordStore::keys_after(const crypto::UserKey& key, std::size_t n) const {
  std::vector<crypto::UserKey> out;
  const auto from = const_cast<RecordStore*>(this)->place_of(key) - records_.begin();
  for (auto i = static_cast<std::size_t>(from); i < records_.size() && out.size() < n; ++i) {
    const auto& user = records_[i].slots.front().record.user;
    if (user != key) out.push_back(user);
  }
  return out;
}

std::size_t RecordStore::memory_bytes() const {
  std::size_t out = floors_.memory_bytes() + shares_.memory_bytes() + block_bytes(records_.capacity() * sizeof(Held));
  for (const auto& held : records_) {
    out += block_bytes(held.slots.capacity() * sizeof(Slot));
    for (const auto& slot : held.slots) out += block_bytes(slot.record.wire.capacity());
  }
  return out;
}

void RecordStore::drop(const crypto::UserKey& key) {
  const auto at = place_of(key);
  if (at == records_.end() || !is_of(*at, key)) return;
  drop_if(at->slots, [](const Slot&) { return true; });
  records_.erase(at);
}

}  // namespace linnet::dht
