#include "cli/print.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/print_conference.h"

namespace linnet::cli {
namespace {

using Json = nlohmann::json;

std::string text_at(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
}

std::optional<double> number_at(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_number() ? std::optional(it->get<double>()) : std::nullopt;
}

std::string with(const char* format, double value) {
  char out[64];
  std::snprintf(out, sizeof out, format, value);
  return out;
}

std::string known(const Json& object, const char* key, const char* format) {
  const auto value = number_at(object, key);
  return value ? with(format, *value) : "?";
}

std::string bars(double part) {
  return std::string(static_cast<std::size_t>(std::clamp(std::lround(part), 0L, 5L)), '#');
}

// A mark each 12 dB over -60 dB of full scale: speech has three or four, silence none and says so.
std::string meter(const Json& call, const char* key) {
  const auto dbfs = number_at(call, key);
  if (!dbfs) return "?";
  const auto marks = bars((*dbfs + 60) / 12);
  return marks.empty() ? "-" : marks;
}

// Digits that the other person keyed.
std::string keyed(const Json& call) {
  const auto digits = text_at(call, "digits");
  return digits.empty() ? std::string() : "  keyed " + digits;
}

// Our own clock against those of supernodes; nothing while they agree within a minute.
std::string own_clock_text(const Json& s) {
  const auto ahead = number_at(s, "clock_ahead_s");
  if (!ahead || std::abs(*ahead) <= 60) return {};
  const auto off = std::abs(*ahead);
  struct Unit {
    double seconds;
    const char* name;
  };
  static constexpr Unit kUnits[] = {{86'400, "day"}, {3600, "hour"}, {60, "minute"}};
  const auto* unit = &kUnits[0];
  while (off < unit->seconds) ++unit;
  const auto n = std::llround(off / unit->seconds);
  const auto voices = std::llround(number_at(s, "clock_supernodes").value_or(0));
  return "\n  clock       " + std::to_string(n) + " " + unit->name + (n == 1 ? "" : "s") +
         (*ahead > 0 ? " ahead of " : " behind ") + std::to_string(voices) +
         (voices == 1 ? " supernode" : " supernodes") + ": set it";
}

// Who is spoken with, and how that stands.
std::string call_text(const Json& call) {
  if (const auto it = call.find("conference"); it != call.end() && it->is_object())
    return conference_call_text(call, *it);
  return text_at(call, "peer") + "  " + text_at(call, "state") + "  " + path_text(call) + keyed(call);
}

constexpr double kStaleMs = 2000;

}  // namespace

std::string clock_text(const Json& call) {
  const auto s = number_at(call, "seconds");
  if (!s) return text_at(call, "state");
  const auto whole = static_cast<long>(*s);
  char out[32];
  std::snprintf(out, sizeof out, "%02ld:%02ld", whole / 60, whole % 60);
  return out;
}

std::string figures_text(const Json& o) {
  return "RTT " + known(o, "rtt_ms", "%.0f") + " ms  loss " + known(o, "loss_pct", "%.1f") + " %  jitter " +
         known(o, "jitter_ms", "%.1f") + " ms  MOS " + known(o, "mos", "%.1f");
}

std::string path_text(const Json& call) {
  const auto path = text_at(call, "path");
  const auto via = text_at(call, "via");
  const auto reason = text_at(call, "reason");
  const auto why =
      (reason.empty() ? "" : " (" + reason + ")") + std::string(call.value("protected", false) ? " PROTECTED" : "");
  if (path == "lan" || path == "direct")
    return (path == "lan" ? "LAN" : "DIRECT") + (via.empty() ? "" : " " + via) + why;
  if (path != "relayed") return "UNKNOWN";
  return "RELAYED via " + (via.empty() ? "?" : via) + why;
}

std::string live_line(const Json& call) {
  const auto peer = text_at(call, "peer");
  std::string out = peer.substr(0, peer.find('@')) + "  " + clock_text(call) + "  ";
  // First what a narrow terminal must not cut off.
  if (call.value("muted", false)) out += "muted  ";
  if (call.value("on_hold", false)) out += "on hold  ";
  if (call.value("held_by_peer", false)) out += "held by them  ";
  if (const auto digits = keyed(call); !digits.empty()) out += digits.substr(2) + "  ";
  const auto heard = number_at(call, "last_heard_ms");
  if (text_at(call, "state") == "talking" && heard && *heard > kStaleMs)
    out += "last heard " + with("%.0f", *heard / 1000) + " s ago";
  else
    out += path_text(call);
  if (number_at(call, "seconds")) {
    out += "  " + figures_text(call);
    if (const auto mos = number_at(call, "mos")) out += "  " + bars(*mos);
    out += "  heard " + meter(call, "heard_dbfs") + "  mic " + meter(call, "mic_dbfs");
  }
  const auto state = text_at(call, "state");
  if (state == "resolving" || state == "connecting") return out;  // whose key it is shows when a link stands
  if (call.value("compared", false)) return out + "  verified";
  return out + (call.value("verified", false) ? "  known key" : "  new key");
}

std::string summary_text(const Json& s) {
  const auto conference = text_at(s, "conference");
  std::string out = (conference.empty() ? text_at(s, "peer") : conference) + "  " + text_at(s, "result");
  if (!number_at(s, "setup_ms") && number_at(s, "seconds").value_or(0) <= 0) return out;
  out += "  " + known(s, "seconds", "%.1f") + " s  " + path_text(s) + "  " + figures_text(s);
  if (const auto codec = text_at(s, "codec"); !codec.empty()) out += "  " + codec;
  return out;
}

// Which supernodes are reached by no datagram, and what that says of this network.
static std::string streams_text(const Json& s, const std::string& streams) {
  if (streams == "none") return "";
  const auto probes = s.value("udp_probes", 0), answers = s.value("udp_answers", 0);
  const std::string out = "\n  over TCP    " + streams;
  if (answers > 0 || probes == 0) return out + "  (UDP brings no answer there)";
  const auto port = streams.substr(0, streams.find(' '));
  return out + "\n  UDP is blocked here (0 of " + std::to_string(probes) + " probes). Using a relay on TCP " +
         port.substr(port.rfind(':') + 1) + ".";
}

// "3.2 s", "14 min", "2 h 5 min".
static std::string span_text(double ms) {
  const auto s = ms / 1000;
  if (s < 60) return with("%.1f s", s);
  const auto minutes = static_cast<long>(s / 60);
  if (minutes < 60) return std::to_string(minutes) + " min";
  return std::to_string(minutes / 60) + " h " + std::to_string(minutes % 60) + " min";
}

static std::string label(std::string name) {
  name.resize(std::max<std::size_t>(name.size(), 14), ' ');
  return "\n  " + name;
}

// "yours symmetric, theirs port-restricted: relayed via 198.51.100.7:4400".
static std::string culprit_text(const Json& e, const Json& summary) {
  const auto path = text_at(summary, "path"), via = text_at(summary, "via"), reason = text_at(e, "reason");
  if (path != "relayed") return path.empty() || path == "unknown" ? "?" : path_text(summary);
  return (reason.empty() ? "" : reason + ": ") + "relayed via " + (via.empty() ? "?" : via);
}

static std::string tried_text(const Json& e, const char* key, const char* name) {
  std::string out;
  if (const auto it = e.find(key); it != e.end() && it->is_array())
    for (const auto& c : *it) out += label(name) + text_at(c, "endpoint") + "  " + text_at(c, "result");
  return out;
}

std::string explain_text(const Json& e, const Json& summary) {
  struct Step {
    const char* key;
    const char* name;
    bool of_start;  // of the node, whenever that was
  };
  static constexpr Step kSteps[] = {{"detect_ms", "NAT known", true},   {"join_ms", "online", true},
                                    {"look_up_ms", "found", false},     {"connect_ms", "link stood", false},
                                    {"ring_ms", "ringing", false},      {"answer_ms", "answered", false},
                                    {"voice_ms", "first voice", false}, {"direct_ms", "direct", false}};
  const auto age = number_at(e, "node_age_ms");
  std::string out = label("started") + (age ? span_text(*age) : "?") + " before the call";
  const auto steps = e.find("steps");
  for (const auto& step : kSteps)
    out += label(step.name) + (steps == e.end() ? "?" : known(*steps, step.key, "%8.1f")) + " ms" +
           (step.of_start ? "  from the start" : "");
  out += tried_text(e, "circuits", "circuit") + tried_text(e, "candidates", "you tried");
  out += tried_text(e, "their_candidates", "they tried");
  if (const auto it = e.find("their_candidates"); number_at(summary, "setup_ms") && (it == e.end() || it->is_null()))
    out += label("they tried") + "?";
  const auto word = [&](const char* key) { return text_at(e, key).empty() ? "?" : text_at(e, key); };
  out += label("NAT") + "yours " + word("nat") + ", theirs " + word("their_nat");
  out += label("path") + culprit_text(e, summary);
  return out.substr(1);
}

std::string status_text(const Json& s) {
  std::string out = text_at(s, "uri") + " is " + text_at(s, "state") + " (" + text_at(s, "role") + ", process " +
                    std::to_string(s.value("pid", 0)) + ")";
  if (const auto why = text_at(s, "why"); !why.empty()) out += "\n  why         " + why;
  out += "\n  key name    " + text_at(s, "key_name");
  const auto list = [&](const char* key) {
    std::string line;
    if (const auto it = s.find(key); it != s.end() && it->is_array())
      for (const auto& item : *it)
        if (item.is_string()) line += (line.empty() ? "" : "  ") + item.get<std::string>();
    return line.empty() ? std::string("none") : line;
  };
  out += "\n  listening   " + list("listen") + "\n  supernodes  " + list("supernodes");
  out += streams_text(s, list("supernodes_tcp"));
  if (const auto place = text_at(s, "place"); !place.empty())
    out += "\n  known at    " + place + "  (" + text_at(s, "place_why") + ")";
  if (s.contains("nat")) out += "\n  NAT         " + (text_at(s, "nat").empty() ? "?" : text_at(s, "nat"));
  if (const auto relays = s.find("relays"); relays != s.end() && relays->is_array())
    for (const auto& r : *relays)
      out += "\n  relay       " + text_at(r, "endpoint") + "  " + text_at(r, "reach") + "  RTT " +
             known(r, "rtt_ms", "%.1f") + " ms" + (r.value("attached", false) ? "" : "  not attached");
  out += own_clock_text(s);
  if (const auto sound = s.find("sound"); sound != s.end() && sound->is_array())
    for (const auto& use : *sound)
      out += "\n  sound       " + text_at(use, "microphone") + ", " + text_at(use, "loudspeaker");
  if (text_at(s, "state") == "alone")
    out += "\n  You are alone: no other node on this LAN or in the host cache. Join: linnet accept CODE";
  if (const auto calls = s.find("calls"); calls != s.end() && calls->is_array())
    for (const auto& call : *calls)
      out += "\n  call " + std::to_string(call.value("id", 0)) + "      " + call_text(call);
  return out;
}

std::string status_line(const Json& s) {
  const auto supernodes = s.contains("supernodes") && s["supernodes"].is_array() ? s["supernodes"].size() : 0;
  std::string out = text_at(s, "uri") + "  " + text_at(s, "state") + "  " + text_at(s, "role") + "  " +
                    std::to_string(supernodes) + (supernodes == 1 ? " supernode" : " supernodes");
  const auto calls = s.find("calls");
  if (calls == s.end() || !calls->is_array() || calls->empty()) return out + "  no call";
  for (const auto& call : *calls) {
    // A call that is still to be answered is what one looks for.
    const auto state = text_at(call, "state");
    if (const auto it = call.find("conference"); it != call.end() && it->is_object()) {
      out += "  " + conference_call_text(call, *it);
      continue;
    }
    out += "  " + text_at(call, "peer") + " " + (state == "incoming" ? "is calling: linnet answer" : state);
    if (state != "incoming") out += " " + path_text(call) + keyed(call);
  }
  return out;
}

}  // namespace linnet::cli
