// Scenarios: a world, what happens in it, and what must hold.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "sim/report.h"

namespace linnet::sim {

enum class Wire : std::uint8_t { full, typed };  // shipped sealing and signing, or stand-ins of equal sizes

enum class Design : std::uint8_t { supernodes, everybody, registered, servers };  // designs.h

// Of a run, while it goes on.
struct Progress {
  std::string_view phase;
  double virtual_seconds = 0;
  std::uint64_t events = 0;
  std::uint64_t online = 0;  // peers
};

struct ScenarioConfig {
  std::string scenario;
  std::uint32_t nodes = 0;  // 0: the scenario's own default
  std::uint64_t seed = 1;
  Wire wire = Wire::typed;
  Design design = Design::supernodes;  // of `lookup`, `churn`, `massacre`, `partition` and `joinstorm`
  std::uint32_t refresh = 60;  // seconds, between two records of Design::registered, which live three times as long
  double minutes = 1;          // of the measured part
  std::uint32_t copies = 1;    // of each of them
  std::optional<double> loss;  // share of datagrams
  double session_median = 10;  // minutes that a peer of `churn` stays
  double malicious = 20;       // percent of the supernodes of `malicious`
  double killed = 50;          // percent of the supernodes of `massacre`
  bool at_once = false;        // lookups of `massacre` from the moment they die
  double stood = 0;            // minutes that the network of `massacre` stands before
  bool in_use = false;         // a question a peer and minute while the load of `massacre` is measured
  std::optional<double> supernodes;          // percent of the nodes; else the scenario's own
  std::optional<std::uint32_t> sybils;       // of `sybil`; else 20 k
  bool at_root = true;                       // half of them around the salted root of the key, not all around the key
  std::uint32_t prefixes = 20;               // /24 that their addresses are of
  std::uint32_t prefix_choice = 0;           // so many he could have, and takes those that lead nearest; 0: no choice
  bool prefix_rule = true;                   // off: a private network, where places follow from keys alone
  std::uint32_t members = 0;                 // of the room of `conference`; 0: its default
  std::uint32_t carries = 60;                // members that each of them could mix for
  std::uint32_t elections = 0;               // rooms with given scores instead, so many
  std::string speech = "assets/speech.wav";  // what is said in it: a WAV file
  std::function<void(const Progress&)> progress;
};

// `lookup`: overlay peers join, publish and look one another up. Default 10,000 peers, one in forty a supernode.
Report run_lookup(const ScenarioConfig& config);
// `calls`: whole nodes behind NATs call one another and talk, 5 % of datagrams lost. Default 100 nodes.
Report run_calls(const ScenarioConfig& config);
// `faults`: a small overlay through loss, duplicates, flipped bits, a partition, deaths, router restarts and clock
// jumps, all drawn from the seed; afterwards it must be whole again. Default 24 peers.
Report run_faults(const ScenarioConfig& config);

// `churn`: peers come and go, by Weibull's law with a median of `session_median`, half of them without a word, and look
// one another up meanwhile. Default 1,000 peers, one in twenty a supernode; so in the next four.
Report run_churn(const ScenarioConfig& config);
// `massacre`: so many supernodes die at one instant; lookups from 60 s later, or at once.
Report run_massacre(const ScenarioConfig& config);
// `partition`: half of all hosts are cut off from the other half for ten minutes; lookups from 60 s after it heals.
Report run_partition(const ScenarioConfig& config);
// `joinstorm`: all leaves come within one second, and ask for one another as soon as they are online.
Report run_joinstorm(const ScenarioConfig& config);

// `growth`: two supernodes and many leaves, three in ten of them fit to be supernodes; half of those that serve die,
// and some are no longer fit.
Report run_growth(const ScenarioConfig& config);

// `conference`: whole nodes come into one room, mix for one another in sections, and one speaks (default 100 members);
// or rooms whose members' scores are given, one after another, and who is elected.
Report run_conference(const ScenarioConfig& config);

// `malicious`: so many supernodes lie (hostile.h); honest peers look one another up.
Report run_malicious(const ScenarioConfig& config);
// `sybil`: one attacker's supernodes stand around one leaf's name and name only one another; everybody asks for it.
Report run_sybil(const ScenarioConfig& config);

}  // namespace linnet::sim
