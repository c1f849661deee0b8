#include "overlay/proxy.h"

#include <algorithm>
#include <charconv>

namespace linnet::overlay {
namespace {

constexpr std::size_t kMostText = 2048;
constexpr std::size_t kMostName = 253;    // RFC 1035, section 2.3.4
constexpr std::size_t kMostSecret = 255;  // RFC 1929: one byte says how long

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](char c) { return lower(c); });
  return out;
}

template <class N>
std::optional<N> number(std::string_view digits, N most) {
  N out{};
  const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
  if (digits.empty() || failed != std::errc() || end != digits.data() + digits.size() || out > most)
    return std::nullopt;
  return out;
}

std::optional<std::string> unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const auto byte = from_hex(text.substr(i + 1, 2));
    if (!byte || byte->size() != 1 || (*byte)[0] == 0) return std::nullopt;
    out += static_cast<char>((*byte)[0]);
    i += 2;
  }
  return out.size() <= kMostSecret ? std::optional(out) : std::nullopt;
}

bool is_name(std::string_view host) {
  return !host.empty() && host.size() <= kMostName && std::all_of(host.begin(), host.end(), [](char c) {
    return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  });
}

// "host", "host:1", "[::1]", "[::1]:1": the port is 0 when none is given.
bool split(std::string_view text, std::string& host, std::uint16_t& port) {
  const bool bracket = text.starts_with('[');
  const auto end = bracket ? text.find(']') : std::min(text.find(':'), text.size());
  if (end == std::string_view::npos) return false;
  host = lower(bracket ? text.substr(1, end - 1) : text.substr(0, end));
  const auto rest = text.substr(bracket ? end + 1 : end);
  port = 0;
  if (!rest.empty()) {
    const auto given = rest[0] == ':' ? number<std::uint16_t>(rest.substr(1), 65535) : std::nullopt;
    if (!given || *given == 0) return false;
    port = *given;
  }
  const auto ip = bracket ? IpAddress::parse(host) : std::nullopt;
  return bracket ? ip && !ip->is_v4() : is_name(host);
}

bool in_range(const IpAddress& ip, const IpAddress& range, unsigned bits) {
  if (ip.is_v4() != range.is_v4()) return false;
  if (ip.is_v4()) bits += 96;
  for (unsigned i = 0; i < bits; ++i) {
    if (((ip.bytes[i / 8] ^ range.bytes[i / 8]) & (0x80U >> i % 8)) != 0) return false;
  }
  return true;
}

}  // namespace

std::optional<Proxy> Proxy::parse(std::string_view text) {
  if (text.size() > kMostText) return std::nullopt;
  Proxy out;
  if (const auto at = text.find("://"); at != std::string_view::npos) {
    const auto scheme = lower(text.substr(0, at));
    if (scheme == "socks5" || scheme == "socks5h") {
      out.kind = ProxyKind::socks5;
    } else if (scheme != "http") {
      return std::nullopt;
    }
    text.remove_prefix(at + 3);
  }
  while (text.ends_with('/')) text.remove_suffix(1);
  if (const auto at = text.rfind('@'); at != std::string_view::npos) {
    const auto who = text.substr(0, at);
    const auto colon = who.find(':');
    const auto user = unescape(who.substr(0, colon));
    const auto password = unescape(colon == std::string_view::npos ? std::string_view() : who.substr(colon + 1));
    // A colon in the user would be read as the end of it (RFC 7617, section 2).
    if (!user || !password || user->empty() || user->find(':') != std::string::npos) return std::nullopt;
    out.user = *user;
    out.password = *password;
    text.remove_prefix(at + 1);
  }
  if (!split(text, out.host, out.port)) return std::nullopt;
  if (out.port == 0) out.port = out.kind == ProxyKind::http ? 80 : 1080;
  return out;
}

std::string Proxy::shown() const {
  const bool v6 = host.find(':') != std::string::npos;
  return (kind == ProxyKind::http ? "http://" : "socks5://") + (v6 ? "[" + host + "]" : host) + ":" +
         std::to_string(port);
}

NoProxy::NoProxy(std::string_view list) {
  constexpr std::string_view kBetween = ", \t";
  while (!list.empty() && entries_.size() < kMost) {
    const auto end = std::min(list.find_first_of(kBetween), list.size());
    const auto item = list.substr(0, end);
    list.remove_prefix(std::min(end + 1, list.size()));
    if (item == "*") everybody_ = true;
    if (auto one = entry(item)) entries_.push_back(std::move(*one));
  }
}

std::optional<NoProxy::Entry> NoProxy::entry(std::string_view item) {
  if (item.size() > kMostText) return std::nullopt;
  Entry out;
  if (const auto slash = item.find('/'); slash != std::string_view::npos) {
    const auto ip = IpAddress::parse(item.substr(0, slash));
    const auto bits = ip ? number<unsigned>(item.substr(slash + 1), ip->is_v4() ? 32 : 128) : std::nullopt;
    if (!bits) return std::nullopt;
    out.range = *ip;
    out.bits = *bits;
    return out;
  }
  std::string host(item);
  if (!IpAddress::parse(item)) {
    if (item.starts_with('*')) item.remove_prefix(1);
    while (item.starts_with('.')) item.remove_prefix(1);
    if (!split(item, host, out.port)) return std::nullopt;
  }
  if (const auto ip = IpAddress::parse(host)) {
    out.range = *ip;
    out.bits = ip->is_v4() ? 32 : 128;
  } else {
    out.name = host;
  }
  return out;
}

bool NoProxy::covers(const ProxyTarget& target) const {
  if (everybody_ || (target.name.empty() && target.endpoint.ip.is_loopback())) return true;
  const auto name = lower(target.name);
  return std::any_of(entries_.begin(), entries_.end(), [&](const Entry& e) {
    if (e.port != 0 && e.port != target.endpoint.port) return false;
    if (e.name.empty()) return name.empty() && in_range(target.endpoint.ip, e.range, e.bits);
    return name == e.name || name.ends_with("." + e.name);
  });
}

}  // namespace linnet::overlay
