#include "sip/refer_to.h"

#include "sip/chars.h"
#include "sip/name_addr.h"

namespace linnet::sip {
namespace {

// Takes what stands before the next `by`, and that.
std::string_view take_part(std::string_view& s, char by) {
  const auto end = std::min(s.find(by), s.size());
  const auto out = s.substr(0, end);
  s.remove_prefix(std::min(end + 1, s.size()));
  return out;
}

std::string unescaped(std::string_view s) {
  std::string out;
  for (std::size_t i = 0; i < s.size(); ++i) {
    if (s[i] == '%' && i + 2 < s.size() && chars::hex(s[i + 1]) >= 0 && chars::hex(s[i + 2]) >= 0) {
      out.push_back(static_cast<char>(chars::hex(s[i + 1]) * 16 + chars::hex(s[i + 2])));
      i += 2;
    } else {
      out.push_back(s[i]);
    }
  }
  return out;
}

std::string escaped_header(std::string_view s) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (char c : s) {
    if (chars::is(c, chars::kUriHeader) && c != '=' && c != '&') {
      out.push_back(c);
    } else {
      const auto b = static_cast<std::uint8_t>(c);
      out.append({'%', kDigits[b >> 4], kDigits[b & 15]});
    }
  }
  return out;
}

// Takes "method" out of the parameters of a URI.
std::string take_method(std::string& params) {
  std::string method;
  std::string others;
  for (std::string_view rest = params; !rest.empty();) {
    const auto param = take_part(rest, ';');
    const auto name = param.substr(0, param.find('='));
    if (chars::iequal(name, "method") && name.size() < param.size())
      method = unescaped(param.substr(name.size() + 1));
    else
      others.append(others.empty() ? "" : ";").append(param);
  }
  params = std::move(others);
  return method;
}

}  // namespace

Result<ReferTo> parse_refer_to(std::string_view value) {
  const auto parsed = parse_name_addr(value);
  if (!parsed) return fail(Fault::malformed);
  if (!parsed->uri.is_sip()) return fail(Fault::unsupported);
  ReferTo out;
  out.who = Uri::from(parsed->uri);
  if (auto method = take_method(out.who.params); !method.empty()) out.method = std::move(method);
  if (!chars::is_token(out.method)) return fail(Fault::malformed);
  for (auto rest = parsed->uri.headers; !rest.empty();) {
    auto header = take_part(rest, '&');
    if (!chars::iequal(take_part(header, '='), "Replaces")) continue;
    const auto text = unescaped(header);
    const auto named = parse_replaces(text);
    if (!named || out.replaces) return fail(Fault::malformed);
    out.replaces = DialogName{std::string(named->call_id), std::string(named->to_tag), std::string(named->from_tag)};
  }
  return out;
}

std::string refer_to_value(const ReferTo& refer_to) {
  auto uri = refer_to.who;
  if (refer_to.method != "INVITE")
    uri.params.append(uri.params.empty() ? "" : ";").append("method=").append(refer_to.method);
  auto text = uri.to_string();
  if (refer_to.replaces) text.append("?Replaces=").append(escaped_header(replaces_value(*refer_to.replaces, false)));
  return name_addr({}, text);
}

}  // namespace linnet::sip
