#include "sip/via.h"

#include "sip/params.h"

namespace linnet::sip {

using namespace chars;

bool take_via(std::string_view& s, ViaView& out) {
  out = ViaView{};
  skip_lws(s);
  if (s.starts_with("SIP/2.0/")) {
    s.remove_prefix(8);
  } else {
    if (!iequal(take(s, kToken), "SIP") || !take_separator(s, '/')) return false;
    if (take(s, kToken) != "2.0" || !take_separator(s, '/')) return false;
  }
  skip_lws(s);
  out.transport = take(s, kToken);
  if (out.transport.empty() || s.empty() || !is(s.front(), kLws)) return false;
  skip_lws(s);
  out.host = take_host(s);
  if (out.host.empty()) return false;
  if (take_separator(s, ':') && !take_port(s, out.port)) return false;
  bool good = true;
  const bool ok = take_params(s, [&](std::string_view name, std::string_view value) {
    if (iequal(name, "branch")) {
      good = good && out.branch.empty() && is_token_value(value);
      out.branch = value;
    } else if (iequal(name, "received")) {
      out.received = value;
    }
  });
  return ok && good && (s.empty() || s.front() == ',');
}

Result<CSeq> parse_cseq(std::string_view s) {
  const auto value = number(take(s, kDigit), 0x7fffffffu);
  if (!value) return fail(Fault::malformed);
  if (s.empty() || !is(s.front(), kLws)) return fail(Fault::malformed);
  CSeq out;
  out.number = static_cast<std::uint32_t>(*value);
  out.method_text = trim(s);
  if (!is_token(out.method_text)) return fail(Fault::malformed);
  out.method = method_of(out.method_text);
  return out;
}

}  // namespace linnet::sip
