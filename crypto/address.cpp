#include "crypto/address.h"

#include <algorithm>

#include "crypto/suite.h"
#include "crypto/text.h"

namespace linnet::crypto {
namespace {

bool is_alnum(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string lower(std::string_view in) {
  std::string out(in);
  for (auto& c : out) c = lower(c);
  return out;
}

// What RFC 3261 lets stand in a user part without an escape: unreserved and user-unreserved.
bool is_user_char(char c) {
  return is_alnum(c) || std::string_view("-_.!~*'()&=+$,;?/").find(c) != std::string_view::npos;
}

Result<std::string> unescape(std::string_view in) {
  std::string out;
  for (std::size_t i = 0; i < in.size(); ++i) {
    if (in[i] != '%') {
      out += in[i];
      continue;
    }
    const auto byte = from_hex(in.substr(i + 1, 2));
    if (!byte || byte->size() != 1) return fail(Fault::malformed);
    out += static_cast<char>((*byte)[0]);
    i += 2;
  }
  return out;
}

Result<std::string> user_part(std::string_view in) {
  const auto plain = unescape(in);
  if (!plain) return fail(plain.error());
  auto out = lower(*plain);
  if (out.empty()) return fail(Fault::malformed);
  if (out.size() > kMaxUserPart) return fail(Fault::too_big);
  const bool ascii_ok = std::all_of(out.begin(), out.end(), [](char c) { return (c & 0x80) != 0 || is_user_char(c); });
  if (!ascii_ok || !is_visible_utf8(out)) return fail(Fault::malformed);
  return out;
}

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
         std::all_of(label.begin(), label.end(), [](char c) { return is_alnum(c) || c == '-'; });
}

bool is_number(std::string_view label) {
  return std::all_of(label.begin(), label.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_host_name(std::string_view domain) {
  for (;;) {
    const auto dot = domain.find('.');
    const auto label = domain.substr(0, dot);
    if (!is_label(label)) return false;
    if (dot == std::string_view::npos) return !is_number(label);  // else an IP address, in one of its spellings
    domain.remove_prefix(dot + 1);
  }
}

std::optional<Hash256> hash_in(std::string_view domain) {
  if (domain.size() != 52 + kKeyNameSuffix.size() || !domain.ends_with(kKeyNameSuffix)) return std::nullopt;
  const auto bytes = from_base32(domain.substr(0, 52));
  if (!bytes || bytes->size() != 32) return std::nullopt;
  Hash256 out;
  std::copy(bytes->begin(), bytes->end(), out.bytes.begin());
  return out;
}

Result<std::string> domain_part(std::string_view in) {
  auto out = lower(in);
  if (out.ends_with('.')) out.pop_back();
  if (out.size() > kMaxDomain) return fail(Fault::too_big);
  if (!is_host_name(out)) return fail(Fault::malformed);
  const bool key_zone = out == kKeyNameSuffix.substr(1) || out.ends_with(kKeyNameSuffix);
  if (key_zone && !hash_in(out)) return fail(Fault::malformed);
  return out;
}

}  // namespace

Result<Address> Address::parse(std::string_view text) {
  constexpr std::size_t kMaxText = 4 + 3 * kMaxUserPart + 1 + kMaxDomain + 1;
  if (text.size() > kMaxText) return fail(Fault::too_big);
  if (lower(text.substr(0, 4)) == "sip:") text.remove_prefix(4);
  const auto at = text.find('@');
  if (at == std::string_view::npos) return fail(Fault::malformed);
  const auto user = user_part(text.substr(0, at));
  if (!user) return fail(user.error());
  const auto domain = domain_part(text.substr(at + 1));
  if (!domain) return fail(domain.error());
  Address out;
  out.text_ = *user + "@" + *domain;
  out.at_ = user->size();
  return out;
}

Address Address::key_name(std::string_view user, const AccountKey& account) {
  return key_name(user, hash256({account}));
}

Address Address::key_name(std::string_view user, const Hash256& key) {
  const auto domain = to_base32(key) + std::string(kKeyNameSuffix);
  return parse(std::string(user) + "@" + domain).value_or(Address());
}

std::optional<Hash256> Address::key_hash() const { return empty() ? std::nullopt : hash_in(domain()); }

bool Address::proves(const AccountKey& account) const { return key_hash() == hash256({account}); }

UserKey user_key(const Address& address) {
  return UserKey{hash256({view("linnet-1 user"), view(address.text())}).bytes};
}

NetworkId network_id(std::string_view name) { return NetworkId{hash256({view(name)}).bytes}; }

}  // namespace linnet::crypto
