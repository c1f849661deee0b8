#include "cli/checks.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/endpoint.h"
#include "cli/network.h"
#include "cli/print.h"
#include "node/nat_facts.h"

namespace linnet::cli {
namespace {

using Json = nlohmann::json;

std::string at(const Json& object, const char* key) {
  const auto it = object.is_object() ? object.find(key) : object.end();
  return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
}

const Json& list(const Json& object, const char* key) {
  static const Json kNone = Json::array();
  const auto it = object.is_object() ? object.find(key) : object.end();
  return it != object.end() && it->is_array() ? *it : kNone;
}

double number(const Json& object, const char* key, double fallback = 0) {
  const auto it = object.is_object() ? object.find(key) : object.end();
  return it != object.end() && it->is_number() ? it->get<double>() : fallback;
}

bool has_number(const Json& object, const char* key) {
  const auto it = object.is_object() ? object.find(key) : object.end();
  return it != object.end() && it->is_number();
}

std::string count(std::size_t n, const std::string& one) { return std::to_string(n) + " " + one + (n == 1 ? "" : "s"); }

std::string ms(double value) {
  char out[32];
  std::snprintf(out, sizeof out, value < 10 ? "%.1f ms" : "%.0f ms", value);
  return out;
}

std::size_t answering(const Json& network, const char* key) {
  const auto& relays = list(network, "relays");
  return static_cast<std::size_t>(
      std::count_if(relays.begin(), relays.end(), [&](const Json& r) { return has_number(r, key); }));
}

Check overlay_check(const Json& status) {
  const auto state = at(status, "state");
  const auto supernodes = list(status, "supernodes").size();
  if (state == "alone")
    return {"overlay", Level::fail, "You are alone: no other node on this LAN or in the host cache.",
            "linnet accept CODE"};
  if (state != "online")
    return {"overlay", Level::fail, "no supernode has answered yet",
            "linnet up --bootstrap ADDR:PORT, or linnet accept CODE"};
  std::string text = "online as a " + at(status, "role") + ", " + count(supernodes, "supernode") + " known";
  if (has_number(status, "joined_ms")) text += ", joined in " + ms(number(status, "joined_ms"));
  return {"overlay", supernodes == 1 ? Level::warn : Level::ok, std::move(text),
          supernodes == 1 ? "one more supernode, so that calls outlive this one: linnet up --relay on, elsewhere" : ""};
}

Check udp_check(const Json& network) {
  const auto all = list(network, "relays").size();
  const auto udp = answering(network, "udp_ms"), tcp = answering(network, "tcp_ms"),
             web = answering(network, "tcp443_ms");
  if (all == 0) return {"UDP", Level::unknown, "no supernode is known to ask", ""};
  if (udp > 0)
    return {"UDP", udp == all ? Level::ok : Level::warn,
            std::to_string(udp) + " of " + count(all, "supernode") + " answer", ""};
  if (tcp + web > 0)
    return {"UDP", Level::warn,
            "UDP is blocked here (0 of " + std::to_string(all) + " supernodes answer). Using a relay on TCP",
            "let UDP port 4400 out of your firewall"};
  return {"UDP", Level::fail, "no supernode answers, by UDP or TCP", "look at the network cable, or the firewall"};
}

Check nat_check(const char* name, const Json& family) {
  const auto text = family_text(family);
  if (!family.is_object()) return {name, Level::unknown, text, ""};
  if (at(family, "kind") == "symmetric")
    return {name, Level::warn,
            text + "; calls to people behind other NATs become direct by port search, expected within " +
                std::to_string(node::kSearched.count()) + " s, and stay on a supernode where theirs is symmetric too",
            "a port mapping (UPnP, NAT-PMP) on the router"};
  const bool udp = family.value("udp", false);
  const auto level = at(family, "kind").empty() ? Level::unknown : Level::ok;
  return {name, udp ? level : Level::warn, text, ""};
}

Check clock_check(const Json& status) {
  if (!has_number(status, "clock_ahead_s")) return {"clock", Level::unknown, "no supernode has told the time yet", ""};
  const auto off = number(status, "clock_ahead_s");
  const auto voices = static_cast<std::size_t>(number(status, "clock_supernodes"));
  if (std::abs(off) <= 60) return {"clock", Level::ok, "within a minute of " + count(voices, "supernode"), ""};
  char text[96];
  std::snprintf(text, sizeof text, "%.0f s %s %s", std::abs(off), off > 0 ? "ahead of" : "behind",
                count(voices, "supernode").c_str());
  return {"clock", Level::warn, text, "timedatectl set-ntp true"};
}

Check firewall_check(const Json& network) {
  const auto& v4 = network.is_object() && network.contains("v4") ? network["v4"] : Json();
  const auto filtering = at(v4, "filtering");
  if (filtering.empty())
    return {"firewall", Level::unknown, "what gets in unasked is not known: no supernode with two addresses", ""};
  if (filtering == "endpoint-independent") return {"firewall", Level::ok, "whoever knows the port gets in", ""};
  return {"firewall", Level::ok, "lets in only who was sent to (" + filtering + "): calls open it from both sides", ""};
}

Check binding_check(const Json& network) {
  const auto binding = network.value("binding", Json());
  const bool known = has_number(binding, "alive_s") || has_number(binding, "dead_s");
  return {"NAT mapping", known ? Level::ok : Level::unknown, binding_text(network), ""};
}

Check mapping_check(const Json& status) {
  const auto& mapped = list(status, "mapped");
  if (mapped.empty()) return {"port mapping", Level::ok, "none", ""};
  std::string text;
  for (const auto& m : mapped) text += (text.empty() ? "" : ", ") + mapped_text(m);
  const auto helps = [](const Json& m) { return m.value("reached", Json()) != Json(false); };
  if (std::any_of(mapped.begin(), mapped.end(), helps)) return {"port mapping", Level::ok, std::move(text), ""};
  return {"port mapping", Level::warn, std::move(text), "another NAT may stand before the router"};
}

// Of a supernode: who is told of an address that means nothing outside helps nobody there.
std::optional<Check> place_check(const Json& status) {
  const auto place = at(status, "place");
  if (place.empty()) return std::nullopt;
  const auto endpoint = Endpoint::parse(place);
  const bool inside = endpoint && endpoint->ip.is_private();
  return Check{"known at", inside ? Level::warn : Level::ok, place + ": " + at(status, "place_why"),
               inside ? "forward a UDP port to this machine, and its TCP port 443" : ""};
}

Check directory_check(const Json& e, const Json& device) {
  std::string homes;
  for (const auto& home : list(device, "homes")) homes += (homes.empty() ? "" : ", ") + home.get<std::string>();
  std::string text = "found in " + ms(number(e, "lookup_ms")) + " over " +
                     count(static_cast<std::size_t>(number(e, "lookup_hops")), "hop") + "; record " +
                     std::to_string(static_cast<long>(number(device, "record_age_s"))) + " s old, good for " +
                     std::to_string(static_cast<long>(number(device, "record_expires_in_s"))) + " s more, names " +
                     (homes.empty() ? "no supernode" : homes);
  return {"directory", homes.empty() ? Level::warn : Level::ok, std::move(text), ""};
}

std::string tried(const Json& device, const char* key) {
  std::string out;
  for (const auto& c : list(device, key)) out += (out.empty() ? "" : ", ") + at(c, "endpoint") + " " + at(c, "result");
  return out.empty() ? "none" : out;
}

// Who is to blame for a relayed path, in words.
Check path_check(const std::string& peer, const Json& device, const std::string& ours) {
  const auto text =
      path_text(device) + (has_number(device, "rtt_ms") ? ", round trip " + ms(number(device, "rtt_ms")) : "");
  const auto path = at(device, "path");
  if (path != "relayed") return {"path", path == "lan" || path == "direct" ? Level::ok : Level::unknown, text, ""};
  if (!device.value("shares_addresses", false))
    return {"path", Level::ok, text + ": addresses are exchanged with contacts, and in a call",
            "linnet contact add " + peer + ", and they you"};
  const auto theirs = at(device, "nat");
  const auto word = [](const std::string& nat) { return nat.empty() ? "?" : nat; };
  const auto pair = ": yours " + word(ours) + ", theirs " + word(theirs);
  if (node::searches(node::nat_type(ours), node::nat_type(theirs)))
    return {"path", Level::ok,
            text + pair + "; a call becomes direct by port search, expected within " +
                std::to_string(node::kSearched.count()) + " s",
            ""};
  std::string remedy;
  if (ours == "symmetric") remedy = "yours: a port mapping on the router, or a network without a symmetric NAT";
  if (ours == "udp-blocked") remedy = "yours: let UDP port 4400 out of the firewall";
  if (remedy.empty() && theirs == "symmetric") remedy = "theirs: a port mapping on their router";
  if (remedy.empty() && theirs == "udp-blocked") remedy = "theirs: UDP is blocked there";
  return {"path", Level::warn, text + pair, remedy};
}

}  // namespace

std::string_view to_string(Level level) {
  switch (level) {
    case Level::ok: return "ok";
    case Level::unknown: return "unknown";
    case Level::warn: return "warn";
    case Level::fail: break;
  }
  return "fail";
}

std::string_view shown(Level level) { return level == Level::unknown ? "?" : to_string(level); }

std::vector<Check> check_node(const Json& status, const Json& network) {
  std::vector<Check> out;
  out.push_back({"identity", Level::ok, at(status, "uri") + ", key name " + at(status, "key_name"), ""});
  out.push_back(overlay_check(status));
  if (network.is_object()) {
    out.push_back(udp_check(network));
    out.push_back(nat_check("NAT, IPv4", network.value("v4", Json())));
    out.push_back(nat_check("NAT, IPv6", network.value("v6", Json())));
    if (const auto v4 = network.value("v4", Json()); v4.is_object() && v4.value("nat", Json()) == Json(true))
      out.push_back(binding_check(network));
    out.push_back(firewall_check(network));
    if (network.value("captive_portal", Json()) == Json(true))
      out.push_back(
          {"portal", Level::warn, "only port 443 answers: a captive portal, or a proxy", "open a web page first"});
  }
  out.push_back(mapping_check(status));
  if (auto place = place_check(status)) out.push_back(std::move(*place));
  out.push_back(clock_check(status));
  return out;
}

std::vector<Check> check_person(const Json& examined, const std::string& our_nat) {
  std::vector<Check> out;
  for (const auto& device : list(examined, "devices")) {
    out.push_back(directory_check(examined, device));
    const auto failure = at(device, "failure");
    if (!failure.empty()) {
      out.push_back({"link", Level::fail, failure, "linnet ping " + at(examined, "peer")});
      continue;
    }
    const auto stood = "a sealed link stood after " + ms(number(device, "connect_ms"));
    // It may be one of before, to a device that is gone without a word: its path is none.
    if (number(device, "sent") > 0 && number(device, "answered") == 0) {
      out.push_back(
          {"link", Level::fail, stood + ", and nothing answers on it", "linnet ping " + at(examined, "peer")});
    } else {
      out.push_back(
          {"link", Level::ok,
           stood + (has_number(device, "direct_ms") ? ", direct after " + ms(number(device, "direct_ms")) : ""), ""});
      out.push_back(path_check(at(examined, "peer"), device, our_nat));
    }
    if (device.value("shares_addresses", false)) {
      out.push_back({"tried from here", Level::ok, tried(device, "candidates"), ""});
      out.push_back({"tried from there", Level::ok, tried(device, "their_candidates"), ""});
    }
    if (!list(device, "circuits").empty()) out.push_back({"circuits", Level::ok, tried(device, "circuits"), ""});
  }
  return out;
}

// What relay status says of this.
Check fitness_check(const Json& relay, const char* what) {
  for (const auto& check : list(relay, "checks")) {
    if (at(check, "what") != what) continue;
    const auto met = check.value("met", Json());
    return {what, met.is_null() ? Level::unknown : met == Json(true) ? Level::ok : Level::warn, at(check, "found"), ""};
  }
  return {what, Level::unknown, "measured under relay auto, when all else is met", "linnet relay auto"};
}

std::vector<Check> check_supernode(const Machine& machine, const Json& status, const Json& network, const Json& relay) {
  std::vector<Check> out;
  const auto nat = at(network, "nat");
  const auto& mapped = list(status, "mapped");
  const bool opened = std::any_of(mapped.begin(), mapped.end(), [](const Json& m) {
    return at(m, "transport") == "udp" && m.value("reached", Json()) == Json(true);
  });
  const bool open = opened || nat == "none" || nat == "full-cone";
  out.push_back({"reachable",
                 open          ? Level::ok
                 : nat.empty() ? Level::unknown
                               : Level::fail,
                 opened        ? "by a port that the router opened, as a supernode found out"
                 : nat.empty() ? "not known: no supernode with two addresses has looked"
                 : open        ? "whoever knows the address gets in (" + nat + ")"
                               : "nobody gets in unasked (" + nat + ")",
                 open || nat.empty() ? "" : "forward UDP and TCP port 4400 to this machine, or open its firewall"});
  const auto tcp = machine.port_443 == "free" && machine.port_80 == "free";
  out.push_back(
      {"ports 80, 443", tcp ? Level::ok : Level::warn, "80 " + machine.port_80 + ", 443 " + machine.port_443,
       machine.port_443 == "not allowed" ? "setcap cap_net_bind_service=+ep on the program, or the system unit" : ""});
  char text[96];
  std::snprintf(text, sizeof text, "%u cores, %.1f GB of memory", machine.cores, machine.memory_gb);
  const bool big = machine.cores >= 2 && machine.memory_gb >= 1;
  out.push_back(
      {"machine", machine.memory_gb >= 0.25 ? Level::ok : Level::warn,
       std::string(text) + (big ? ": enough for thousands of people and calls" : ": enough for hundreds of people"),
       ""});
  for (const auto* what : {"uplink", "power", "link"}) out.push_back(fitness_check(relay, what));
  out.push_back(
      {"role", Level::ok, at(status, "role") == "supernode" ? "a supernode already" : "a leaf",
       at(status, "role") == "supernode" || !open ? "" : "linnet relay on, or let it decide: linnet relay auto"});
  return out;
}

}  // namespace linnet::cli
