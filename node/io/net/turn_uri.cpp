#include "node/io/net/turn_uri.h"

#include <algorithm>
#include <charconv>

namespace linnet::io {
namespace {

constexpr std::uint16_t kTurnPort = 3478;
constexpr std::uint16_t kTurnTlsPort = 5349;
constexpr std::size_t kLongestHost = 253;

bool is_host_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
}

bool sound_host(std::string_view host) {
  if (host.find(':') != std::string_view::npos) return IpAddress::parse(host).has_value();
  return !host.empty() && host.size() <= kLongestHost && std::all_of(host.begin(), host.end(), is_host_letter);
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

}  // namespace

std::optional<TurnUri> TurnUri::parse(std::string_view text) {
  TurnUri out;
  const bool tls = take_prefix(text, "turns:");
  if (!tls && !take_prefix(text, "turn:")) return std::nullopt;
  const auto query = text.find('?');
  const auto option = query == std::string_view::npos ? std::string_view() : text.substr(query);
  text = text.substr(0, query);
  if (option == "?transport=tcp") {
    out.transport = tls ? Transport::tls : Transport::tcp;
  } else if (option.empty()) {
    out.transport = tls ? Transport::tls : Transport::udp;
  } else if (option == "?transport=udp" && !tls) {
    out.transport = Transport::udp;
  } else {
    return std::nullopt;
  }
  const bool brackets = take_prefix(text, "[");
  const auto end = brackets ? text.find(']') : text.find(':');
  if (brackets && end == std::string_view::npos) return std::nullopt;
  out.host = text.substr(0, end);
  if (brackets != (out.host.find(':') != std::string::npos) || !sound_host(out.host)) return std::nullopt;
  auto rest = end == std::string_view::npos ? std::string_view() : text.substr(end + (brackets ? 1 : 0));
  out.port = tls ? kTurnTlsPort : kTurnPort;
  if (rest.empty()) return out;
  if (!take_prefix(rest, ":")) return std::nullopt;
  const auto [stop, failed] = std::from_chars(rest.data(), rest.data() + rest.size(), out.port);
  if (failed != std::errc() || stop != rest.data() + rest.size() || out.port == 0) return std::nullopt;
  return out;
}

std::string TurnUri::place() const {
  const bool brackets = host.find(':') != std::string::npos;
  return (brackets ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

}  // namespace linnet::io
