// People as JSON: contact ls, invite, accept and contact with --json. No key is ever left out.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "node/io/trouble.h"
#include "node/people.h"

namespace linnet::io {

nlohmann::ordered_json contact_json(const node::Contact& contact);
nlohmann::ordered_json request_json(const node::Request& request);
nlohmann::ordered_json invitation_json(const node::StoredInvitation& invitation, Wall now);
nlohmann::ordered_json reply_json(const node::Reply& reply);
Exit exit_of(node::Refusal refusal);

}  // namespace linnet::io
