#include "node/io/control/view_json.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "node/io/control/conference_json.h"
#include "node/io/control/network_json.h"
#include "node/io/control/relay_json.h"
#include "node/io/net/interfaces.h"

namespace linnet::io {
namespace {

using Ordered = nlohmann::ordered_json;

// Microseconds are as fine as anything here is measured.
double rounded(double value) { return std::round(value * 1000.0) / 1000.0; }

Ordered number(const std::optional<double>& value) {
  return value && std::isfinite(*value) ? Ordered(rounded(*value)) : Ordered(nullptr);
}
Ordered number(const std::optional<Duration>& value) {
  return value ? Ordered(rounded(millis(*value))) : Ordered(nullptr);
}
Ordered micros_of(const std::optional<Time>& value) {
  return value ? Ordered(value->time_since_epoch().count()) : Ordered(nullptr);
}
Ordered text_of(std::string_view value) { return value.empty() ? Ordered(nullptr) : Ordered(value); }

Ordered summary_object(const std::string& peer, const node::CallSummary& s) {
  Ordered changes = Ordered::array();
  for (const auto& change : s.path_changes)
    changes.push_back(Ordered{{"t_ms", rounded(millis(change.at))},
                              {"from", change.from},
                              {"to", change.to},
                              {"gap_ms", number(change.gap)}});
  return Ordered{{"schema", kSchema},
                 {"peer", peer},
                 {"result", to_string(s.result)},
                 {"ring_ms", number(s.ring_ms)},
                 {"setup_ms", number(s.setup_ms)},
                 {"first_voice_ms", number(s.first_voice_ms)},
                 {"path", to_string(s.path)},
                 {"via", place(s.via)},
                 {"codec", text_of(s.codec)},
                 {"seconds", rounded(s.seconds)},
                 {"packets_sent", s.packets_sent},
                 {"packets_received", s.packets_received},
                 {"loss_pct", number(s.loss_pct)},
                 {"jitter_ms", number(s.jitter_ms)},
                 {"rtt_ms", number(s.rtt_ms)},
                 {"mos", number(s.mos)},
                 {"max_gap_ms", number(s.max_gap_ms)},
                 {"play_start_us", micros_of(s.play_start)},
                 {"record_start_us", micros_of(s.record_start)},
                 {"path_changes", std::move(changes)},
                 {"protected", s.protected_once},
                 {"lookup_hops", s.lookup_hops ? Ordered(*s.lookup_hops) : Ordered(nullptr)},
                 {"conference", text_of(s.conference)}};
}

}  // namespace

std::string_view word(overlay::State state) {
  switch (state) {
    case overlay::State::starting: return "starting";
    case overlay::State::alone: return "alone";
    case overlay::State::online: return "online";
  }
  return "starting";
}

std::string line_of(const Ordered& json) { return json.dump(-1, ' ', false, Ordered::error_handler_t::replace); }

Ordered status_json(const node::NodeStatus& status, const std::vector<Endpoint>& listen, int pid) {
  Ordered addresses = Ordered::array();
  for (const auto& endpoint : listen) addresses.push_back(to_text(endpoint));
  Ordered supernodes = Ordered::array();
  for (const auto& supernode : status.supernodes)
    if (supernode.attached || status.role == overlay::Role::supernode)
      supernodes.push_back(to_text(supernode.endpoint));
  Ordered over_tcp = Ordered::array();
  for (const auto& supernode : status.supernodes)
    if (supernode.attached && supernode.way.transport != Transport::udp) over_tcp.push_back(to_text(supernode.way));
  Ordered calls = Ordered::array();
  for (const auto& call : status.calls)
    calls.push_back(Ordered{{"id", static_cast<std::uint64_t>(call.id)},
                            {"peer", call.peer.text()},
                            {"state", to_string(call.state)},
                            {"path", to_string(call.path)},
                            {"via", place(call.via)},
                            {"reason", text_of(call.reason)},
                            {"protected", call.protected_now},
                            {"digits", call.digits},
                            {"complexity", call.complexity ? Ordered(*call.complexity) : Ordered(nullptr)},
                            {"conference", conference_of_call_json(status.conferences, call)}});
  return Ordered{{"schema", kSchema},
                 {"pid", pid},
                 {"state", word(status.state)},
                 {"role", status.role == overlay::Role::supernode ? "supernode" : "leaf"},
                 {"uri", status.uri.text()},
                 {"key_name", status.key_name.text()},
                 {"listen", std::move(addresses)},
                 {"supernodes", std::move(supernodes)},
                 {"supernodes_tcp", std::move(over_tcp)},
                 {"udp_probes", status.udp_probes},
                 {"udp_answers", status.udp_answers},
                 {"clock_ahead_s", status.clock_ahead ? Ordered(status.clock_ahead->count()) : Ordered(nullptr)},
                 {"clock_supernodes", status.clock_voices},
                 {"relay", relayed_json(status.relay)},
                 {"calls", std::move(calls)},
                 {"nat", nat_json(status.nat)},
                 {"nat_v4", status.network ? family_json(status.network->v4) : Ordered(nullptr)},
                 {"nat_v6", status.network ? family_json(status.network->v6) : Ordered(nullptr)},
                 {"mapped", mapped_json(status)},
                 {"relays", relays_json(status)},
                 {"joined_ms", number(status.joined_in)},
                 {"binding", binding_json(status)},
                 {"keepalive_s", rounded(millis(status.keepalive) / 1000.0)},
                 {"why", text_of(status.why)},
                 {"place", status.place ? Ordered(to_text(*status.place)) : Ordered(nullptr)},
                 {"place_why", text_of(status.place_why)}};
}

Ordered summary_json(const node::CallSummary& summary) { return summary_object(summary.peer.text(), summary); }
std::string summary_line(const node::CallSummary& summary) { return line_of(summary_json(summary)); }

Ordered refused_json(const std::string& who, node::CallResult result) {
  node::CallSummary nothing;
  nothing.result = result;
  return summary_object(who, nothing);
}

Ordered place(const std::string& written) {
  if (written.empty()) return nullptr;
  const auto endpoint = Endpoint::parse(written);
  return endpoint ? to_text(*endpoint) : written;
}

std::string refused_line(const std::string& who, node::CallResult result) { return line_of(refused_json(who, result)); }

Ordered call_json(const node::CallView& call) {
  const auto talking = call.talking_for ? std::optional<double>(millis(*call.talking_for) / 1000.0) : std::nullopt;
  return Ordered{{"id", static_cast<std::uint64_t>(call.id)},
                 {"peer", call.peer.text()},
                 {"direction", call.direction == node::Direction::outgoing ? "outgoing" : "incoming"},
                 {"state", to_string(call.state)},
                 {"path", to_string(call.path)},
                 {"via", place(call.via)},
                 {"reason", text_of(call.reason)},
                 {"protected", call.protected_now},
                 {"verified", call.verified},
                 {"compared", call.compared},
                 {"note", text_of(call.note)},
                 {"muted", call.muted},
                 {"on_hold", call.on_hold},
                 {"held_by_peer", call.held_by_peer},
                 {"digits", call.digits},
                 {"seconds", number(talking)},
                 {"rtt_ms", number(call.rtt_ms)},
                 {"loss_pct", number(call.loss_pct)},
                 {"jitter_ms", number(call.jitter_ms)},
                 {"mos", number(call.mos)},
                 {"last_heard_ms", number(call.last_heard)},
                 {"mic_dbfs", number(call.mic_dbfs)},
                 {"heard_dbfs", number(call.heard_dbfs)},
                 {"codec", text_of(call.codec)},
                 {"complexity", call.complexity ? Ordered(*call.complexity) : Ordered(nullptr)}};
}

Ordered who_json(const node::event::WhoResult& result) {
  Ordered devices = Ordered::array();
  for (const auto& device : result.devices)
    devices.push_back(Ordered{{"key_name", device.key_name},
                              {"fingerprint", device.fingerprint},
                              {"expires_in_s", device.expires_in_s},
                              {"homes", device.homes}});
  return Ordered{{"schema", kSchema},
                 {"address", result.address.text()},
                 {"devices", std::move(devices)},
                 {"pinned", result.pinned},
                 {"identity_conflict", result.identity_conflict}};
}

Exit exit_of(node::CallResult result) {
  switch (result) {
    case node::CallResult::ended: return Exit::ok;
    case node::CallResult::declined:
    case node::CallResult::busy: return Exit::declined;
    case node::CallResult::no_answer:
    case node::CallResult::unreachable: return Exit::unreachable;
    case node::CallResult::not_found: return Exit::not_found;
    case node::CallResult::cancelled: return Exit::interrupted;
    case node::CallResult::identity: return Exit::identity;
    case node::CallResult::failed: return Exit::failed;
  }
  return Exit::failed;
}

node::CallResult result_of(node::Outcome outcome) {
  switch (outcome) {
    case node::Outcome::ok: return node::CallResult::ended;
    case node::Outcome::bad_address:
    case node::Outcome::not_found: return node::CallResult::not_found;
    case node::Outcome::identity: return node::CallResult::identity;
    case node::Outcome::unreachable: return node::CallResult::unreachable;
    case node::Outcome::no_such_call:
    case node::Outcome::busy:
    case node::Outcome::refused:
    case node::Outcome::shutting_down: return node::CallResult::failed;
  }
  return node::CallResult::failed;
}

Exit exit_of(node::Outcome outcome) {
  return outcome == node::Outcome::no_such_call ? Exit::not_found : exit_of(result_of(outcome));
}

}  // namespace linnet::io
