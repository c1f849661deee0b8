// The Reason header (RFC 3326).
#include "sip/chars.h"
#include "sip/params.h"
#include "sip/user_agent.h"

namespace linnet::sip {

std::string reason_value(std::string_view text) {
  if (text.empty()) return {};
  // 16: normal call clearing; SIP's own 200 is understood as "answered elsewhere" and stands for that alone.
  const std::string protocol = text == Core::kElsewhere ? "SIP;cause=200;text=" : "Q.850;cause=16;text=";
  return protocol + quoted(text);
}

ReasonHeader parse_reason(std::string_view value) {
  ReasonHeader out;
  while (!value.empty()) {
    chars::skip_lws(value);
    const auto protocol = chars::take(value, chars::kToken);
    const bool is_sip = chars::iequal(protocol, "SIP");
    const bool ok = take_params(value, [&](std::string_view name, std::string_view v) {
      if (is_sip && chars::iequal(name, "cause")) out.cause = static_cast<int>(chars::number(v, 699).value_or(0));
      if (out.text.empty() && chars::iequal(name, "text")) out.text = unquoted(v);
    });
    if (!ok || value.empty() || value.front() != ',') break;
    value.remove_prefix(1);
  }
  return out;
}

}  // namespace linnet::sip
