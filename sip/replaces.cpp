#include "sip/replaces.h"

#include "sip/grammar.h"
#include "sip/params.h"

namespace linnet::sip {

std::optional<ReplacesValue> parse_replaces(std::string_view value) {
  ReplacesValue out;
  const auto end = std::min(value.find(';'), value.size());
  out.call_id = chars::trim(value.substr(0, end));
  value.remove_prefix(end);
  bool good = is_call_id(out.call_id);
  const auto once = [&](std::string_view& tag, std::string_view v) {
    good = good && tag.empty() && is_token_value(v);
    tag = v;
  };
  const bool ok = take_params(value, [&](std::string_view name, std::string_view v) {
    if (chars::iequal(name, "to-tag")) once(out.to_tag, v);
    if (chars::iequal(name, "from-tag")) once(out.from_tag, v);
    if (chars::iequal(name, "early-only")) out.early_only = true;
  });
  if (!ok || !good || !value.empty() || out.to_tag.empty() || out.from_tag.empty()) return std::nullopt;
  return out;
}

bool is_dialog_name(const DialogName& name) {
  return is_call_id(name.call_id) && chars::is_token(name.local_tag) && chars::is_token(name.remote_tag) &&
         name.call_id.size() + name.local_tag.size() + name.remote_tag.size() <= 1024;
}

std::string replaces_value(const DialogName& name, bool early_only) {
  std::string out = name.call_id;
  out.append(";to-tag=").append(name.local_tag).append(";from-tag=").append(name.remote_tag);
  if (early_only) out.append(";early-only");
  return out;
}

}  // namespace linnet::sip
