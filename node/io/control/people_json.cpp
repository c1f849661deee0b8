#include "node/io/control/people_json.h"

#include <nlohmann/json.hpp>

#include "node/io/control/view_json.h"

namespace linnet::io {
namespace {

using Json = nlohmann::ordered_json;

Json text(std::string_view value) { return value.empty() ? Json(nullptr) : Json(value); }
Json when(const std::optional<Wall>& wall) { return wall ? Json(seconds(*wall)) : Json(nullptr); }

}  // namespace

Json contact_json(const node::Contact& c) {
  return Json{{"schema", kSchema},
              {"name", text(c.name)},
              {"address", c.address.text()},
              {"key_name", c.key_name.text()},
              {"fingerprint", crypto::fingerprint(c.key)},
              {"source", to_string(c.source)},
              {"since", seconds(c.since)},
              {"verified", when(c.verified)},
              {"blocked", c.blocked},
              {"last_seen", when(c.heard)}};
}

Json request_json(const node::Request& r) {
  return Json{{"schema", kSchema},
              {"address", r.address.text()},
              {"key_name", r.key_name.text()},
              {"fingerprint", crypto::fingerprint(r.key)},
              {"first", seconds(r.first)},
              {"last", seconds(r.last)},
              {"times", r.times}};
}

Json invitation_json(const node::StoredInvitation& i, Wall now) {
  const char* state = i.used_by ? "used" : i.expires < now ? "expired" : "open";
  return Json{{"schema", kSchema},
              {"id", to_hex(i.id).substr(0, 8)},
              {"state", state},
              {"made", seconds(i.made)},
              {"expires", seconds(i.expires)},
              {"used_by", i.used_by ? Json(crypto::fingerprint(*i.used_by)) : Json(nullptr)}};
}

Json reply_json(const node::Reply& r) {
  return Json{{"schema", kSchema},
              {"text", text(r.text)},
              {"contact", r.contact ? contact_json(*r.contact) : Json(nullptr)},
              {"code", text(r.code)},
              {"id", text(r.id)},
              {"expires", r.code.empty() ? Json(nullptr) : Json(seconds(r.expires))},
              {"safety_number", text(r.safety_number)},
              {"key_name", text(r.key_name)},
              {"fingerprint", text(r.fingerprint)},
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
