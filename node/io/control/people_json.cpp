#include "node/io/control/people_json.h"

#include <nlohmann/json.hpp>

#include "node/io/control/view_json.h"

namespace linnet::io {
namespace {

using Ordered = nlohmann::ordered_json;

Ordered text_or_null(std::string_view value) { return value.empty() ? Ordered(nullptr) : Ordered(value); }
Ordered when(const std::optional<Wall>& wall) { return wall ? Ordered(seconds(*wall)) : Ordered(nullptr); }

}  // namespace

Ordered contact_json(const node::Contact& c) {
  return Ordered{{"schema", kSchema},
                 {"name", text_or_null(c.name)},
                 {"address", c.address.text()},
                 {"key_name", c.key_name.text()},
                 {"fingerprint", crypto::fingerprint(c.key)},
                 {"source", to_string(c.source)},
                 {"since", seconds(c.since)},
                 {"verified", when(c.verified)},
                 {"blocked", c.blocked},
                 {"last_seen", when(c.heard)}};
}

Ordered request_json(const node::Request& r) {
  return Ordered{{"schema", kSchema},
                 {"address", r.address.text()},
                 {"key_name", r.key_name.text()},
                 {"fingerprint", crypto::fingerprint(r.key)},
                 {"first", seconds(r.first)},
                 {"last", seconds(r.last)},
                 {"times", r.times}};
}

Ordered invitation_json(const node::StoredInvitation& i, Wall now) {
  const char* state = i.used_by ? "used" : i.expires < now ? "expired" : "open";
  return Ordered{{"schema", kSchema},
                 {"id", to_hex(i.id).substr(0, 8)},
                 {"state", state},
                 {"made", seconds(i.made)},
                 {"expires", seconds(i.expires)},
                 {"used_by", i.used_by ? Ordered(crypto::fingerprint(*i.used_by)) : Ordered(nullptr)}};
}

Ordered reply_json(const node::Reply& r) {
  return Ordered{{"schema", kSchema},
                 {"text", text_or_null(r.text)},
                 {"contact", r.contact ? contact_json(*r.contact) : Ordered(nullptr)},
                 {"code", text_or_null(r.code)},
                 {"id", text_or_null(r.id)},
                 {"expires", r.code.empty() ? Ordered(nullptr) : Ordered(seconds(r.expires))},
                 {"safety_number", text_or_null(r.safety_number)},
                 {"key_name", text_or_null(r.key_name)},
                 {"fingerprint", text_or_null(r.fingerprint)},
                 {"waiting", r.waiting}};
}

Exit exit_of(node::Refusal refusal) {
  switch (refusal) {
    case node::Refusal::none: return Exit::ok;
    case node::Refusal::bad: return Exit::usage;
    case node::Refusal::not_found: return Exit::not_found;
    case node::Refusal::identity: return Exit::identity;
    case node::Refusal::unreachable: return Exit::unreachable;
    case node::Refusal::refused: return Exit::failed;
  }
  return Exit::failed;
}

}  // namespace linnet::io
