// A conference as text for people (cli/print.h): what linnet conf ls prints, and the live line.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace linnet::cli {

// office  02:14  5 here  carol mixes  bob speaks  RTT 3 ms ...
std::string conference_line(const nlohmann::json& call, const nlohmann::json& conference);
// What is worth a new line of its own where lines stay: who is here and who mixes, not who speaks. Empty for null.
std::string conference_change(const nlohmann::json& conference);
// office  ended  8.3 s: of `summary`, which names no conference.
std::string conference_over(const nlohmann::json& conference, const nlohmann::json& summary);
// A head that says who mixes and so hears everything, and a line for each member.
std::string conference_table(const nlohmann::json& conference);
// The rooms with an address that this node keeps.
// Whom the founder of a room certified, one a line.
std::string keeper_table(const nlohmann::json& view);
std::string room_table(const nlohmann::json& rooms);
// "office  conference of 5  carol mixes": in the line of a call in linnet status.
std::string conference_call_text(const nlohmann::json& call, const nlohmann::json& in_call);

}  // namespace linnet::cli
