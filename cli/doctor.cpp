#include "cli/doctor.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/checks.h"
#include "cli/network.h"
#include "cli/relay.h"
#include "node/io/control/control_client.h"
#include "node/io/control/view_json.h"
#include "node/io/machine.h"
#include "node/io/sound/sound_devices.h"
#include "node/io/terminal.h"

namespace linnet::cli {
namespace {

using Json = nlohmann::json;
using Ordered = nlohmann::ordered_json;

constexpr Duration kStatus = std::chrono::seconds(15);
constexpr Duration kExamined = std::chrono::seconds(30);
constexpr unsigned kRounds = 3;

Check audio_check() {
  const auto devices = io::sound_devices();
  if (!devices) return {"audio", Level::warn, devices.error().text, "linnet audio test"};
  bool microphone = false, loudspeaker = false;
  for (const auto& device : *devices) {
    microphone = microphone || device.microphone;
    loudspeaker = loudspeaker || device.loudspeaker;
  }
  if (!microphone || !loudspeaker)
    return {"audio", Level::warn,
            microphone    ? "no loudspeaker"
            : loudspeaker ? "no microphone"
                          : "no sound device",
            "linnet audio ls; without one, calls play and record files"};
  return {"audio", Level::ok, std::to_string(devices->size()) + " devices", ""};
}

// The last line of an examination, with what was learnt; Trouble when there is no such line.
io::Outcome<Ordered> examine(const Context& context, const std::string& who) {
  auto client = io::Client::connect(context.home);
  if (!client) return tl::unexpected(client.error());
  if (!context.json) talk("Looking for a way to " + who + " ...");
  const Json request{{"cmd", "examine"}, {"who", who}, {"count", kRounds}, {"deep", true}};
  if (auto sent = client->send(request.dump()); !sent) return tl::unexpected(sent.error());
  while (true) {
    const auto line = client->line(kExamined);
    if (!line) return tl::unexpected(line.error());
    if (!*line) return io::trouble("The daemon went away.", io::Exit::no_daemon);
    auto message = Ordered::parse(**line, nullptr, false);
    if (!message.is_object()) return io::trouble("The daemon's answer cannot be read.");
    if (message.contains("exit")) return message;
  }
}

void show(const std::vector<Check>& checks) {
  for (const auto& check : checks) {
    std::string name = check.name;
    name.resize(std::max<std::size_t>(name.size(), 17), ' ');
    std::string level(shown(check.level));
    level.resize(5, ' ');
    say(name + level + check.text);
    if (!check.remedy.empty()) say(std::string(22, ' ') + "-> " + check.remedy);
  }
}

Ordered as_json(const std::vector<Check>& checks) {
  Ordered out = Ordered::array();
  for (const auto& check : checks)
    out.push_back(Ordered{{"name", check.name},
                          {"level", to_string(check.level)},
                          {"text", check.text},
                          {"remedy", check.remedy.empty() ? Ordered(nullptr) : Ordered(check.remedy)}});
  return out;
}

// For those who only read it.
Json plain(const Ordered& json) { return Json::parse(json.dump(), nullptr, false); }

// The first that failed, else the first that is not well; null when all is.
Ordered culprit(const std::vector<Check>& checks) {
  for (const auto level : {Level::fail, Level::warn}) {
    for (const auto& check : checks)
      if (check.level == level) return check.name + ": " + check.text;
  }
  return nullptr;
}

io::Outcome<Json> status_of(const Context& context) {
  const auto line = io::ask(context.home, R"({"cmd":"status"})", kStatus);
  if (!line) return tl::unexpected(line.error());
  Json status = Json::parse(*line, nullptr, false);
  if (!status.is_object()) return io::trouble("The daemon's answer cannot be read.");
  return status;
}

int tell(const Context& context, const std::vector<Check>& checks, Ordered more, int exit) {
  const auto failed = [](const Check& c) { return c.level == Level::fail; };
  if (exit == 0 && std::any_of(checks.begin(), checks.end(), failed)) exit = code(io::Exit::failed);
  if (!context.json) {
    show(checks);
    return exit;
  }
  Ordered out{{"schema", io::kSchema}, {"checks", as_json(checks)}, {"culprit", culprit(checks)}, {"exit", exit}};
  for (auto& [key, value] : more.items()) out[key] = value;
  say(io::line_of(out));
  return exit;
}

int about_person(const Context& context, const std::string& who, const Json& status) {
  const auto said = examine(context, who);
  if (!said) return fail(said.error());
  const auto found = said->contains("examined") ? (*said)["examined"] : Ordered();
  const auto nat = status.value("nat", Json());
  std::vector<Check> checks{{"identity", Level::ok, status.value("uri", std::string()), ""}};
  const auto more = check_person(plain(found), nat.is_string() ? nat.get<std::string>() : std::string());
  checks.insert(checks.end(), more.begin(), more.end());
  const int exit = said->value("exit", 1);
  const auto why = said->value("error", std::string());
  if (more.empty() || exit != 0) checks.push_back({"verdict", Level::fail, why, ""});
  return tell(context, checks, Ordered{{"peer", found}, {"error", why.empty() ? Ordered(nullptr) : Ordered(why)}},
              exit);
}

}  // namespace

int doctor(const Context& context, const verb::Doctor& options) {
  const auto status = status_of(context);
  if (!status) {
    if (!context.json) show({{"daemon", Level::fail, status.error().text, ""}});
    return fail(context.json ? status.error() : io::Trouble{"", status.error().exit});
  }
  if (!options.who.empty()) return about_person(context, options.who, *status);
  const auto network = ask_network(context);
  if (!network) return fail(network.error());
  std::vector<Check> checks;
  if (options.as_supernode) {
    const auto machine = io::look_at_machine();
    const auto relay = relay_view(context, std::nullopt);
    checks = check_supernode({machine.cores, machine.memory_gb, machine.port_80, machine.port_443}, *status,
                             plain(*network), relay ? plain(*relay) : Json());
  } else {
    checks = check_node(*status, plain(*network));
    checks.push_back(audio_check());
  }
  return tell(context, checks, Ordered{{"netcheck", *network}}, 0);
}

}  // namespace linnet::cli
