#include "node/io/control/lines.h"

#include <nlohmann/json.hpp>

#include "node/io/control/conference_json.h"
#include "node/io/control/network_json.h"
#include "node/io/control/people_json.h"
#include "node/io/control/relay_json.h"
#include "node/io/control/sound_json.h"
#include "node/io/control/view_json.h"

namespace linnet::io::lines {
namespace {

using Ordered = nlohmann::ordered_json;

std::uint64_t number(node::CallId call) { return static_cast<std::uint64_t>(call); }

Ordered error_object(const Trouble& why) { return Ordered{{"error", why.text}, {"exit", static_cast<int>(why.exit)}}; }

// The object and one more key, whose value is JSON already: a stored row goes out as it was written.
std::string with_written(const Ordered& object, const char* key, const std::string& json) {
  std::string line = line_of(object);
  line.pop_back();
  return line + ",\"" + key + "\":" + json + "}";
}

const char* why_nobody(nat::Proof proof) {
  if (proof == nat::Proof::asking) return "supernodes are being asked to come in";
  if (proof == nat::Proof::nobody) return "no supernode is known that could come in";
  return "nobody came in";
}

// RFC 7065.
Ordered turn_uris(const std::vector<Endpoint>& served) {
  auto out = Ordered::array();
  for (const auto& at : served)
    out.push_back("turn:" + at.to_string() + (at.transport == Transport::udp ? "?transport=udp" : "?transport=tcp"));
  return out;
}

Ordered relayed_object(const nat::turn::RelayedAt& at) {
  return Ordered{{"at", at.bound.to_string()},
                 {"outside", at.outside ? Ordered(at.outside->to_string()) : Ordered(nullptr)},
                 {"why", at.outside ? Ordered(nullptr) : Ordered(why_nobody(at.proof))}};
}

Ordered turn_object(const nat::turn::Status& turn) {
  const auto& n = turn.counters;
  auto relayed = Ordered::array();
  for (const auto& at : turn.relayed) relayed.push_back(relayed_object(at));
  return Ordered{{"users", turn.users},
                 {"short_lived", turn.short_lived},
                 {"uris", turn_uris(turn.served)},
                 {"relayed", relayed},
                 {"allocations", turn.allocations},
                 {"streams", turn.streams},
                 {"to_peers", n.to_peers},
                 {"to_clients", n.to_clients},
                 {"bytes", n.bytes},
                 {"dropped", n.dropped},
                 {"refused_peers", n.refused_peers},
                 {"unauthenticated", n.unauthenticated},
                 {"limited", n.limited},
                 {"refused_allocations", n.refused_allocations},
                 {"over_month", n.over_month}};
}

Ordered turn_client_object(const TurnCarrierStatus& turn) {
  const auto& c = turn.client;
  Ordered relayed = Ordered::array();
  for (const auto& at : {c.given ? c.given->v4 : std::nullopt, c.given ? c.given->v6 : std::nullopt}) {
    if (at) relayed.push_back(at->to_string());
  }
  const bool mapped = c.given && c.given->mapped;
  return Ordered{{"server", turn.server},
                 {"transport", to_string(turn.transport)},
                 {"proxy", turn.by_proxy},
                 {"state", nat::turn::to_string(c.state)},
                 {"relayed", relayed},
                 {"mapped", mapped ? Ordered(c.given->mapped->to_string()) : Ordered(nullptr)},
                 {"trouble", c.trouble.empty() ? Ordered(nullptr) : Ordered(c.trouble)},
                 {"permissions", c.permissions},
                 {"channels", c.channels},
                 {"sent", c.sent},
                 {"heard", c.heard},
                 {"dropped", c.dropped},
                 {"forged", c.forged}};
}

}  // namespace

std::string ok() { return line_of(Ordered{{"ok", true}}); }
std::string ok(node::CallId call) { return line_of(Ordered{{"ok", true}, {"call", number(call)}}); }
std::string error(const Trouble& why) { return line_of(error_object(why)); }

std::string status(const node::NodeStatus& status, const std::vector<Endpoint>& listen, int pid,
                   const std::vector<Sound::InUse>& sound, const std::optional<nat::turn::Status>& turn,
                   const std::optional<TurnCarrierStatus>& turn_client) {
  auto object = status_json(status, listen, pid);
  object["sound"] = devices_json(sound);
  object["turn"] = turn ? turn_object(*turn) : Ordered(nullptr);
  object["turn_client"] = turn_client ? turn_client_object(*turn_client) : Ordered(nullptr);
  return line_of(object);
}

std::string lasting(const std::string& status) {
  auto object = Ordered::parse(status, nullptr, false);
  if (!object.is_object()) return status;
  object.erase("clock_ahead_s");
  for (auto& relay : object["relays"]) {  // that it is known now is news, by how much it differs is none
    if (relay.is_object() && relay.contains("rtt_ms") && relay["rtt_ms"].is_number()) relay["rtt_ms"] = 0;
  }
  return object.dump();
}

std::string started(node::CallId call) { return line_of(Ordered{{"event", "started"}, {"call", number(call)}}); }
std::string call(const node::CallView& call, const node::ConferenceView* conference) {
  return line_of(Ordered{{"event", "call"},
                         {"call", call_json(call)},
                         {"conference", conference == nullptr ? Ordered(nullptr) : conference_json(*conference)}});
}
std::string keepers(const std::string& room, const std::vector<node::KeeperView>& all) {
  return line_of(Ordered{{"ok", true}, {"keepers", keepers_json(room, all)}});
}

std::string conferences(const std::vector<node::ConferenceView>& views, const std::vector<node::RoomView>& rooms) {
  return line_of(Ordered{{"ok", true}, {"conferences", conferences_json(views, rooms)}});
}
std::string notice(const std::string& text) { return line_of(Ordered{{"event", "notice"}, {"text", text}}); }

std::string ended(const Trouble& why, const node::CallSummary& summary) {
  auto object = error_object(why);
  object["event"] = "ended";
  object["summary"] = summary_json(summary);
  object["explain"] = explain_json(summary);
  return line_of(object);
}

std::string never_began(const Trouble& why, const std::string& who, node::CallResult result) {
  auto object = error_object(why);
  object["event"] = "ended";
  object["summary"] = refused_json(who, result);
  return line_of(object);
}

std::string who(const Trouble& why, const node::event::WhoResult& result) {
  auto object = error_object(why);
  object["who"] = who_json(result);
  return line_of(object);
}

// Keys as in draft-uberti-behave-turn-rest-00, section 2.2.
std::string credentials(const std::string& username, const std::string& password, std::chrono::seconds life,
                        const std::vector<Endpoint>& served) {
  const Ordered made{{"schema", 1},
                     {"username", username},
                     {"password", password},
                     {"ttl", life.count()},
                     {"uris", turn_uris(served)}};
  return line_of(Ordered{{"ok", true}, {"credentials", made}});
}

std::string relay(const Driver& driver) { return line_of(Ordered{{"ok", true}, {"relay", relay_json(driver)}}); }

std::string progress(const std::string& text) { return line_of(Ordered{{"event", "progress"}, {"text", text}}); }

std::string netcheck(const node::NodeStatus& status, const node::Probed& found) {
  return line_of(Ordered{{"ok", true}, {"netcheck", netcheck_json(status, found)}});
}

std::string examining(const node::Examination& found, const std::optional<node::Answer>& answer) {
  return line_of(Ordered{{"event", "examined"},
                         {"answer", answer ? answer_json(found, *answer) : Ordered(nullptr)},
                         {"examined", examination_json(found)}});
}

std::string examined(const Trouble& why, const node::Examination& found, node::NatType ours) {
  auto object = error_object(why);
  object["examined"] = examination_json(found);
  object["examined"]["nat"] = to_string(ours);
  return line_of(object);
}

std::string people(const node::Reply& reply) {
  auto object =
      reply.refusal == node::Refusal::none ? Ordered{{"ok", true}} : error_object({reply.text, exit_of(reply.refusal)});
  object["reply"] = reply_json(reply);
  return line_of(object);
}

std::string row(const node::Contact& contact) { return line_of(Ordered{{"row", contact_json(contact)}}); }
std::string row(const node::Request& request) { return line_of(Ordered{{"row", request_json(request)}}); }
std::string row(const node::StoredInvitation& invitation, Wall now) {
  return line_of(Ordered{{"row", invitation_json(invitation, now)}});
}

std::string row(const HistoryRow& row) {
  auto object = error_object({row.text, Exit::ok});
  object["started"] = seconds(row.started);
  object["direction"] = row.direction == node::Direction::outgoing ? "outgoing" : "incoming";
  return with_written(object, "summary", row.json);
}

std::string names(const std::set<std::string>& names) { return line_of(Ordered{{"ok", true}, {"names", names}}); }

std::string audio(const std::vector<Sound::InUse>& in_use) {
  return line_of(Ordered{{"ok", true}, {"audio", sound_json(in_use)}});
}

std::string counters(const overlay::Peer::Counters& c, std::uint64_t unsent, const Started& started) {
  return line_of(
      Ordered{{"ok", true},
              {"datagrams_in", c.datagrams_in},
              {"datagrams_out", c.datagrams_out},
              {"bytes_in", c.bytes_in},
              {"bytes_out", c.bytes_out},
              {"malformed", c.malformed},
              {"dropped", c.dropped},
              {"forwarded", c.forwarded},
              {"unsent", unsent},
              {"started", {{"tls", started.tls}, {"sound", started.sound}, {"cleaning", started.cleaning}}}});
}

}  // namespace linnet::io::lines
