// Replaces (RFC 3891) and Join (RFC 3911): one dialog names another.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace linnet::sip {

// A dialog as one of its ends has it; what Replaces and Join hold is as the end has it that is sent them.
struct DialogName {
  std::string call_id;
  std::string local_tag;
  std::string remote_tag;
  // The same dialog as the other end has it.
  DialogName far() const { return {call_id, remote_tag, local_tag}; }
  bool operator==(const DialogName&) const = default;
};

struct ReplacesValue {
  std::string_view call_id;
  std::string_view to_tag;    // local where it is received
  std::string_view from_tag;  // remote there
  bool early_only = false;
};
// callid *( SEMI param ) with to-tag and from-tag once each. "0" is the tag of a peer of RFC 2543, which had none.
std::optional<ReplacesValue> parse_replaces(std::string_view value);
// False: a part of the name cannot stand there.
bool is_dialog_name(const DialogName& name);
std::string replaces_value(const DialogName& name, bool early_only);

}  // namespace linnet::sip
