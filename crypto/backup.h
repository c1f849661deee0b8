// What `id backup` writes: the account, never a device. Whoever restores it is the same person on a new device.
//
// A locked file (crypto/passphrase.h) with the magic "linnet-backup-1\n". Inside: address, AK's seed, revocation epoch,
// time, and the people one knows as opaque bytes (node/people_file.h).
#pragma once

#include "crypto/identity.h"
#include "crypto/passphrase.h"

namespace linnet::crypto {

inline constexpr std::string_view kBackupMagic = "linnet-backup-1\n";
inline constexpr std::size_t kMaxBackup = std::size_t{4} << 20;

struct Backup {
  Address address;
  SigningPair account;
  std::uint32_t epoch = 0;
  Wall made{};
  Bytes people;
};

// The inside, in the clear: lock it at once, and wipe it.
Bytes write_backup(const Backup& backup);
// A key name must be the account's own (Fault::mismatch).
Result<Backup> read_backup(const Suite& suite, ByteView plain);

}  // namespace linnet::crypto
