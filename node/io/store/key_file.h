// identity.key: who this node is. Written once, 0600; a corrupt one is refused and nobody writes over it. With a
// passphrase it is locked (crypto/passphrase.h), and its key is kept in memory so that the certificate can be renewed.
#pragma once

#include <filesystem>
#include <functional>

#include "base/rng.h"
#include "crypto/backup.h"
#include "crypto/identity.h"
#include "node/io/trouble.h"

namespace linnet::io {

// Asked only when a file is locked. Trouble: there is nobody to ask.
using AskPassphrase = std::function<Outcome<std::string>()>;

class KeyFile {
 public:
  KeyFile() = default;
  explicit KeyFile(std::filesystem::path path) : path_(std::move(path)) {}

  // Nothing when there is none yet. Trouble: open to others, corrupt, unreadable, locked with another passphrase.
  static Outcome<std::optional<std::pair<KeyFile, crypto::Identity>>> load(const std::filesystem::path& path,
                                                                           const AskPassphrase& ask);
  // Refuses when the file exists. An empty passphrase leaves it unlocked.
  static Outcome<KeyFile> create(const std::filesystem::path& path, Rng& rng, const crypto::Identity& identity,
                                 std::string_view passphrase);

  // The same identity with a certificate that was made anew; locked as it was.
  Done save(Rng& rng, const crypto::Identity& identity) const;
  bool locked() const { return lock_.has_value(); }
  const std::filesystem::path& path() const { return path_; }

 private:
  Done write(Rng& rng, const crypto::Identity& identity, bool replace) const;

  std::filesystem::path path_;
  std::optional<crypto::PassphraseKey> lock_;
};

// False also when there is none.
bool key_file_locked(const std::filesystem::path& path);

// A locked one is trouble that says what to do.
Outcome<std::optional<crypto::Identity>> load_identity_file(const std::filesystem::path& path);

// Makes keys and writes them. An empty address becomes `user` at the key name. Refuses when the file exists.
Outcome<crypto::Identity> create_identity_file(const std::filesystem::path& path, Rng& rng,
                                               const crypto::Address& address, const std::string& user, Wall now,
                                               std::string_view passphrase = {});

// Backups: always locked.
Done write_backup_file(const std::filesystem::path& path, Rng& rng, const crypto::Backup& backup,
                       std::string_view passphrase);
Outcome<crypto::Backup> read_backup_file(const std::filesystem::path& path, std::string_view passphrase);

}  // namespace linnet::io
