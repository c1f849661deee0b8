#include "sip/uri.h"

#include "sip/chars.h"

namespace linnet::sip {
namespace {

using namespace chars;

// scheme = ALPHA *( ALPHA / DIGIT / "+" / "-" / "." )
bool is_scheme(std::string_view s) {
  if (s.empty() || is_digit(s.front()) || !is(s.front(), kHost) || s.front() == '-') return false;
  for (char c : s)
    if (!(is(c, kHost) && c != '_') && c != '+') return false;
  return true;
}

// "host[:port][;params][?headers]", the end of the URI.
Status parse_hostport(std::string_view s, UriView& out) {
  out.host = take_host(s);
  if (out.host.empty()) return fail(Fault::malformed);
  if (!s.empty() && s.front() == ':') {
    s.remove_prefix(1);
    std::size_t n = 0;
    while (n < s.size() && is_digit(s[n])) ++n;
    const auto port = number(s.substr(0, n), 65535);
    if (!port || *port == 0) return fail(Fault::malformed);
    out.port = static_cast<std::uint16_t>(*port);
    s.remove_prefix(n);
  }
  if (!s.empty() && s.front() == ';') {
    s.remove_prefix(1);
    out.params = take(s, kUriParam);
    if (out.params.empty() || !escapes_ok(out.params)) return fail(Fault::malformed);
  }
  if (!s.empty() && s.front() == '?') {
    s.remove_prefix(1);
    out.headers = take(s, kUriHeader);
    if (out.headers.empty() || !escapes_ok(out.headers)) return fail(Fault::malformed);
  }
  if (!s.empty()) return fail(Fault::malformed);
  return {};
}

}  // namespace

Result<UriView> parse_uri(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) return fail(Fault::malformed);
  UriView out;
  out.scheme = text.substr(0, colon);
  auto rest = text.substr(colon + 1);
  if (!iequal(out.scheme, "sip") && !iequal(out.scheme, "sips")) {
    if (!is_scheme(out.scheme) || rest.empty()) return fail(Fault::malformed);
    for (char c : rest)
      if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7f || c == '<' || c == '>' || c == '"')
        return fail(Fault::malformed);
    out.opaque = rest;
    return out;
  }
  // '@' stands nowhere else unescaped, so the first one ends the user part, whatever ';' and '?' it holds.
  if (const auto at = rest.find('@'); at != std::string_view::npos) {
    out.userinfo = rest.substr(0, at);
    if (out.userinfo.empty() || out.userinfo.front() == ':' || !all(out.userinfo, kUser) || !escapes_ok(out.userinfo))
      return fail(Fault::malformed);
    rest.remove_prefix(at + 1);
  }
  if (auto ok = parse_hostport(rest, out); !ok) return fail(ok.error());
  return out;
}

std::string canonical_address(const UriView& uri) {
  std::string out;
  if (!uri.is_sip()) {
    out.append(uri.scheme).append(":").append(uri.opaque);
    return out;
  }
  const auto user = uri.user();
  for (std::size_t i = 0; i < user.size(); ++i) {
    if (user[i] == '%' && i + 2 < user.size() && (user[i + 1] != '0' || user[i + 2] != '0')) {
      out.push_back(lower(static_cast<char>(hex(user[i + 1]) * 16 + hex(user[i + 2]))));
      i += 2;
    } else {
      out.push_back(lower(user[i]));
    }
  }
  if (!user.empty()) out.push_back('@');
  for (char c : uri.host) out.push_back(lower(c));
  return out;
}

std::optional<Uri> Uri::parse(std::string_view text) {
  std::string with_scheme;
  auto view = parse_uri(text);
  if (text.substr(0, text.find('@')).find(':') == std::string_view::npos) {  // else it has a scheme of its own
    with_scheme.append("sip:").append(text);
    view = parse_uri(with_scheme);
  }
  if (!view || !view->is_sip()) return std::nullopt;
  return from(*view);
}

Uri Uri::from(const UriView& view) {
  Uri out;
  out.scheme = view.scheme;
  out.user = view.userinfo;
  out.host = view.is_sip() ? view.host : view.opaque;
  out.port = view.port;
  out.params = view.params;
  return out;
}

std::string Uri::to_string() const {
  std::string out = scheme + ":";
  if (!user.empty()) out.append(user).append("@");
  out.append(host);
  if (port != 0) out.append(":").append(std::to_string(port));
  if (!params.empty()) out.append(";").append(params);
  return out;
}

std::string Uri::address() const {
  const auto text = to_string();
  const auto view = parse_uri(text);
  return view ? canonical_address(*view) : std::string{};
}

std::string escape_user(std::string_view user) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (char c : user) {
    if (is(c, kUser) && c != '%' && c != ':') {
      out.push_back(c);
    } else {
      const auto b = static_cast<std::uint8_t>(c);
      out.push_back('%');
      out.push_back(kHex[b >> 4]);
      out.push_back(kHex[b & 15]);
    }
  }
  return out;
}

}  // namespace linnet::sip
