// ChaCha20-Poly1305 (RFC 8439) with its whole 96-bit nonce. Protocols use crypto::Suite, whose nonce is a counter.
#pragma once

#include "base/bytes.h"
#include "crypto/keys.h"

namespace linnet::crypto {

using AeadNonce = ByteArray<12>;

// Encrypts `text` in place and returns the tag.
ByteArray<16> aead_seal(const Secret& key, const AeadNonce& nonce, ByteView ad, MutableBytes text);
// Decrypts `text` in place. On false the tag is wrong and `text` is worthless.
bool aead_open(const Secret& key, const AeadNonce& nonce, ByteView ad, MutableBytes text, const ByteArray<16>& tag);

}  // namespace linnet::crypto
