#include "base/endpoint.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <vector>

namespace linnet {
namespace {

constexpr ByteArray<12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

template <class N>
std::optional<N> number(std::string_view text, int base, std::size_t max_digits) {
  N out{};
  if (text.empty() || text.size() > max_digits) return std::nullopt;
  auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), out, base);
  if (ec != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return out;
}

std::optional<IpAddress> parse_v4(std::string_view text) {
  ByteArray<4> b{};
  for (int i = 0; i < 4; ++i) {
    const auto dot = text.find('.');
    if ((i < 3) != (dot != std::string_view::npos)) return std::nullopt;
    const auto part = text.substr(0, dot);
    const auto n = number<std::uint8_t>(part, 10, 3);
    // A leading zero reads as octal elsewhere: refuse it, so nobody can mean two things.
    if (!n || (part.size() > 1 && part[0] == '0')) return std::nullopt;
    b[static_cast<std::size_t>(i)] = *n;
    if (i < 3) text.remove_prefix(dot + 1);
  }
  return IpAddress::v4(b[0], b[1], b[2], b[3]);
}

// One side of "::" as 16-bit groups; the last group may be a dotted IPv4 address.
bool parse_groups(std::string_view text, bool last_side, std::vector<std::uint16_t>& out) {
  while (!text.empty()) {
    const auto colon = text.find(':');
    const auto part = text.substr(0, colon);
    if (part.find('.') != std::string_view::npos) {
      const auto v4 = parse_v4(part);
      if (!v4 || colon != std::string_view::npos || !last_side) return false;
      out.push_back(static_cast<std::uint16_t>(v4->bytes[12] << 8 | v4->bytes[13]));
      out.push_back(static_cast<std::uint16_t>(v4->bytes[14] << 8 | v4->bytes[15]));
      return out.size() <= 8;
    }
    const auto group = number<std::uint16_t>(part, 16, 4);
    if (!group || out.size() >= 8) return false;
    out.push_back(*group);
    if (colon == std::string_view::npos) return true;
    text.remove_prefix(colon + 1);
    if (text.empty()) return false;  // a trailing single colon
  }
  return true;
}

std::optional<ByteArray<16>> parse_v6(std::string_view text) {
  std::vector<std::uint16_t> head;
  std::vector<std::uint16_t> tail;
  const auto gap = text.find("::");
  if (gap == std::string_view::npos) {
    if (!parse_groups(text, true, head) || head.size() != 8) return std::nullopt;
  } else {
    if (!parse_groups(text.substr(0, gap), false, head)) return std::nullopt;
    if (!parse_groups(text.substr(gap + 2), true, tail)) return std::nullopt;
    if (head.size() + tail.size() > 7) return std::nullopt;
  }
  ByteArray<16> out{};
  const auto put = [&out](std::size_t at, std::uint16_t v) {
    out[2 * at] = static_cast<std::uint8_t>(v >> 8);
    out[2 * at + 1] = static_cast<std::uint8_t>(v);
  };
  for (std::size_t i = 0; i < head.size(); ++i) put(i, head[i]);
  for (std::size_t i = 0; i < tail.size(); ++i) put(8 - tail.size() + i, tail[i]);
  return out;
}

std::string v6_text(const ByteArray<16>& b) {
  std::uint16_t g[8];
  for (std::size_t i = 0; i < 8; ++i) g[i] = static_cast<std::uint16_t>(b[2 * i] << 8 | b[2 * i + 1]);
  int best = -1;
  int best_len = 1;  // RFC 5952: "::" stands for at least two groups
  for (int i = 0; i < 8;) {
    int j = i;
    while (j < 8 && g[j] == 0) ++j;
    if (j - i > best_len) {
      best = i;
      best_len = j - i;
    }
    i = j > i ? j : i + 1;
  }
  std::string out;
  char part[8];
  for (int i = 0; i < 8; ++i) {
    if (i == best) {
      out += "::";
      i += best_len - 1;
      continue;
    }
    if (!out.empty() && out.back() != ':') out += ':';
    std::snprintf(part, sizeof part, "%x", static_cast<unsigned>(g[i]));
    out += part;
  }
  return out;
}

}  // namespace

std::string_view to_string(Transport transport) {
  switch (transport) {
    case Transport::udp: return "udp";
    case Transport::tcp: return "tcp";
    case Transport::tls: return "tls";
  }
  return "?";
}

IpAddress IpAddress::v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) {
  IpAddress ip;
  std::copy(kMapped.begin(), kMapped.end(), ip.bytes.begin());
  ip.bytes[12] = a;
  ip.bytes[13] = b;
  ip.bytes[14] = c;
  ip.bytes[15] = d;
  return ip;
}

IpAddress IpAddress::v4(std::uint32_t h) {
  return v4(static_cast<std::uint8_t>(h >> 24), static_cast<std::uint8_t>(h >> 16), static_cast<std::uint8_t>(h >> 8),
            static_cast<std::uint8_t>(h));
}

IpAddress IpAddress::v6(const ByteArray<16>& bytes, std::uint32_t scope) {
  IpAddress ip;
  ip.bytes = bytes;
  ip.scope = ip.is_link_local() ? scope : 0;
  return ip;
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  std::uint32_t scope = 0;
  if (const auto percent = text.find('%'); percent != std::string_view::npos) {
    const auto n = number<std::uint32_t>(text.substr(percent + 1), 10, 9);
    if (!n) return std::nullopt;
    scope = *n;
    text = text.substr(0, percent);
  }
  if (text.find(':') == std::string_view::npos) {
    if (scope != 0) return std::nullopt;
    return parse_v4(text);
  }
  const auto bytes = parse_v6(text);
  if (!bytes) return std::nullopt;
  return v6(*bytes, scope);
}

