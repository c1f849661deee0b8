// The rooms with an address that this device keeps (docs/decisions/041): found by their address, or by the number that
// a conference under it has.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "crypto/room_key.h"
#include "node/conference_claim.h"
#include "node/config.h"

namespace linnet::node {

// The number of every conference under that address: BLAKE2b-256("linnet-1 room number" || the room's account key), its
// first 16 octets. So two that were begun at once are two halves of one.
conference::RoomId room_number(const crypto::AccountKey& room);

class RoomBook {
 public:
  static constexpr std::size_t kMax = 64;
  static constexpr std::size_t kMostKeepers = 256;
  static constexpr std::size_t kLongest = 64;  // octets of an address: a conference's name

  explicit RoomBook(std::vector<StoredRoom> rooms);

  const StoredRoom* find(const crypto::Address& address) const;
  const StoredRoom* find(const conference::RoomId& number) const;
  const std::map<crypto::Address, StoredRoom>& all() const { return rooms_; }
  bool full() const { return rooms_.size() >= kMax; }

  // Of our own account: its room of that address, and this device certified by it. One that is here already stays.
  // Null: the book is full, or another's room has that address.
  const StoredRoom* found(const crypto::Suite& suite, const crypto::Identity& identity, const crypto::Address& address,
                          Wall now);
  // Our own certificates that near their end.
  void renew(const crypto::Suite& suite, const crypto::Identity& identity, Wall now);
  // Of a room that we founded: that account's devices are certified from now on. False: it is none, or has too many.
  bool keep(const crypto::Address& address, const PersonKey& keeper);
  // ... and no more: the next epoch begins, in which this device and whoever is certified later are, and what was
  // certified before is void for whoever hears of it. Fault: not_found (no room that we founded, no keeper of it), full
  // (after the last epoch).
  Status dismiss(const crypto::Suite& suite, const crypto::Identity& identity, const crypto::Address& address,
                 const PersonKey& keeper, Wall now);
  // Another of our account's devices has dismissed somebody: a certificate of that room, verified, shows a later epoch.
  void note_epoch(const crypto::Suite& suite, const crypto::Identity& identity, const crypto::Address& address,
                  std::uint32_t epoch, Wall now);
  // What is to be said to that keeper's device, or to another of ours; nothing where the account is none of this room's
  // keepers.
  std::optional<crypto::DeviceCertificate> certify(const crypto::Suite& suite, const crypto::Identity& identity,
                                                   const StoredRoom& room, const crypto::AccountKey& account,
                                                   const crypto::DeviceKey& device, Wall now) const;
  // What can be said of a certificate before its signature is looked at, which costs: as of accept().
  Status wants(const crypto::Identity& identity, const crypto::Address& address,
               const crypto::DeviceCertificate& certificate, bool invited) const;
  // We were certified. `invited`: we are in a conference of that room, called so; else only a later certificate of a
  // room that is known is taken. Fault::mismatch, refused, replayed (nothing new), full, or the certificate's own.
  Status accept(const crypto::Suite& suite, const crypto::Identity& identity, const crypto::Address& address,
                const crypto::DeviceCertificate& certificate, bool invited, Wall now);
  bool drop(const crypto::Address& address);

  // What changed since the last call, to be stored.
  std::vector<Change> take_changes() { return std::exchange(changes_, {}); }

 private:
  void save(const StoredRoom& room);

  std::map<crypto::Address, StoredRoom> rooms_;
  std::vector<Change> changes_;
};

}  // namespace linnet::node
