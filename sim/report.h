// What a scenario found out, and its JSON line: the keys are an interface (`linnet-sim ... --json`).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/conference_figures.h"

namespace linnet::sim {

struct Report {
  std::string scenario;
  std::uint64_t seed = 0;
  std::string wire;
  std::string design;
  double wire_checked_pct =
      0;  // share of the DHT's datagrams that went through the shipped packing, sealing and opening
  std::uint64_t nodes = 0;
  std::uint64_t supernodes = 0;
  double virtual_seconds = 0;
  double cpu_seconds = 0;
  std::uint64_t events = 0;
  std::uint64_t lookups = 0;
  std::uint64_t lookups_ok = 0;
  std::uint64_t lookups_led_home = 0;  // of those: the record names a living home that the callee is attached to
  double lookup_cpu_seconds = 0;       // of the part that looks up
  double upkeep_cpu_seconds = 0;       // what as long a part without lookups takes
  std::uint64_t wrong_keys = 0;
  std::vector<double> lookup_ms;
  std::vector<double> rounds;
  double messages_per_lookup = 0;
  double bytes_per_leaf = 0;
  double bytes_per_supernode = 0;
  double bytes_records = 0;
  double bytes_contact_book = 0;
  double bytes_host_cache = 0;           // of a peer; none of the two above holds it
  double leaves_per_supernode = 0;       // attached: each leaf to four of them
  double bytes_per_supernode_alone = 0;  // before the first leaf came; beside the three named apart
  double bytes_per_leaf_served = 0;      // what each attached leaf adds to that
  double upkeep_bps_leaf = 0;
  double upkeep_bps_supernode = 0;
  std::optional<double> publish_bps_supernode;
  double peak_rss_mb = 0;
  std::uint64_t trace_hash = 0;

  // Scenario `calls`.
  std::uint64_t calls = 0;
  std::uint64_t calls_ok = 0;

  // Scenarios in which peers come and go.
  std::vector<double> join_ms;             // from the start of a life to online
  std::uint64_t lives = 0;                 // that began
  std::optional<double> reattached_s;      // until 99 % of the leaves that live had a living home again
  std::optional<double> online_least_pct;  // of the peers that lived on, in the worst second after
  // Of a supernode that lived on: the bytes of its busiest second, and a second of its busiest ten, to those of a
  // second of a supernode in the minute before; and to those of the busiest second of any in that minute.
  std::optional<double> survivor_load;
  std::optional<double> survivor_load_10s;
  std::optional<double> survivor_peak;
  // Like with like: the busiest ten seconds of any to the busiest ten of any before; the busiest minute of any, and the
  // mean minute of all, to the mean of the minute before.
  std::optional<double> survivor_peak_10s;
  std::optional<double> survivor_most_60s;
  std::optional<double> survivor_mean_60s;

  // Of lookups while a part of the supernodes just died: what the slowest twentieth took beyond a round trip, the
  // median of those between two hosts.
  std::optional<double> rtt_ms;
  // Seconds after the deaths from which on, in steps of five, 99 of 100 that were asked for were found by a record that
  // names a living home which they are attached to.
  std::optional<double> reachable_s;
  std::optional<double> beyond_rtt_ms_p95;
  // Each second of a living supernode, in the part that looks up: all that it sent.
  std::optional<double> sent_bps_supernode;

  // Scenario `sybil`.
  std::uint64_t sybils = 0;
  bool prefix_rule = true;
  std::uint64_t denied = 0;         // lookups that did not find the name
  std::uint64_t hostile_homes = 0;  // of the leaf that was surrounded

  // Scenario `growth`.
  std::vector<std::uint32_t> supernodes_by_minute;
  std::uint64_t promotions = 0;
  std::uint64_t demotions = 0;
  std::optional<double> grown_s;       // until no supernode had more leaves than wanted
  std::uint64_t supernodes_grown = 0;  // by then
  std::uint64_t most_leaves = 0;       // of any, then
  std::uint64_t quiet_promotions = 0;  // in the half hour after that
  std::uint64_t stepped_in = 0;        // promoted after half had died

  // Scenario `conference`.
  std::optional<ElectionFigures> elections;
  std::optional<CascadeFigures> cascade;

  // Invariants that were broken, in words. Empty is what every run must show.
  std::vector<std::string> broken;
  // Copies of a record held in the whole network: mean and largest.
  double copies_mean = 0;
  std::uint64_t copies_max = 0;
};

// Value at share p (0..1) of the sorted values; nothing when there are none.
std::optional<double> percentile(std::vector<double> values, double p);

std::string to_json(const Report& report);
std::string to_text(const Report& report);

// Seconds of CPU this process used; resident peak; whether somebody watches stderr. The one place of sim/ that asks the
// machine.
double cpu_seconds();
bool is_watched();
double peak_rss_mb();

}  // namespace linnet::sim
