// What scripts read, as lines of JSON. The keys and their presence are an interface (docs/config.md, "What scripts rely
// on"): a value that is not known is null, a key is never left out.
#pragma once

#include <string>

#include "node/io/trouble.h"
#include "node/node.h"

namespace linnet::io {

inline constexpr int kSchema = 1;

// status --json.
std::string status_json(const node::Status& status, const std::vector<Endpoint>& listen, int pid);
// call --json and log --json, last line.
std::string summary_json(const node::CallSummary& summary);
// The same for a call that never came to be: everything but the result is unknown.
std::string refused_json(const std::string& who, node::CallResult result);
// A running call, for the live line. Between daemon and program only.
std::string call_json(const node::CallView& call);
// who --json.
std::string who_json(const node::event::WhoResult& result);

// contact ls --json, a line each.
std::string contact_json(const node::Contact& contact);
std::string request_json(const node::Request& request);
std::string invitation_json(const node::StoredInvitation& invitation, Wall now);
// invite, accept and contact with --json. No key is ever left out.
std::string reply_json(const node::Reply& reply);
Exit exit_of(node::Refusal refusal);

// How a call ended, as an exit code.
Exit exit_of(node::CallResult result);
// What a refused command means for the call it was to make.
node::CallResult result_of(node::Outcome outcome);
Exit exit_of(node::Outcome outcome);

}  // namespace linnet::io
