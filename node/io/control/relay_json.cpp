#include "node/io/control/relay_json.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "node/io/clock.h"
#include "node/io/settings/words.h"

namespace linnet::io {
namespace {

using Ordered = nlohmann::ordered_json;

constexpr std::size_t kNeighbours = 8;

Ordered checks_json(const std::vector<node::FitnessCheck>& checks) {
  Ordered out = Ordered::array();
  for (const auto& check : checks)
    out.push_back(
        {{"what", check.what}, {"met", check.met ? Ordered(*check.met) : Ordered(nullptr)}, {"found", check.found}});
  return out;
}

// How it stands with a node that may be promoted; null: it is a supernode by its settings.
Ordered standby_json(const std::optional<overlay::StandbyReport>& standby) {
  if (!standby) return nullptr;
  const auto in_seconds = [](std::optional<Time> at, int sign) {
    if (!at) return Ordered(nullptr);
    return Ordered(sign * std::chrono::duration_cast<std::chrono::seconds>(*at - now()).count());
  };
  return Ordered{{"offered", standby->offered},
                 {"offered_to", standby->at},
                 {"called_s_ago", in_seconds(standby->called, -1)},
                 {"serves_for_s", in_seconds(standby->serves_since, -1)},
                 {"handing_over", standby->handing_over},
                 {"rests_s", in_seconds(standby->rests_until, 1)}};
}

// Those nearest to us in the table, and how large the network seems from here.
Ordered table_json(const overlay::Peer& peer) {
  const auto* dht = peer.dht();
  if (dht == nullptr) return nullptr;
  Ordered neighbours = Ordered::array();
  for (const auto& contact : dht->nearest(dht->self().position, kNeighbours))
    if (contact.device != dht->self().device) neighbours.push_back(contact.endpoint.to_string());
  return Ordered{{"neighbours", std::move(neighbours)},
                 {"contacts", dht->contact_count()},
                 {"records", dht->record_count()},
                 {"record_bytes", dht->record_bytes()},
                 {"supernodes_estimated", std::llround(dht->estimated_network_size())}};
}

}  // namespace

Ordered relayed_json(const std::optional<overlay::RelayStatus>& relay) {
  if (!relay) return nullptr;
  const auto& n = relay->counters;
  return Ordered{{"leaves", relay->leaves},
                 {"circuits", relay->circuits},
                 {"packets", n.forwarded},
                 {"bytes", n.bytes},
                 {"month_bytes", relay->month.bytes},
                 {"month_limit", relay->month_bytes ? Ordered(*relay->month_bytes) : Ordered(nullptr)},
                 {"dropped",
                  {{"circuit", n.over_circuit},
                   {"peer", n.over_peer},
                   {"prefix", n.over_prefix},
                   {"month", n.over_month},
                   {"unknown", n.unknown},
                   {"foreign", n.foreign}}},
                 {"refused", {{"full", n.refused_full}, {"month", n.refused_month}}},
                 {"partner", relay->partner ? Ordered(relay->partner->to_string()) : Ordered(nullptr)}};
}

Ordered relay_json(const Driver& driver) {
  const auto status = driver.node().status(now());
  const auto fit = driver.fit();
  return Ordered{{"schema", 1},
                 {"mode", word_of(driver.relay_mode())},
                 {"role", status.role == overlay::Role::supernode ? "supernode" : "leaf"},
                 {"place", status.place ? Ordered(status.place->to_string()) : Ordered(nullptr)},
                 {"place_why", status.place_why},
                 {"on_links", driver.node().peer().neighbour_count()},
                 {"standby", standby_json(status.standby)},
                 {"fit_for_leaves", fit ? Ordered(fit->leaves) : Ordered(nullptr)},
                 {"checks", checks_json(driver.fitness())},
                 {"table", table_json(driver.node().peer())},
                 {"relay", relayed_json(status.relay)}};
}

}  // namespace linnet::io
