#include "cli/relay.h"

#include <nlohmann/json.hpp>

#include "cli/print.h"
#include "node/io/control/control_client.h"
#include "node/io/control/view_json.h"
#include "node/io/settings/words.h"

namespace linnet::cli {
namespace {

using Ordered = nlohmann::ordered_json;

constexpr Duration kMade = std::chrono::seconds(15);

std::string written(const Ordered& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
}

// The object under this key of the daemon's answer.
io::Outcome<Ordered> asked(const Context& context, const Ordered& request, const char* key) {
  const auto line = io::ask(context.home, request.dump(), kMade);
  if (!line) return tl::unexpected(line.error());
  const auto answer = Ordered::parse(*line, nullptr, false);
  if (!answer.is_object()) return io::trouble("The daemon's answer cannot be read.");
  auto made = answer.value(key, Ordered());
  if (made.is_object()) return made;
  return io::trouble(answer.value("error", std::string("Failed.")), static_cast<io::Exit>(answer.value("exit", 1)));
}

std::string count(const Ordered& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_number() ? it->dump() : "?";
}

std::string in_mb(const Ordered& object, const char* key) {
  const auto it = object.find(key);
  if (it == object.end() || !it->is_number()) return "?";
  char text[48];
  std::snprintf(text, sizeof text, "%.1f MB", it->get<double>() / 1e6);
  return text;
}

void say_serving(const Ordered& view) {
  const auto& relay = view["relay"];
  const auto limit = relay["month_limit"].is_null() ? std::string() : " of " + in_mb(relay, "month_limit");
  say("leaves    " + count(relay, "leaves"));
  say("circuits  " + count(relay, "circuits") + "  " + count(relay, "packets") + " packets, " + in_mb(relay, "bytes"));
  say("month     " + in_mb(relay, "month_bytes") + limit);
  const auto& refused = relay["refused"];
  say("refused   " + count(refused, "full") + " circuits for want of room, " + count(refused, "month") +
      " for this month");
  const auto& dropped = relay["dropped"];
  say("dropped   packets over the limit of a circuit " + count(dropped, "circuit") + ", of a peer " +
      count(dropped, "peer") + ", of a prefix " + count(dropped, "prefix") + ", of the month " +
      count(dropped, "month"));
}

// Of a node that may be promoted: why it is what it is.
std::string standby_text(const Ordered& view) {
  const auto& standby = view["standby"];
  const bool supernode = written(view, "role") == "supernode";
  if (standby["handing_over"] == true) return "about to be a leaf: those it serves are handed over";
  if (supernode && standby["serves_for_s"].is_null()) return "looks for its place among the supernodes";
  if (supernode) return "serves for " + count(standby, "serves_for_s") + " s";
  if (standby["rests_s"].is_number()) return "rests for " + count(standby, "rests_s") + " s after it served last";
  if (standby["offered"] != true) return "not offered: something is missing";
  return "offered to " + count(standby, "offered_to") + " supernodes, called when one more is needed" +
         (standby["called_s_ago"].is_null() ? "" : "; called " + count(standby, "called_s_ago") + " s ago");
}

void say_table(const Ordered& table) {
  say("records   " + count(table, "records") + "  " + in_mb(table, "record_bytes"));
  say("network   " + count(table, "supernodes_estimated") + " supernodes as it looks from here, " +
      count(table, "contacts") + " known");
  for (const auto& at : table["neighbours"])
    if (at.is_string()) say("          " + at.get<std::string>());
}

std::string mark(const Ordered& met) { return met.is_null() ? "?  " : met.get<bool>() ? "ok " : "no "; }

}  // namespace

io::Outcome<Ordered> relay_view(const Context& context, std::optional<io::RelayMode> mode) {
  Ordered request{{"cmd", "relay"}};
  if (mode) request["mode"] = io::word_of(*mode);
  return asked(context, request, "relay");
}

int relay_status(const Context& context, std::optional<io::RelayMode> mode) {
  const auto view = relay_view(context, mode);
  if (!view) return fail(view.error());
  if (context.json) {
    say(io::line_of(*view));
    return 0;
  }
  const auto place = written(*view, "place"), why = written(*view, "place_why");
  say("mode      " + written(*view, "mode") + (mode ? ", until this node is started anew" : ""));
  say("role      " + written(*view, "role") + (place.empty() ? "" : " at " + place) +
      (place.empty() || why.empty() ? "" : " (" + why + ")"));
  if ((*view)["standby"].is_object()) say("standby   " + standby_text(*view));
  if ((*view)["relay"].is_object()) say_serving(*view);
  if ((*view)["table"].is_object()) say_table((*view)["table"]);
  for (const auto& check : (*view)["checks"])
    say("fit       " + mark(check["met"]) + written(check, "what") + ": " + written(check, "found"));
  return 0;
}

int relay_credentials(const Context& context, const verb::RelayCredentials& options) {
  const Ordered request{{"cmd", "credentials"}, {"name", options.name}, {"seconds", options.life.count()}};
  const auto made = asked(context, request, "credentials");
  if (!made) return fail(made.error());
  if (context.json) {
    say(io::line_of(*made));
    return 0;
  }
  say("username  " + written(*made, "username"));
  say("password  " + written(*made, "password"));
  say("good for  " + std::to_string(made->value("ttl", std::int64_t{0})) + " s");
  for (const auto& uri : made->value("uris", Ordered::array()))
    if (uri.is_string()) say("at        " + uri.get<std::string>());
  return 0;
}

}  // namespace linnet::cli
