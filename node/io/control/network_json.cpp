#include "node/io/control/network_json.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "node/io/control/view_json.h"
#include "node/io/net/interfaces.h"

namespace linnet::io {
namespace {

using Ordered = nlohmann::ordered_json;

Ordered ms(const std::optional<Duration>& value) {
  return value ? Ordered(std::round(millis(*value) * 1000.0) / 1000.0) : Ordered(nullptr);
}
Ordered word_or_null(std::string_view value) { return value.empty() ? Ordered(nullptr) : Ordered(value); }
Ordered dependence(nat::Dependence value) {
  return value == nat::Dependence::unknown ? Ordered(nullptr) : Ordered(node::to_string(value));
}

Ordered candidates(const std::vector<node::Examination::Candidate>& all) {
  Ordered out = Ordered::array();
  for (const auto& c : all) out.push_back(Ordered{{"endpoint", c.endpoint}, {"result", c.result}});
  return out;
}

Ordered device_json(const node::Examination::Device& d) {
  const auto& n = d.network;
  return Ordered{{"key_name", d.key_name},
                 {"record_age_s", d.age_s},
                 {"record_expires_in_s", d.expires_in_s},
                 {"homes", d.homes},
                 {"connect_ms", ms(d.connected)},
                 {"direct_ms", ms(d.direct)},
                 {"path", to_string(d.path)},
                 {"via", place(d.via)},
                 {"rtt_ms", ms(d.rtt)},
                 {"sent", d.rounds},
                 {"answered", d.answered},
                 {"failure", word_or_null(d.failure)},
                 {"shares_addresses", d.shares},
                 {"nat", n ? nat_json(n->type) : Ordered(nullptr)},
                 {"mapping", n ? dependence(n->mapping) : Ordered(nullptr)},
                 {"filtering", n ? dependence(n->filtering) : Ordered(nullptr)},
                 {"circuits", candidates(d.circuits)},
                 {"candidates", candidates(d.ours)},
                 {"their_candidates", candidates(d.theirs)}};
}

// "udp", "circuit via 192.0.2.1:4400".
Ordered by(const node::Answer& answer) {
  if (answer.path != node::PathWord::relayed || answer.via.empty()) return word_or_null(answer.by);
  return answer.by + " via " + place(answer.via).get<std::string>();
}

// Nothing of ours gets out by UDP or TCP, and something answers on the port of the web: a portal that wants to be
// clicked first, or a proxy. A hint, no proof.
Ordered captive(const node::Probed& found) {
  if (!found.tried_tcp || found.reach.empty()) return nullptr;
  const auto all = [&](auto holds) { return std::all_of(found.reach.begin(), found.reach.end(), holds); };
  const bool nothing = all([](const node::Reach& r) { return !r.udp && !r.tcp; });
  return nothing && !all([](const node::Reach& r) { return !r.tcp443; });
}

}  // namespace

Ordered nat_json(node::NatType type) {
  return type == node::NatType::unknown ? Ordered(nullptr) : Ordered(to_string(type));
}

Ordered family_json(const std::optional<nat::ProbeReport>& report) {
  if (!report) return nullptr;
  return Ordered{{"kind", nat_json(node::type_of(*report))},
                 {"udp", report->mapped.has_value()},
                 {"mapped", report->mapped ? Ordered(report->mapped->to_string()) : Ordered(nullptr)},
                 {"nat", report->mapped ? Ordered(report->nat) : Ordered(nullptr)},
                 {"mapping", dependence(report->mapping)},
                 {"filtering", dependence(report->filtering)},
                 {"hairpin", report->hairpin ? Ordered(*report->hairpin) : Ordered(nullptr)}};
}

Ordered relays_json(const node::NodeStatus& status) {
  Ordered out = Ordered::array();
  for (const auto& s : status.supernodes) {
    if (!s.attached && !s.rtt) continue;
    out.push_back(Ordered{{"endpoint", to_text(s.endpoint)},
                          {"reach", to_string(s.endpoint.transport)},
                          {"rtt_ms", ms(s.rtt)},
                          {"home", s.home},
                          {"anchor", s.anchor},
                          {"attached", s.attached},
                          {"sees_us_as", s.observed ? Ordered(s.observed->to_string()) : Ordered(nullptr)}});
  }
  return out;
}

Ordered binding_json(const node::NodeStatus& status) {
  if (!status.binding) return nullptr;
  const auto s = [](Duration d) { return std::round(millis(d)) / 1000.0; };
  const auto& b = *status.binding;
  return Ordered{{"alive_s", b.alive > Duration{} ? Ordered(s(b.alive)) : Ordered(nullptr)},
                 {"dead_s", b.dead ? Ordered(s(*b.dead)) : Ordered(nullptr)},
                 {"measured", b.finished}};
}

Ordered mapped_json(const node::NodeStatus& status) {
  Ordered out = Ordered::array();
  for (const auto& port : status.mapped)
    out.push_back(Ordered{{"protocol", nat::to_string(port.by)},
                          {"transport", to_string(port.external.transport)},
                          {"internal", to_text(port.internal)},
                          {"external", to_text(port.external)},
                          {"reached", port.reached ? Ordered(*port.reached) : Ordered(nullptr)},
                          {"why", port.reached == false ? Ordered(node::why_unproven(port)) : Ordered(nullptr)}});
  return out;
}

Ordered netcheck_json(const node::NodeStatus& status, const node::Probed& found) {
  Ordered relays = Ordered::array();
  bool udp = false;
  for (const auto& r : found.reach) {
    udp = udp || r.udp;
    relays.push_back(Ordered{{"endpoint", r.endpoint.to_string()},
                             {"udp_ms", ms(r.udp)},
                             {"tcp_ms", ms(r.tcp)},
                             {"tcp443_ms", ms(r.tcp443)},
                             {"tls_ms", ms(r.tls)}});
  }
  return Ordered{{"schema", kSchema},
                 {"nat", nat_json(status.nat)},
                 {"udp", found.reach.empty() ? Ordered(nullptr) : Ordered(udp)},
                 {"v4", family_json(found.v4)},
                 {"v6", family_json(found.v6)},
                 {"mapped", mapped_json(status)},
                 {"binding", binding_json(status)},
                 {"keepalive_s", std::round(millis(status.keepalive)) / 1000.0},
                 {"relays", std::move(relays)},
                 {"clock_ahead_s", status.clock_ahead ? Ordered(status.clock_ahead->count()) : Ordered(nullptr)},
                 {"clock_supernodes", status.clock_voices},
                 {"captive_portal", captive(found)},
                 {"took_ms", ms(found.took)}};
}

Ordered answer_json(const node::Examination& found, const node::Answer& answer) {
  const auto device = answer.device < found.devices.size() ? found.devices[answer.device].key_name : std::string();
  return Ordered{{"schema", kSchema},        {"device", device},
                 {"seq", answer.round},      {"path", answer.rtt ? Ordered(to_string(answer.path)) : Ordered(nullptr)},
                 {"via", place(answer.via)}, {"rtt_ms", ms(answer.rtt)},
                 {"by", by(answer)}};
}

Ordered explain_json(const node::CallSummary& s) {
  const auto number = [](const std::optional<double>& value) {
    return value ? Ordered(std::round(*value * 1000.0) / 1000.0) : Ordered(nullptr);
  };
  const auto list = [](const std::vector<node::CallExplain::Candidate>& all) {
    Ordered out = Ordered::array();
    for (const auto& c : all) out.push_back(Ordered{{"endpoint", c.endpoint}, {"result", c.result}});
    return out;
  };
  const auto& e = s.explain;
  return Ordered{{"node_age_ms", number(e.node_age_ms)},
                 {"steps", Ordered{{"detect_ms", number(e.detected_ms)},
                                   {"join_ms", number(e.joined_ms)},
                                   {"look_up_ms", number(e.found_ms)},
                                   {"connect_ms", number(e.linked_ms)},
                                   {"ring_ms", number(s.ring_ms)},
                                   {"answer_ms", number(s.setup_ms)},
                                   {"voice_ms", number(s.first_voice_ms)},
                                   {"direct_ms", number(e.direct_ms)}}},
                 {"nat", word_or_null(e.our_nat)},
                 {"their_nat", word_or_null(e.their_nat)},
                 {"reason", word_or_null(e.reason)},
                 {"circuits", list(e.circuits)},
                 {"candidates", list(e.candidates)},
                 {"their_candidates", e.theirs ? list(*e.theirs) : Ordered(nullptr)}};
}

Ordered examination_json(const node::Examination& found) {
  Ordered devices = Ordered::array();
  for (const auto& d : found.devices) devices.push_back(device_json(d));
  return Ordered{{"schema", kSchema},
                 {"peer", found.address.text()},
                 {"contact", found.contact},
                 {"lookup_ms", ms(found.looked_up)},
                 {"lookup_hops", found.looked_up ? Ordered(found.hops) : Ordered(nullptr)},
                 {"devices", std::move(devices)}};
}

}  // namespace linnet::io
