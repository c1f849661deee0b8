// JSON lines of the daemon as text for people. What is not known is `?`.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace linnet::cli {

// "DIRECT 192.168.1.7:4400", "RELAYED via 10.0.0.1:4400 (reason)", "LAN ...", "UNKNOWN".
std::string path_text(const nlohmann::json& call);
// "keyed 12#" stands there once the other person keyed digits.
// alice  02:14  DIRECT 192.168.1.7:4400  RTT 3 ms  loss 0.0 %  jitter 1 ms  MOS 4.4  ####  mic ##  known key
std::string live_line(const nlohmann::json& call);
// "02:14" of a call that stands, else its state.
std::string clock_text(const nlohmann::json& call);
// "RTT 3 ms  loss 0.0 %  jitter 1.0 ms  MOS 4.4".
std::string figures_text(const nlohmann::json& call);
// bob@demo.example  ended  6.2 s  DIRECT 127.0.0.1:4401  loss 0.0 %  ...
std::string summary_text(const nlohmann::json& summary);
// call --explain: the steps in milliseconds, what was tried, why it stayed relayed.
std::string explain_text(const nlohmann::json& explain, const nlohmann::json& summary);
std::string status_text(const nlohmann::json& status);
// alice@demo.example  online  leaf  2 supernodes  bob@demo.example talking DIRECT 192.168.1.7:4400
std::string status_line(const nlohmann::json& status);

}  // namespace linnet::cli
