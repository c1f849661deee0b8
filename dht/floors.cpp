#include "dht/floors.h"

#include <algorithm>

#include "base/blocks.h"

namespace linnet::dht {
namespace {

// A device that was revoked can sign records as long as its certificate lives, and a clock may be off.
constexpr std::chrono::seconds kEpochKept{31 * 24 * 3600};
constexpr ByteArray<7> kNoPrefix{};

}  // namespace

Floor floor_of(const SignedRecord& record, const ByteArray<7>& prefix) {
  Floor out;
  out.user = record.user;
  out.account = record.account();
  out.device = record.device();
  out.sequence = record.sequence;
  out.epoch = record.certificate.epoch;
  out.digest = crypto::hash256({record.wire});
  // What was signed before it began before it: it has ended two hours later.
  out.until = std::max(record.expiry, record.not_before + kMaxRecordLife);
  out.epoch_until = out.epoch > 0 ? out.until + kEpochKept : out.until;
  out.prefix = prefix;
  return out;
}

Floors::Table::iterator Floors::erase(Table::iterator at) {
  if (at->second.share != WriterShares::kNone) shares_.remove(at->second.share);
  return floors_.erase(at);
}

bool Floors::make_room(const Floor& floor) {
  if (floors_.size() < capacity_) return true;
  const auto own = floor.prefix == kNoPrefix ? 0 : shares_.of(floor.prefix);
  const auto out = shares_.excess(own + 1);
  if (!out) return false;
  auto at = floors_.lower_bound(Key{out->user, out->account, {}});  // at most kPerAccount
  while (at != floors_.end() && at->second.serial != out->serial) ++at;
  if (at == floors_.end()) return false;
  erase(at);
  return true;
}

void Floors::raise(Table::iterator at, const Floor& floor) {
  auto& kept = at->second.floor;
  kept.epoch = std::max(kept.epoch, floor.epoch);
  kept.epoch_until = std::max(kept.epoch_until, floor.epoch_until);
  if (floor.sequence < kept.sequence) return;
  kept.until = std::max(kept.until, floor.until);
  if (floor.sequence == kept.sequence) return;
  kept.sequence = floor.sequence;
  kept.digest = floor.digest;
}

// Under a lower epoch whatever it refuses is refused already: without this, one account could make a million of them.
bool Floors::make_room_of_account(const Floor& floor) {
  const auto end_of = [](const Floor& f) { return std::tie(f.epoch_until, f.until); };
  std::size_t others = 0;
  auto soonest = floors_.end();
  for (auto at = floors_.lower_bound(Key{floor.user, floor.account, {}}); at != floors_.end();) {
    const auto& kept = at->second.floor;
    if (kept.user != floor.user || kept.account != floor.account) break;
    if (kept.epoch > floor.epoch) return false;
    if (kept.epoch < floor.epoch) {
      at = erase(at);
      continue;
    }
    if (kept.device != floor.device) {
      ++others;
      if (soonest == floors_.end() || end_of(kept) < end_of(soonest->second.floor)) soonest = at;
    }
    ++at;
  }
  if (others < kPerAccount) return true;
  if (end_of(floor) < end_of(soonest->second.floor)) return false;
  erase(soonest);
  return true;
}

void Floors::raise(const Floor& floor) {
  const Key key{floor.user, floor.account, floor.device};
  if (const auto at = floors_.find(key); at != floors_.end()) {
    raise(at, floor);
    make_room_of_account(at->second.floor);
    return;
  }
  if (!make_room_of_account(floor) || !make_room(floor)) return;
  const auto serial = ++serial_;
  auto& entry = floors_.emplace(key, Entry{floor, serial, WriterShares::kNone}).first->second;
  if (floor.prefix != kNoPrefix) entry.share = shares_.add(floor.prefix, {serial, floor.user, floor.account});
}

Status Floors::judge(const SignedRecord& record, Wall now) const {
  for (auto at = floors_.lower_bound(Key{record.user, record.account(), {}}); at != floors_.end(); ++at) {
    const auto& floor = at->second.floor;
    if (floor.user != record.user || floor.account != record.account()) break;
    if (floor.epoch > record.certificate.epoch && now < floor.epoch_until) return fail(Fault::replayed);
    // Later a lower sequence is no older record, but of a device that lost its store and began at 1.
    if (now >= floor.until || floor.device != record.device() || floor.sequence < record.sequence) continue;
    if (floor.sequence > record.sequence) return fail(Fault::replayed);
    if (floor.digest != crypto::hash256({record.wire})) return fail(Fault::mismatch);
  }
  return {};
}

void Floors::lift(const SignedRecord& record) {
  const auto at = floors_.find(Key{record.user, record.account(), record.device()});
  if (at != floors_.end()) erase(at);
}

void Floors::purge(Wall now) {
  for (auto at = floors_.begin(); at != floors_.end();) {
    const auto& floor = at->second.floor;
    at = now >= std::max(floor.until, floor.epoch_until) ? erase(at) : std::next(at);
  }
}

void Floors::add_to(std::vector<Floor>& out) const {
  out.reserve(out.size() + floors_.size());
  for (const auto& [key, entry] : floors_) out.push_back(entry.floor);
}

std::size_t Floors::memory_bytes() const {
  return floors_.size() * block_bytes(sizeof(Table::value_type) + 32) + shares_.memory_bytes();
}

}  // namespace linnet::dht
