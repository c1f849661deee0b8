#include "sip/uri.h"

#include "sip/chars.h"

namespace linnet::sip {
namespace {

using namespace chars;

// scheme = ALPHA *( ALPHA / DIGIT / "+" / "-" / "." )
bool is_scheme(std::string_view s) {
  return !s.empty() && is(s.front(), kSchemeTail) && lower(s.front()) >= 'a' && all(s, kSchemeTail);
}

// "host[:port][;params][?headers]", the end of the URI.
bool parse_hostport(std::string_view s, UriView& out) {
  out.host = take_host(s);
  if (out.host.empty()) return false;
  if (s.empty()) return true;
  if (s.front() == ':') {
    s.remove_prefix(1);
    if (!take_port(s, out.port)) return false;
  }
  if (!s.empty() && s.front() == ';') {
    s.remove_prefix(1);
    out.params = take_escaped(s, kUriParam);
    if (out.params.empty()) return false;
  }
  if (!s.empty() && s.front() == '?') {
    s.remove_prefix(1);
    out.headers = take_escaped(s, kUriHeader);
    if (out.headers.empty()) return false;
  }
  return s.empty();
}

// What follows a scheme that is neither sip nor sips: no white space, no delimiter of the field it stands in.
bool is_opaque(std::string_view s) {
  for (char c : s)
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7f || c == '<' || c == '>' || c == '"') return false;
  return !s.empty();
}

}  // namespace

bool parse_uri(std::string_view text, UriView& out) {
  out = UriView{};
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) return false;
  out.scheme = text.substr(0, colon);
  auto rest = text.substr(colon + 1);
  if (!iequal(out.scheme, "sip") && !iequal(out.scheme, "sips")) {
    out.opaque = rest;
    return is_scheme(out.scheme) && is_opaque(rest);
  }
  // '@' stands nowhere else unescaped, so the first one ends the user part, whatever ';' and '?' it holds.
  if (const auto at = rest.find('@'); at != std::string_view::npos) {
    out.userinfo = rest.substr(0, at);
    if (at == 0 || rest.front() == ':' || escaped_run(out.userinfo, kUser) != at) return false;
    rest.remove_prefix(at + 1);
  }
  return parse_hostport(rest, out);
}

Result<UriView> parse_uri(std::string_view text) {
  UriView out;
  if (!parse_uri(text, out)) return fail(Fault::malformed);
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
    if (is(c, kUser) && c != ':') {
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
