#include "cli/network.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>

#include "cli/print.h"
#include "node/io/control/control_client.h"
#include "node/io/control/view_json.h"
#include "node/io/terminal.h"

namespace linnet::cli {
namespace {

using Json = nlohmann::json;
using Ordered = nlohmann::ordered_json;

constexpr Duration kProbe = std::chrono::seconds(30);     // a run is over well before
constexpr Duration kAnswered = std::chrono::seconds(20);  // lookup and connect together take no longer

std::string word_at(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
}

std::string figure(const Json& object, const char* key, const char* format = "%.1f ms") {
  const auto it = object.find(key);
  if (it == object.end() || !it->is_number()) return {};
  char out[64];
  std::snprintf(out, sizeof out, format, it->get<double>());
  return out;
}

io::Trouble trouble_of(const Json& answer) {
  return {answer.value("error", std::string("The daemon's answer cannot be read.")),
          static_cast<io::Exit>(answer.value("exit", 1))};
}

std::string yes_no(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it == object.end() || !it->is_boolean() ? "?" : it->get<bool>() ? "yes" : "no";
}

// What was sent and came back on one path.
struct Trips {
  double least = 0, most = 0, sum = 0;
  unsigned count = 0;

  void add(double ms) {
    least = count == 0 ? ms : std::min(least, ms);
    most = std::max(most, ms);
    sum += ms;
    ++count;
  }
};

class Pinger {
 public:
  explicit Pinger(const Context& context) : context_(context) {}

  // The exit code at the last line.
  std::optional<int> take(const std::string& line, bool interrupted) {
    const auto message = Ordered::parse(line, nullptr, false);
    if (!message.is_object()) return fail({"The daemon's answer cannot be read."});
    if (message.value("event", std::string()) == "examined") {
      examined_ = message["examined"];
      if (message["answer"].is_object()) answer(message["answer"]);
      return std::nullopt;
    }
    if (!message.contains("exit")) return std::nullopt;
    if (message.contains("examined")) examined_ = message["examined"];
    return over(message, interrupted);
  }
  int over(const Ordered& message, bool interrupted) {
    const int exit = interrupted ? (any_ ? 0 : code(io::Exit::interrupted)) : message.value("exit", 1);
    // Nobody was there to be asked: only why is left to tell.
    if (exit != 0 && !asked_anybody())
      return fail({message.value("error", std::string()), static_cast<io::Exit>(exit)});
    if (context_.json) {
      Ordered out = examined_.is_object() ? examined_ : Ordered{{"schema", 1}};
      out["result"] = any_ ? "answered" : "no-answer";
      out["error"] = message.value("error", std::string()).empty() ? Ordered(nullptr) : message["error"];
      say(io::line_of(out));
    } else {
      summary();
    }
    return exit == 0 ? 0 : fail({message.value("error", std::string()), static_cast<io::Exit>(exit)});
  }
  const Ordered& examined() const { return examined_; }

 private:
  bool asked_anybody() const {
    return examined_.is_object() && examined_.contains("devices") && !examined_["devices"].empty();
  }
  void answer(const Ordered& a) {
    any_ = any_ || a["rtt_ms"].is_number();
    if (context_.json) return row(io::line_of(a));
    head();
    const Json plain = Json::parse(a.dump());
    const auto seq = std::to_string(a.value("seq", 0));
    if (!a["rtt_ms"].is_number()) return say("no answer: seq=" + seq);
    const auto by = word_at(plain, "by");
    const auto path = path_text(plain) + " by " + by.substr(0, by.find(" via "));  // which the path says already
    trips_[path].add(a["rtt_ms"].get<double>());
    say("answer from " + word_at(plain, "device") + ": seq=" + seq + "  " + path + "  time=" + figure(plain, "rtt_ms"));
  }
  void head() {
    if (std::exchange(headed_, true) || !examined_.is_object()) return;
    const Json e = Json::parse(examined_.dump());
    const auto n = e.contains("devices") ? e["devices"].size() : 0;
    say("PING " + word_at(e, "peer") + ": found in " + figure(e, "lookup_ms") + ", " + std::to_string(n) +
        (n == 1 ? " device" : " devices"));
  }
  void summary() {
    if (!examined_.is_object() || !examined_.contains("devices")) return;
    unsigned sent = 0, answered = 0;
    for (const auto& device : examined_["devices"]) {
      sent += device.value("sent", 0U);
      answered += device.value("answered", 0U);
    }
    if (sent == 0) return;
    char share[32];
    std::snprintf(share, sizeof share, "%.0f", 100.0 * (sent - std::min(answered, sent)) / sent);
    say("--- " + examined_.value("peer", std::string()) + ": " + std::to_string(sent) + " sent, " +
        std::to_string(answered) + " answered, " + share + " % lost");
    for (const auto& [path, trips] : trips_) {
      char out[96];
      std::snprintf(out, sizeof out, "  min/avg/max %.1f/%.1f/%.1f ms", trips.least, trips.sum / trips.count,
                    trips.most);
      say(path + out);
    }
  }

