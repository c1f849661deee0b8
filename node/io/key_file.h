// identity.key: who this node is. Written once, 0600; a corrupt one is refused and nobody writes over it.
#pragma once

#include <filesystem>

#include "base/rng.h"
#include "crypto/identity.h"
#include "node/io/trouble.h"

namespace linnet::io {

// Nothing when there is none yet. Trouble: open to others, corrupt, unreadable.
Outcome<std::optional<crypto::Identity>> load_identity_file(const std::filesystem::path& path);

// Makes keys and writes them. An empty address becomes `user` at the key name. Refuses when the file exists.
Outcome<crypto::Identity> create_identity_file(const std::filesystem::path& path, Rng& rng,
                                               const crypto::Address& address, const std::string& user, Wall now);

// The same identity with a certificate the node renewed by itself.
Done save_identity_file(const std::filesystem::path& path, const crypto::Identity& identity);

// Replaces the file by the same identity with a fresh device certificate, when the old one nears its end.
Done renew_identity_file(const std::filesystem::path& path, crypto::Identity& identity, Wall now);

}  // namespace linnet::io