bool IpAddress::is_unspecified() const {
  if (is_v4()) return bytes[12] == 0;  // 0.0.0.0/8, RFC 1122
  return std::all_of(bytes.begin(), bytes.end(), [](auto b) { return b == 0; });
}

bool IpAddress::is_loopback() const {
  if (is_v4()) return bytes[12] == 127;
  return bytes[15] == 1 && std::all_of(bytes.begin(), bytes.end() - 1, [](auto b) { return b == 0; });
}

bool IpAddress::is_link_local() const {
  if (is_v4()) return bytes[12] == 169 && bytes[13] == 254;
  return bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80;
}

bool IpAddress::is_private() const {
  if (!is_v4()) return (bytes[0] & 0xfe) == 0xfc;
  const auto a = bytes[12];
  const auto b = bytes[13];
  return a == 10 || (a == 172 && (b & 0xf0) == 16) || (a == 192 && b == 168) || (a == 100 && (b & 0xc0) == 64);
}

bool IpAddress::is_multicast() const {
  if (!is_v4()) return bytes[0] == 0xff;
  return (bytes[12] & 0xf0) == 0xe0 || (bytes[12] == 255 && bytes[13] == 255 && bytes[14] == 255 && bytes[15] == 255);
}

std::string IpAddress::to_string() const {
  if (is_v4()) {
    char out[16];
    std::snprintf(out, sizeof out, "%u.%u.%u.%u", bytes[12], bytes[13], bytes[14], bytes[15]);
    return out;
  }
  auto out = v6_text(bytes);
  if (scope != 0) out += "%" + std::to_string(scope);
  return out;
}

std::optional<Endpoint> Endpoint::parse(std::string_view text) {
  std::string_view host;
  std::string_view port;
  const bool bracketed = !text.empty() && text[0] == '[';
  if (bracketed) {
    const auto close = text.find("]:");
    if (close == std::string_view::npos) return std::nullopt;
    host = text.substr(1, close - 1);
    port = text.substr(close + 2);
  } else {
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos || text.find(':') != colon) return std::nullopt;
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
  }
  const auto ip = IpAddress::parse(host);
  const auto n = number<std::uint16_t>(port, 10, 5);
  if (!ip || !n || bracketed != (host.find(':') != std::string_view::npos)) return std::nullopt;
  return Endpoint{*ip, *n, Transport::udp};
}

std::string Endpoint::to_string() const {
  const auto host = ip.is_v4() ? ip.to_string() : "[" + ip.to_string() + "]";
  return host + ":" + std::to_string(port);
}

void write(Writer& out, const Endpoint& endpoint) {
  const bool v4 = endpoint.ip.is_v4();
  // It means nothing on another link, and would aim whoever reads it at a machine of his own.
  const auto ip = endpoint.ip.is_link_local() ? (v4 ? IpAddress::v4(0) : IpAddress{}) : endpoint.ip;
  out.u8(static_cast<std::uint8_t>(endpoint.transport)).u8(v4 ? 4 : 6);
  out.bytes(ByteView(ip.bytes).subspan(v4 ? 12 : 0)).u16(endpoint.port);
}

Result<Endpoint> read_endpoint(Reader& in) {
  Endpoint out;
  const auto transport = in.u8();
  const auto family = in.u8();
  if (!in.ok()) return fail(Fault::truncated);
  if (transport > 2 || (family != 4 && family != 6)) return fail(Fault::malformed);
  out.transport = static_cast<Transport>(transport);
  if (family == 4) {
    out.ip = IpAddress::v4(in.u32());
  } else {
    out.ip = IpAddress::v6(in.array<16>());
    if (out.ip.is_v4()) return fail(Fault::malformed);  // one value, one spelling
  }
  out.port = in.u16();
  if (!in.ok()) return fail(Fault::truncated);
  if (out.ip.is_link_local()) return fail(Fault::malformed);
  return out;
}

}  // namespace linnet

std::size_t std::hash<linnet::IpAddress>::operator()(const linnet::IpAddress& ip) const noexcept {
  std::uint64_t a;
  std::uint64_t b;
  std::memcpy(&a, ip.bytes.data(), 8);
  std::memcpy(&b, ip.bytes.data() + 8, 8);
  a = (a ^ (b * 0x9e3779b97f4a7c15U) ^ ip.scope) * 0xbf58476d1ce4e5b9U;
  return static_cast<std::size_t>(a ^ (a >> 29));
}

std::size_t std::hash<linnet::Endpoint>::operator()(const linnet::Endpoint& e) const noexcept {
  const std::uint64_t port = static_cast<std::uint64_t>(e.socket) << 18 | static_cast<std::uint64_t>(e.port) << 2 |
                             static_cast<std::uint64_t>(e.transport);
  std::uint64_t a = std::hash<linnet::IpAddress>{}(e.ip) ^ (port * 0x94d049bb133111ebU);
  a ^= a >> 31;
  return static_cast<std::size_t>(a * 0x9e3779b97f4a7c15U);
}
