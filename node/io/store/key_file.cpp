#include "node/io/store/key_file.h"

#include "node/io/files.h"

namespace linnet::io {
namespace {

constexpr std::size_t kMaxKeyFile = 64 * 1024;
constexpr std::string_view kLockedMagic = "linnet-key-locked-1\n";

tl::unexpected<Trouble> damaged(const std::filesystem::path& path, Fault why) {
  return trouble("The key file " + path.string() + " is damaged (" + std::string(to_string(why)) +
                 "). It was left as it is.\n  Put a copy of it back, or move it away to start as somebody new.");
}

tl::unexpected<Trouble> not_unlocked(const std::filesystem::path& path, Fault why) {
  if (why == Fault::bad_key) return trouble("The passphrase does not open " + path.string() + ".", Exit::identity);
  if (why == Fault::full) return trouble("There is not enough memory to open " + path.string() + ".");
  return damaged(path, why);
}

Outcome<crypto::PassphraseKey> new_lock(Rng& rng, std::string_view passphrase) {
  auto key = crypto::PassphraseKey::make(passphrase, rng.array<16>(), {});
  if (key) return std::move(*key);
  if (key.error() == Fault::full) return trouble("There is not enough memory to make a key from the passphrase.");
  return trouble("A passphrase has 1 to 1024 bytes.", Exit::usage);
}

std::string kept(const std::filesystem::path& path) {
  return "There is an identity already: " + path.string() + ". It was left as it is.\n  See it: linnet id show";
}

}  // namespace

Outcome<std::optional<std::pair<KeyFile, crypto::Identity>>> KeyFile::load(const std::filesystem::path& path,
                                                                           const AskPassphrase& ask) {
  using KeyAndIdentity = std::optional<std::pair<KeyFile, crypto::Identity>>;
  if (auto checked = check_private_file(path); !checked) return tl::unexpected(checked.error());
  auto bytes = read_file(path, kMaxKeyFile);
  if (!bytes) return tl::unexpected(bytes.error());
  if (!*bytes) return KeyAndIdentity();
  KeyFile file(path);
  Bytes plain = std::move(**bytes);
  if (crypto::is_locked(kLockedMagic, plain)) {
    auto passphrase = ask();
    if (!passphrase) return tl::unexpected(passphrase.error());
    auto opened = crypto::unlock(kLockedMagic, plain, *passphrase);
    crypto::wipe({reinterpret_cast<std::uint8_t*>(passphrase->data()), passphrase->size()});
    if (!opened) return not_unlocked(path, opened.error());
    plain = std::move(opened->plain);
    file.lock_ = std::move(opened->key);
  }
  auto identity = crypto::load_identity(crypto::shipped_suite(), plain);
  crypto::wipe(plain);
  if (!identity) return damaged(path, identity.error());
  return KeyAndIdentity(std::in_place, std::move(file), std::move(*identity));
}

Done KeyFile::write(Rng& rng, const crypto::Identity& identity, bool replace) const {
  Bytes plain = crypto::save_identity(crypto::shipped_suite(), identity);
  Bytes bytes = lock_ ? lock_->lock(rng, kLockedMagic, plain) : plain;
  const auto written = write_file(path_, bytes, 0600, replace ? Replace::yes : Replace::no);
  crypto::wipe(plain);
  crypto::wipe(bytes);
  return written;
}

Outcome<KeyFile> KeyFile::create(const std::filesystem::path& path, Rng& rng, const crypto::Identity& identity,
                                 std::string_view passphrase) {
  if (file_exists(path)) return trouble(kept(path));
  KeyFile out(path);
  if (!passphrase.empty()) {
    auto lock = new_lock(rng, passphrase);
    if (!lock) return tl::unexpected(lock.error());
    out.lock_ = std::move(*lock);
  }
  if (const auto written = out.write(rng, identity, false); !written)
    return file_exists(path) ? trouble(kept(path)) : tl::unexpected(written.error());
  return out;
}

Done KeyFile::save(Rng& rng, const crypto::Identity& identity) const { return write(rng, identity, true); }

bool key_file_locked(const std::filesystem::path& path) {
  const auto bytes = read_file(path, kMaxKeyFile);
  return bytes && *bytes && crypto::is_locked(kLockedMagic, **bytes);
}

Outcome<std::optional<crypto::Identity>> load_identity_file(const std::filesystem::path& path) {
  auto loaded = KeyFile::load(path, [&]() -> Outcome<std::string> {
    return trouble("The key file " + path.string() + " is locked with a passphrase.", Exit::identity);
  });
  if (!loaded) return tl::unexpected(loaded.error());
  if (!*loaded) return std::optional<crypto::Identity>();
  return std::optional<crypto::Identity>(std::move((*loaded)->second));
}

Outcome<crypto::Identity> create_identity_file(const std::filesystem::path& path, Rng& rng,
                                               const crypto::Address& address, const std::string& user, Wall now,
                                               std::string_view passphrase) {
  if (file_exists(path)) return trouble(kept(path));
  auto identity = crypto::make_identity(crypto::shipped_suite(), rng, address, now);
  if (address.empty()) {
    const auto named = crypto::Address::key_name(user, identity.account_key());
    if (!named.empty()) identity.address = named;
  }
  const auto file = KeyFile::create(path, rng, identity, passphrase);
  if (!file) return tl::unexpected(file.error());
  return identity;
}

Done write_backup_file(const std::filesystem::path& path, Rng& rng, const crypto::Backup& backup,
                       std::string_view passphrase) {
  const auto lock = new_lock(rng, passphrase);
  if (!lock) return tl::unexpected(lock.error());
  Bytes plain = crypto::write_backup(backup);
  const auto bytes = lock->lock(rng, crypto::kBackupMagic, plain);
  crypto::wipe(plain);
  if (file_exists(path)) return trouble("There is a file already: " + path.string() + ". It was left as it is.");
  return write_file(path, bytes, 0600, Replace::no);
}

Outcome<crypto::Backup> read_backup_file(const std::filesystem::path& path, std::string_view passphrase) {
  auto bytes = read_file(path, crypto::kMaxBackup + 1024);
  if (!bytes) return tl::unexpected(bytes.error());
  if (!*bytes) return trouble("There is no file " + path.string() + ".", Exit::not_found);
  if (!crypto::is_locked(crypto::kBackupMagic, **bytes)) return trouble(path.string() + " is no backup of Linnet.");
  auto opened = crypto::unlock(crypto::kBackupMagic, **bytes, passphrase);
  if (!opened) {
    if (opened.error() == Fault::bad_key)
      return trouble("The passphrase does not open " + path.string() + ".", Exit::identity);
    return trouble("The backup " + path.string() + " is damaged (" + std::string(to_string(opened.error())) + ").");
  }
  auto backup = crypto::read_backup(crypto::shipped_suite(), opened->plain);
  crypto::wipe(opened->plain);
  if (!backup)
    return trouble("The backup " + path.string() + " is damaged (" + std::string(to_string(backup.error())) + ").");
  return std::move(*backup);
}

}  // namespace linnet::io
