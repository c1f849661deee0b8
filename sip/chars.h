// Character classes of RFC 3261 section 25.1 in one table, and the small scanners every parser here shares.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

namespace linnet::sip::chars {

enum Class : std::uint16_t {
  kToken = 1,        // token
  kLws = 2,          // SP HTAB, and CR LF, which inside a header value can only be folding
  kUser = 4,         // unreserved / user-unreserved / password; escapes apart
  kHost = 8,         // hostname and IPv4address
  kIpv6 = 16,        // inside brackets
  kUriParam = 32,    // param-unreserved / unreserved, and '=' and ';'; escapes apart
  kUriHeader = 64,   // hnv-unreserved / unreserved, and '=' and '&'; escapes apart
  kWord = 128,       // word, the two halves of a Call-ID
  kBareUri = 256,    // what may stand in a URI without <> around it in a header field
  kParamHost = 512,  // token, and "[]:" of the IPv6 addresses that stand as parameter values
  kDigit = 1024,
  kHex = 2048,
  kSchemeTail = 4096,  // behind the first letter of a scheme
};

namespace detail {
constexpr void mark(std::array<std::uint16_t, 256>& table, std::string_view set, std::uint16_t cls) {
  for (char c : set) table[static_cast<std::uint8_t>(c)] |= cls;
}
constexpr std::array<std::uint16_t, 256> make_table() {
  std::array<std::uint16_t, 256> t{};
  constexpr std::string_view alnum = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  mark(t, alnum, kToken | kUser | kHost | kUriParam | kUriHeader | kWord | kParamHost | kSchemeTail);
  mark(t, "0123456789", kDigit);
  mark(t, "0123456789abcdefABCDEF", kHex | kIpv6);
  mark(t, ":.", kIpv6);
  mark(t, "-.!%*_+`'~", kToken | kParamHost);
  mark(t, "[]:", kParamHost);
  mark(t, " \t\r\n", kLws);
  mark(t, "-_.!~*'()&=+$,;?/:", kUser);
  mark(t, "-._", kHost);  // '_' is not in the grammar, and is in the field
  mark(t, "-+.", kSchemeTail);
  mark(t, "-_.!~*'()[]/:&+$=;", kUriParam);
  mark(t, "-_.!~*'()[]/?:+$=&", kUriHeader);
  mark(t, "-.!%*_+`'~()<>:\\\"/[]?{}", kWord);
  for (std::size_t c = 0x21; c < 0x7f; ++c)
    if (std::string_view(",;?<>\"").find(static_cast<char>(c)) == std::string_view::npos) t[c] |= kBareUri;
  return t;
}
}  // namespace detail

inline constexpr std::array<std::uint16_t, 256> kTable = detail::make_table();

inline bool is(char c, std::uint16_t cls) { return (kTable[static_cast<std::uint8_t>(c)] & cls) != 0; }
inline bool all(std::string_view s, std::uint16_t cls) {
  for (char c : s)
    if (!is(c, cls)) return false;
  return true;
}
inline bool is_token(std::string_view s) { return !s.empty() && all(s, kToken); }
inline bool is_digit(char c) { return c >= '0' && c <= '9'; }
inline char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
inline int hex(char c) {
  if (is_digit(c)) return c - '0';
  c = lower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

inline bool iequal(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (lower(a[i]) != lower(b[i])) return false;
  return true;
}

// The same against a literal, which mostly is met as it is written.
template <std::size_t N>
bool iequal(std::string_view a, const char (&literal)[N]) {
  if (a.size() != N - 1) return false;
  return std::memcmp(a.data(), literal, N - 1) == 0 || iequal(a, std::string_view(literal, N - 1));
}

inline std::string_view trim(std::string_view s) {
  while (!s.empty() && is(s.front(), kLws)) s.remove_prefix(1);
  while (!s.empty() && is(s.back(), kLws)) s.remove_suffix(1);
  return s;
}
inline void skip_lws(std::string_view& s) {
  while (!s.empty() && is(s.front(), kLws)) s.remove_prefix(1);
}
// Takes the longest run of a class off the front.
inline std::string_view take(std::string_view& s, std::uint16_t cls) {
  std::size_t n = 0;
  while (n < s.size() && is(s[n], cls)) ++n;
  auto out = s.substr(0, n);
  s.remove_prefix(n);
  return out;
}
// Takes one character with optional white space around it.
inline bool take_separator(std::string_view& s, char c) {
  skip_lws(s);
  if (s.empty() || s.front() != c) return false;
  s.remove_prefix(1);
  skip_lws(s);
  return true;
}
// Takes a quoted string, and gives its inside with escapes; empty optional if there is none or it does not end.
inline std::optional<std::string_view> take_quoted(std::string_view& s) {
  if (s.empty() || s.front() != '"') return std::nullopt;
  for (std::size_t i = 1; i < s.size(); ++i) {
    if (s[i] == '\\') {
      ++i;  // quoted-pair: whatever follows is not the end
    } else if (s[i] == '"') {
      auto out = s.substr(1, i - 1);
      s.remove_prefix(i + 1);
      return out;
    }
  }
  return std::nullopt;
}
// Decimal, leading zeros allowed, at most `max`; the whole of `s`.
inline std::optional<std::uint64_t> number(std::string_view s, std::uint64_t max) {
  if (s.empty()) return std::nullopt;
  std::uint64_t v = 0;
  for (char c : s) {
    if (!is_digit(c)) return std::nullopt;
    const auto d = static_cast<std::uint64_t>(c - '0');
    if (v > (max - d) / 10) return std::nullopt;
    v = v * 10 + d;
  }
  return v;
}
// Where the longest run of a class and of escapes ("%" and two hex digits) from the front of `s` ends.
inline std::size_t escaped_run(std::string_view s, std::uint16_t cls) {
  std::size_t n = 0;
  for (; n < s.size(); ++n) {
    if (is(s[n], cls)) continue;
    if (s[n] != '%' || s.size() - n < 3 || !is(s[n + 1], kHex) || !is(s[n + 2], kHex)) break;
    n += 2;
  }
  return n;
}
inline std::string_view take_escaped(std::string_view& s, std::uint16_t cls) {
  const auto out = s.substr(0, escaped_run(s, cls));
  s.remove_prefix(out.size());
  return out;
}
// A port, from behind its colon; false when there is none.
inline bool take_port(std::string_view& s, std::uint16_t& port) {
  const auto value = number(take(s, kDigit), 65535);
  if (!value || *value == 0) return false;
  port = static_cast<std::uint16_t>(*value);
  return true;
}

// Takes host, or an IPv6 reference with its brackets. Inside the brackets any mix of hex digits, ':' and '.' passes:
// RFC 5118 section 4.10 wants the ":::" of an old grammar tolerated, and nothing here connects to it.
inline std::string_view take_host(std::string_view& s) {
  if (!s.empty() && s.front() == '[') {
    const auto end = s.find(']');
    if (end == std::string_view::npos || end < 3 || !all(s.substr(1, end - 1), kIpv6)) return {};
    auto out = s.substr(0, end + 1);
    s.remove_prefix(end + 1);
    return out;
  }
  return take(s, kHost);
}

}  // namespace linnet::sip::chars
