#include "node/io/key_file.h"

#include "node/io/files.h"

namespace linnet::io {
namespace {

constexpr std::size_t kMaxKeyFile = 64 * 1024;

}  // namespace

Outcome<std::optional<crypto::Identity>> load_identity_file(const std::filesystem::path& path) {
  if (auto checked = check_private_file(path); !checked) return tl::unexpected(checked.error());
  auto bytes = read_file(path, kMaxKeyFile);
  if (!bytes) return tl::unexpected(bytes.error());
  if (!*bytes) return std::optional<crypto::Identity>();
  auto identity = crypto::load_identity(crypto::shipped_suite(), **bytes);
  crypto::wipe(**bytes);
  if (!identity)
    return trouble("The key file " + path.string() + " is damaged (" + std::string(to_string(identity.error())) +
                   "). It was left as it is.\n  Put a copy of it back, or move it away to start as somebody new.");
  return std::optional<crypto::Identity>(std::move(*identity));
}

Outcome<crypto::Identity> create_identity_file(const std::filesystem::path& path, Rng& rng,
                                               const crypto::Address& address, const std::string& user, Wall now) {
  const std::string kept =
      "There is an identity already: " + path.string() + ". It was left as it is.\n  See it: linnet id show";
  if (file_exists(path)) return trouble(kept);
  auto identity = crypto::make_identity(crypto::shipped_suite(), rng, address, now);
  if (address.empty()) {
    const auto named = crypto::Address::key_name(user, identity.account_key());
    if (!named.empty()) identity.address = named;
  }
  Bytes bytes = crypto::save_identity(crypto::shipped_suite(), identity);
  const auto written = write_file(path, bytes, 0600, Replace::no);
  crypto::wipe(bytes);
  if (!written) return file_exists(path) ? trouble(kept) : tl::unexpected(written.error());
  return identity;
}

Done save_identity_file(const std::filesystem::path& path, const crypto::Identity& identity) {
  Bytes bytes = crypto::save_identity(crypto::shipped_suite(), identity);
  const auto written = write_file(path, bytes, 0600, Replace::yes);
  crypto::wipe(bytes);
  return written;
}

Done renew_identity_file(const std::filesystem::path& path, crypto::Identity& identity, Wall now) {
  if (!crypto::needs_renewal(identity.certificate, now)) return {};
  crypto::renew_certificate(crypto::shipped_suite(), identity, now);
  return save_identity_file(path, identity);
}

}  // namespace linnet::io
