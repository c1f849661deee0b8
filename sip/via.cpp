#include "sip/via.h"

#include "sip/params.h"

namespace linnet::sip {

using namespace chars;

Result<ViaView> take_via(std::string_view& s) {
  ViaView out;
  skip_lws(s);
  const auto protocol = take(s, kToken);
  if (!iequal(protocol, "SIP") || !take_separator(s, '/')) return fail(Fault::malformed);
  const auto version = take(s, kToken);
  if (version != "2.0" || !take_separator(s, '/')) return fail(Fault::malformed);
  out.transport = take(s, kToken);
  if (out.transport.empty() || s.empty() || !is(s.front(), kLws)) return fail(Fault::malformed);
  skip_lws(s);
  out.host = take_host(s);
  if (out.host.empty()) return fail(Fault::malformed);
  if (take_separator(s, ':')) {
    std::size_t n = 0;
    while (n < s.size() && is_digit(s[n])) ++n;
    const auto port = number(s.substr(0, n), 65535);
    if (!port || *port == 0) return fail(Fault::malformed);
    out.port = static_cast<std::uint16_t>(*port);
    s.remove_prefix(n);
  }
  const bool ok = take_params(s, [&](std::string_view name, std::string_view value) {
    if (iequal(name, "branch")) out.branch = value;
    if (iequal(name, "received")) out.received = value;
  });
  if (!ok || (!s.empty() && s.front() != ',')) return fail(Fault::malformed);
  return out;
}

Result<CSeq> parse_cseq(std::string_view s) {
  std::size_t n = 0;
  while (n < s.size() && is_digit(s[n])) ++n;
  const auto value = number(s.substr(0, n), 0x7fffffffu);
  if (!value) return fail(Fault::malformed);
  s.remove_prefix(n);
  if (s.empty() || !is(s.front(), kLws)) return fail(Fault::malformed);
  CSeq out;
  out.number = static_cast<std::uint32_t>(*value);
  out.method_text = trim(s);
  if (!is_token(out.method_text)) return fail(Fault::malformed);
  out.method = method_of(out.method_text);
  return out;
}

}  // namespace linnet::sip