  const Context& context_;
  Ordered examined_;
  std::map<std::string, Trips> trips_;
  bool any_ = false;
  bool headed_ = false;
};

}  // namespace

io::Outcome<Ordered> ask_network(const Context& context) {
  auto client = io::Client::connect(context.home);
  if (!client) return tl::unexpected(client.error());
  if (!context.json) talk("Asking supernodes how they see this machine; some seconds ...");
  if (auto sent = client->send(R"({"cmd":"netcheck"})"); !sent) return tl::unexpected(sent.error());
  while (true) {
    const auto line = client->line(kProbe);
    if (!line) return tl::unexpected(line.error());
    if (!*line) return io::trouble("The daemon went away.", io::Exit::no_daemon);
    const auto message = Ordered::parse(**line, nullptr, false);
    if (!message.is_object()) return io::trouble("The daemon's answer cannot be read.");
    if (message.value("event", std::string()) == "progress") {
      if (!context.json) talk("  " + message.value("text", std::string()));
      continue;
    }
    if (!message.contains("netcheck")) return tl::unexpected(trouble_of(Json::parse(**line, nullptr, false)));
    return message["netcheck"];
  }
}

std::string family_text(const Json& family) {
  if (!family.is_object()) return "no supernode with such an address is known";
  if (!family.value("udp", false)) return "no supernode answers by UDP";
  const auto kind = word_at(family, "kind");
  const auto or_unknown = [&](const char* key) {
    const auto word = word_at(family, key);
    return word.empty() ? std::string("not known") : word;
  };
  std::string out;
  if (yes_no(family, "nat") == "no") {
    out = kind == "firewall" ? "no NAT, a firewall" : "no NAT";
    out += ": filtering " + or_unknown("filtering");
  } else {
    out = (kind.empty() ? "a NAT" : kind + " NAT") + ": mapping " + or_unknown("mapping") + ", filtering " +
          or_unknown("filtering") + ", hairpin " + yes_no(family, "hairpin");
  }
  return out + "; seen as " + word_at(family, "mapped");
}

std::string binding_text(const Json& found) {
  const auto binding = found.value("binding", Json());
  const auto every = "; supernodes hear from here every " + figure(found, "keepalive_s", "%.0f s");
  if (!binding.is_object() || (!binding["alive_s"].is_number() && !binding["dead_s"].is_number()))
    return "not measured yet" + every;
  const auto alive = figure(binding, "alive_s", "%.0f s"), dead = figure(binding, "dead_s", "%.0f s");
  std::string out = dead.empty()    ? "kept for " + alive + " at the least"
                    : alive.empty() ? "gone after " + dead
                                    : "kept for " + alive + ", gone after " + dead;
  if (!binding.value("measured", false)) out += " (being measured)";
  return out + every;
}

std::string told_clock_text(const Json& found) {
  const auto ahead = found.value("clock_ahead_s", Json());
  if (!ahead.is_number()) return "?";
  const auto off = ahead.get<std::int64_t>();
  const auto voices = found.value("clock_supernodes", 0);
  const auto whose = std::to_string(voices) + (voices == 1 ? " supernode" : " supernodes");
  if (off == 0) return "right, to the second or two that " + whose + (voices == 1 ? " tells" : " tell");
  return std::to_string(std::abs(off)) + " s " + (off > 0 ? "ahead of " : "behind ") + whose;
}

std::string mapped_by(const Json& port) {
  const auto word = word_at(port, "protocol");
  return word == "static-nat" ? "1:1 NAT" : word;
}

std::string mapped_text(const Json& port) {
  const bool tcp = word_at(port, "transport") != "udp";
  return word_at(port, "external") + (tcp ? "/tcp" : "") + " by " + mapped_by(port) +
         (yes_no(port, "reached") != "no" ? ""
          : word_at(port, "why").empty()  ? " (nobody came in by it)"
                                          : " (" + word_at(port, "why") + ")");
}

std::string reach_text(const Json& relay) {
  const auto one = [&](const char* name, const char* key) {
    const auto ms = figure(relay, key);
    return std::string("  ") + name + " " + (ms.empty() ? "no answer" : ms);
  };
  return word_at(relay, "endpoint") + one("UDP", "udp_ms") + one("TCP", "tcp_ms") + one("443", "tcp443_ms") +
         one("TLS", "tls_ms");
}

int netcheck(const Context& context, const verb::Netcheck&) {
  const auto said = ask_network(context);
  if (!said) return fail(said.error());
  const auto found = std::optional(Json::parse(said->dump(), nullptr, false));
  const bool nobody = (*found)["relays"].empty();
  const bool udp = found->value("udp", Json()).is_boolean() && (*found)["udp"].get<bool>();
  const bool tcp = std::any_of((*found)["relays"].begin(), (*found)["relays"].end(),
                               [](const Json& r) { return r["tcp_ms"].is_number() || r["tcp443_ms"].is_number(); });
  const auto exit = udp || tcp ? io::Exit::ok : io::Exit::unreachable;
  if (context.json) {
    say(io::line_of(*said));
    return code(exit);
  }
  if (nobody)
    return fail(
        {"No supernode is known, so nobody can say how this machine is seen. Join: linnet accept CODE, or "
         "linnet up --bootstrap ADDR:PORT",
         io::Exit::unreachable});
  const auto kind = word_at(*found, "nat");
  say("NAT     " + (kind.empty() ? "?" : kind));
  say("IPv4    " + family_text((*found)["v4"]));
  say("IPv6    " + family_text((*found)["v6"]));
  if (const auto& v4 = (*found)["v4"]; v4.is_object() && yes_no(v4, "nat") == "yes")
    say("unused  " + binding_text(*found));
  for (const auto& port : (*found)["mapped"]) say("mapped  " + mapped_text(port));
  for (const auto& relay : (*found)["relays"]) say("relay   " + reach_text(relay));
  say("clock   " + told_clock_text(*found));
  if (yes_no(*found, "captive_portal") == "yes")
    say("portal  only port 443 answers: a captive portal or a proxy may stand in between. Open a web page first.");
  if (!udp)
    say(tcp ? "UDP is blocked here: calls go over TCP through a supernode." : "No supernode answers, by UDP or TCP.");
  return code(exit);
}

int ping(const Context& context, const verb::Ping& options) {
  auto client = io::Client::connect(context.home);
  if (!client) return fail(client.error());
  const Json request{{"cmd", "examine"}, {"who", options.who}, {"count", options.count}};
  if (auto sent = client->send(request.dump()); !sent) return fail(sent.error());
  client->when_slow(waiting(context, "Looking for " + options.who + " ..."));
  Pinger pinger(context);
  io::Interrupts interrupts;
  while (true) {
    const auto line = client->line(kAnswered, interrupts.fd());
    // Control-C: the daemon stops when this connection closes; what was answered so far is summed up.
    if (!line && line.error().exit == io::Exit::interrupted) return pinger.over(Ordered{{"exit", 130}}, true);
    if (!line) return fail(line.error());
    if (!*line) return fail({"The daemon went away.", io::Exit::no_daemon});
    client->when_slow(nullptr);
    if (const auto exit = pinger.take(**line, false)) return *exit;
  }
}

}  // namespace linnet::cli
