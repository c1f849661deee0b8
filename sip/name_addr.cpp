#include "sip/name_addr.h"

#include "sip/params.h"

namespace linnet::sip {
namespace {

using namespace chars;

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

// Takes `"quoted"` or the `n` characters of *(token LWS); either must be followed by '<'.
bool take_display(std::string_view& s, std::size_t n, std::string_view& display) {
  if (s.front() == '"') {
    const auto inside = take_quoted(s);
    if (!inside) return false;
    display = *inside;
    skip_lws(s);
    return !s.empty() && s.front() == '<';
  }
  display = trim(s.substr(0, n));
  s.remove_prefix(n);
  return s.front() == '<';
}

bool take_angle(std::string_view& s, std::string_view& uri_text) {
  const auto end = s.find('>');
  if (end == std::string_view::npos) return false;
  uri_text = s.substr(1, end - 1);
  s.remove_prefix(end + 1);
  return true;
}

}  // namespace

bool take_name_addr(std::string_view& s, NameAddrView& out) {
  out = NameAddrView{};
  skip_lws(s);
  if (s.empty()) return false;
  std::size_t n = 0;
  if (is(s.front(), kToken)) {  // a display name or the scheme of a bare URI: what follows the first run tells
    while (n < s.size() && is(s[n], kToken | kLws)) ++n;
    if (n == s.size()) return false;
  }
  if (s[n] == ':') {
    n = 0;
    while (n < s.size() && is(s[n], kBareUri)) ++n;
    out.uri_text = s.substr(0, n);
    s.remove_prefix(n);
  } else {
    if (!take_display(s, n, out.display) || !take_angle(s, out.uri_text)) return false;
    out.in_angles = true;
  }
  if (!parse_uri(out.uri_text, out.uri)) return false;
  bool good = true;
  const auto behind = s;
  const bool ok = take_params(s, [&](std::string_view name, std::string_view value) {
    if (!iequal(name, "tag")) return;
    good = good && out.tag.empty() && is_token_value(value);
    out.tag = value;
  });
  out.params = behind.substr(0, behind.size() - s.size());
  return ok && good && (s.empty() || s.front() == ',');
}

Result<NameAddrView> take_name_addr(std::string_view& s) {
  NameAddrView out;
  if (!take_name_addr(s, out)) return fail(Fault::malformed);
  return out;
}

Result<NameAddrView> parse_name_addr(std::string_view s) {
  auto out = take_name_addr(s);
  if (out && !s.empty()) return fail(Fault::malformed);
  return out;
}

std::string unquoted(std::string_view inside) {
  std::string out;
  for (std::size_t i = 0; i < inside.size(); ++i) {
    if (inside[i] == '\\' && i + 1 < inside.size()) ++i;
    out.push_back(is_control(inside[i]) ? (is(inside[i], kLws) ? ' ' : '?') : inside[i]);
  }
  return out;
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (is_control(c)) continue;
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  out.push_back('"');
  return out;
}

std::string name_addr(std::string_view display, std::string_view uri, std::string_view tag) {
  std::string out;
  if (!display.empty()) out.append(quoted(display)).append(" ");
  out.append("<").append(uri).append(">");
  if (!tag.empty()) out.append(";tag=").append(tag);
  return out;
}

}  // namespace linnet::sip
