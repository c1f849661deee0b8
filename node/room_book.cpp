#include "node/room_book.h"

#include <algorithm>
#include <utility>

namespace linnet::node {

conference::RoomId room_number(const crypto::AccountKey& room) {
  const auto hash = crypto::hash256({view("linnet-1 room number"), room});
  conference::RoomId out{};
  std::copy_n(hash.bytes.begin(), out.size(), out.begin());
  return out;
}

RoomBook::RoomBook(std::vector<StoredRoom> rooms) {
  for (auto& room : rooms) {
    auto address = room.address;
    if (!full()) rooms_.insert_or_assign(std::move(address), std::move(room));
  }
}

const StoredRoom* RoomBook::find(const crypto::Address& address) const {
  const auto found = rooms_.find(address);
  if (found != rooms_.end()) return &found->second;
  if (!address.is_key_name()) return nullptr;
  for (const auto& entry : rooms_)
    if (address.proves(entry.second.account())) return &entry.second;
  return nullptr;
}

const StoredRoom* RoomBook::find(const conference::RoomId& number) const {
  for (const auto& entry : rooms_)
    if (room_number(entry.second.account()) == number) return &entry.second;
  return nullptr;
}

void RoomBook::save(const StoredRoom& room) { changes_.emplace_back(room); }

const StoredRoom* RoomBook::found(const crypto::Suite& suite, const crypto::Identity& identity,
                                  const crypto::Address& address, Wall now) {
  const auto pair = crypto::room_account(suite, identity.account, address);
  if (const auto* known = find(address))
    return known->account() == crypto::AccountKey{pair.public_key} ? known : nullptr;
  if (full()) return nullptr;
  StoredRoom room;
  room.address = address;
  room.founded = true;
  room.certificate = crypto::certify(suite, pair, identity.device_key(), 0, now);
  save(room);
  return &rooms_.emplace(address, std::move(room)).first->second;
}

void RoomBook::renew(const crypto::Suite& suite, const crypto::Identity& identity, Wall now) {
  for (auto& [address, room] : rooms_) {
    if (!room.founded || !crypto::needs_renewal(room.certificate, now)) continue;
    const auto pair = crypto::room_account(suite, identity.account, address);
    const auto epoch = room.certificate.epoch;
    room.certificate = crypto::certify(suite, pair, identity.device_key(), epoch, now);
    save(room);
  }
}

bool RoomBook::keep(const crypto::Address& address, const PersonKey& keeper) {
  const auto found = rooms_.find(address);
  if (found == rooms_.end() || !found->second.founded) return false;
  auto& room = found->second;
  if (room.keepers.contains(keeper)) return true;
  if (room.keepers.size() >= kMostKeepers) return false;
  room.keepers.insert(keeper);
  save(room);
  return true;
}

Status RoomBook::dismiss(const crypto::Suite& suite, const crypto::Identity& identity, const crypto::Address& address,
                         const PersonKey& keeper, Wall now) {
  const auto found = rooms_.find(address);
  if (found == rooms_.end() || !found->second.founded) return fail(Fault::not_found);
  auto& room = found->second;
  if (!room.keepers.contains(keeper)) return fail(Fault::not_found);
  if (room.certificate.epoch == crypto::kLastEpoch) return fail(Fault::full);
  room.keepers.erase(keeper);
  note_epoch(suite, identity, address, room.certificate.epoch + 1, now);
  return {};
}

void RoomBook::note_epoch(const crypto::Suite& suite, const crypto::Identity& identity, const crypto::Address& address,
                          std::uint32_t epoch, Wall now) {
  const auto found = rooms_.find(address);
  if (found == rooms_.end() || !found->second.founded || epoch <= found->second.certificate.epoch) return;
  auto& room = found->second;
  const auto pair = crypto::room_account(suite, identity.account, address);
  room.certificate = crypto::certify(suite, pair, identity.device_key(), epoch, now);
  save(room);
}

std::optional<crypto::DeviceCertificate> RoomBook::certify(const crypto::Suite& suite, const crypto::Identity& identity,
                                                           const StoredRoom& room, const crypto::AccountKey& account,
                                                           const crypto::DeviceKey& device, Wall now) const {
  const bool keeps = account == identity.account_key() || room.keepers.contains(crypto::key_hash(account));
  if (!room.founded || !keeps) return std::nullopt;
  const auto pair = crypto::room_account(suite, identity.account, room.address);
  return crypto::certify(suite, pair, device, room.certificate.epoch, now);
}

Status RoomBook::wants(const crypto::Identity& identity, const crypto::Address& address,
                       const crypto::DeviceCertificate& certificate, bool invited) const {
  if (certificate.device != identity.device_key() || address.is_key_name()) return fail(Fault::mismatch);
  const auto known = rooms_.find(address);
  if (known == rooms_.end()) return !invited ? fail(Fault::refused) : full() ? fail(Fault::full) : Status{};
  const auto& had = known->second.certificate;
  if (had.account != certificate.account) return fail(Fault::mismatch);
  // A founder certifies himself: what another device of his says is of use for its epoch alone.
  const bool longer = !known->second.founded && certificate.not_after > had.not_after;
  const bool newer = certificate.epoch > had.epoch || (certificate.epoch == had.epoch && longer);
  return newer ? Status{} : fail(Fault::replayed);
}

Status RoomBook::accept(const crypto::Suite& suite, const crypto::Identity& identity, const crypto::Address& address,
                        const crypto::DeviceCertificate& certificate, bool invited, Wall now) {
  if (auto wanted = wants(identity, address, certificate, invited); !wanted) return wanted;
  if (auto good = crypto::verify(suite, certificate, now); !good) return good;
  if (const auto known = rooms_.find(address); known != rooms_.end() && known->second.founded) {
    note_epoch(suite, identity, address, certificate.epoch, now);
    return {};
  }
  auto& room = rooms_[address];
  room.address = address;
  room.certificate = certificate;
  save(room);
  return {};
}

bool RoomBook::drop(const crypto::Address& address) {
  if (rooms_.erase(address) == 0) return false;
  changes_.emplace_back(DropRoom{address});
  return true;
}

}  // namespace linnet::node
