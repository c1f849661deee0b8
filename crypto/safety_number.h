// By what people compare keys with their own eyes and voices: 12 groups of 5 digits.
#pragma once

#include <string>

#include "crypto/keys.h"

namespace linnet::crypto {

// BLAKE2b-256(AK): what a key name carries, and what a person is known by.
Hash256 key_hash(const AccountKey& account);

// One key: the number BLAKE2b-256(AK) modulo 10^60, lowest group first.
std::string fingerprint(const Hash256& key);
std::string fingerprint(const AccountKey& account);

// Two people: the same for both of them and for no other pair. BLAKE2b-256("linnet-1 safety number" || the lower key
// hash || the higher one), written like a fingerprint.
std::string safety_number(const Hash256& one, const Hash256& other);

// The 60 digits alone, whatever stands between them; empty when it is not 60 digits.
std::string safety_digits(std::string_view typed);

}  // namespace linnet::crypto
