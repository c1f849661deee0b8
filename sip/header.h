// Methods and header names (RFC 3261 section 20; RFC 3262, 3326, 3515, 3891, 3892, 3911, 4488, 6086, 6665).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace linnet::sip {

enum class Method : std::uint8_t {
  invite,
  ack,
  bye,
  cancel,
  options,
  register_,
  update,
  prack,
  info,
  refer,
  message,
  subscribe,
  notify,
  publish,
  unknown
};
Method method_of(std::string_view token);  // case counts
std::string_view to_string(Method method);

enum class HeaderId : std::uint8_t {
  other,  // a name not in this list
  accept,
  accept_encoding,
  accept_language,
  alert_info,
  allow,
  allow_events,
  authentication_info,
  authorization,
  call_id,
  call_info,
  contact,
  content_disposition,
  content_encoding,
  content_language,
  content_length,
  content_type,
  cseq,
  date,
  error_info,
  event,
  expires,
  from,
  in_reply_to,
  info_package,
  join,
  linnet_call_group,
  linnet_conference,
  max_forwards,
  mime_version,
  min_expires,
  organization,
  priority,
  proxy_authenticate,
  proxy_authorization,
  proxy_require,
  rack,
  reason,
  record_route,
  recv_info,
  refer_sub,
  refer_to,
  referred_by,
  replaces,
  reply_to,
  require,
  retry_after,
  route,
  rseq,
  server,
  subject,
  subscription_state,
  supported,
  timestamp,
  to,
  unsupported,
  user_agent,
  via,
  warning,
  www_authenticate,
  count_
};

// By full or compact name, without case.
HeaderId header_id(std::string_view name);
std::string_view header_name(HeaderId id);  // the full name; empty for `other`

struct HeaderLine {
  std::string name;
  std::string value;
  bool operator==(const HeaderLine&) const = default;
};

}  // namespace linnet::sip
