// What is known of the network, as JSON: `status`, `netcheck`, `ping` and `doctor`. As in view_json.h an unknown value
// is null and no key is left out.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "node/examination.h"
#include "node/node.h"

namespace linnet::io {

// `.nat`: the short name, null when not known; `.nat_v4`, `.nat_v6`: in the words of RFC 4787, null where nobody was
// asked; `.relays`: the supernodes in use.
nlohmann::ordered_json nat_json(node::NatType type);
nlohmann::ordered_json family_json(const std::optional<nat::ProbeReport>& report);
nlohmann::ordered_json relays_json(const node::NodeStatus& status);
// `.mapped`: ports that routers opened.
// How long the NAT keeps a mapping that nothing refreshes: null where there is none, or nothing is known yet.
nlohmann::ordered_json binding_json(const node::NodeStatus& status);
nlohmann::ordered_json mapped_json(const node::NodeStatus& status);

nlohmann::ordered_json netcheck_json(const node::NodeStatus& status, const node::Probed& found);
nlohmann::ordered_json answer_json(const node::Examination& found, const node::Answer& answer);
// call --explain: "steps" in milliseconds since the command, "candidates" and "circuits" with their results.
nlohmann::ordered_json explain_json(const node::CallSummary& summary);
nlohmann::ordered_json examination_json(const node::Examination& found);

}  // namespace linnet::io
