#include "crypto/safety_number.h"

#include <algorithm>
#include <cstdio>

#include "crypto/suite.h"

namespace linnet::crypto {
namespace {

constexpr int kGroups = 12;

std::string groups_of(Hash256 number) {
  std::string out;
  for (int group = 0; group < kGroups; ++group) {
    std::uint32_t rest = 0;
    for (auto& byte : number.bytes) {
      const std::uint32_t v = rest << 8 | byte;
      byte = static_cast<std::uint8_t>(v / 100000);
      rest = v % 100000;
    }
    char digits[8];
    std::snprintf(digits, sizeof digits, "%05u", rest);
    if (group > 0) out += ' ';
    out += digits;
  }
  return out;
}

}  // namespace

Hash256 key_hash(const AccountKey& account) { return hash256({account}); }

std::string fingerprint(const Hash256& key) { return groups_of(key); }

std::string fingerprint(const AccountKey& account) { return fingerprint(key_hash(account)); }

std::string safety_number(const Hash256& one, const Hash256& other) {
  return groups_of(hash256({view("linnet-1 safety number"), std::min(one, other), std::max(one, other)}));
}

std::string safety_digits(std::string_view typed) {
  std::string out;
  for (const char c : typed) {
    if (c >= '0' && c <= '9') {
      out += c;
    } else if (c != ' ' && c != '-' && c != '\t' && c != '\n') {
      return {};
    }
  }
  return out.size() == kGroups * 5 ? out : std::string();
}

}  // namespace linnet::crypto
