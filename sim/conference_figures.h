// What the scenario `conference` found out.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace linnet::sim {

// Rooms one after another, whose members come in one by one with scores that were given.
struct ElectionFigures {
  std::uint64_t runs = 0;
  std::uint64_t members = 0;       // of all runs
  std::uint64_t won = 0;           // runs at whose end whoever is to mix by the rule, given who does, mixes
  std::uint64_t clear = 0;         // runs in which one is worth half as much again as any other
  std::uint64_t clear_won = 0;     // ... who mixed at the end
  std::uint64_t handed_over = 0;   // changes of the mixer, in all runs
  std::uint64_t joins_late = 0;    // after which it took more than a second until all agreed, or for ever
  std::vector<double> agreed_ms;   // from a join until all who are in name one mixer, one deputy, one term, and have it
  std::vector<double> decided_ms;  // from the last join until the one who is to mix does, and all agree
  std::vector<double> apart_ms;    // spells in which they did not agree, without a join
};

// One room of more members than one of them mixes for, and one of them who speaks.
struct CascadeFigures {
  std::uint64_t members = 0;
  std::uint64_t carries = 0;    // that each of them says it could mix for
  std::uint64_t in = 0;         // in whom the conference sounds
  std::uint64_t complete = 0;   // whose roster has all
  std::uint64_t mixers = 0;     // the room's and those of sections
  std::uint64_t tries = 0;      // calls to come in
  std::uint64_t heard = 0;      // who heard the speaker with a STOI of 0.9 at the least
  double gathered_s = 0;        // from the first call until all rosters were complete
  std::vector<double> join_ms;  // from the call that succeeded until the conference sounds
  std::vector<double> stoi;     // of each member but the speaker
};

void add_to(nlohmann::ordered_json& json, const ElectionFigures& figures);
void add_to(nlohmann::ordered_json& json, const CascadeFigures& figures);
std::string to_text(const ElectionFigures& figures);
std::string to_text(const CascadeFigures& figures);

}  // namespace linnet::sim
