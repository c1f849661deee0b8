// What scripts read, as JSON. The keys and their presence are an interface (docs/config.md, "What scripts rely on"): a
// value that is not known is null, a key is never left out.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "node/io/trouble.h"
#include "node/node.h"

namespace linnet::io {

inline constexpr int kSchema = 1;

// One line, without its newline. What is no UTF-8 is replaced, never thrown at: names come from strangers.
std::string_view word(overlay::State state);  // "online"
std::string line_of(const nlohmann::ordered_json& json);

// Where a path leads: an endpoint as the core wrote it, with the interface's name instead of its number, or null.
nlohmann::ordered_json place(const std::string& endpoint);

// status --json, but for the sound (lines.h).
nlohmann::ordered_json status_json(const node::NodeStatus& status, const std::vector<Endpoint>& listen, int pid);
// call --json and log --json, last line.
nlohmann::ordered_json summary_json(const node::CallSummary& summary);
std::string summary_line(const node::CallSummary& summary);
// The same for a call that never came to be: everything but the result is unknown.
nlohmann::ordered_json refused_json(const std::string& who, node::CallResult result);
std::string refused_line(const std::string& who, node::CallResult result);
// A running call, for the live line. Between daemon and program only.
nlohmann::ordered_json call_json(const node::CallView& call);
// who --json.
nlohmann::ordered_json who_json(const node::event::WhoResult& result);

// How a call ended, as an exit code.
Exit exit_of(node::CallResult result);
// What a refused command means for the call it was to make.
node::CallResult result_of(node::Outcome outcome);
Exit exit_of(node::Outcome outcome);

}  // namespace linnet::io
