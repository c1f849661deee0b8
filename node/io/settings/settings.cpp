#include <charconv>

#include "node/io/net/interfaces.h"
#include "node/io/net/resolver.h"
#include "node/io/settings/config.h"

namespace linnet::io {
namespace {

std::string quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

std::vector<std::string> split(std::string_view list) {
  std::vector<std::string> out;
  while (!list.empty()) {
    const auto comma = list.find(',');
    auto item = list.substr(0, comma);
    while (!item.empty() && item.front() == ' ') item.remove_prefix(1);
    while (!item.empty() && item.back() == ' ') item.remove_suffix(1);
    if (!item.empty()) out.emplace_back(item);
    list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
  }
  return out;
}

Done wrong(const char* variable, const Trouble& why) {
  return trouble(std::string(variable) + ": " + why.text, Exit::usage);
}

}  // namespace

Outcome<Endpoint> parse_listen(std::string_view text) {
  const auto endpoint = parse_endpoint(text);
  if (!endpoint) return trouble(quoted(text) + " is not ADDR:PORT, as in 0.0.0.0:4400 or [::]:4400", Exit::usage);
  return *endpoint;
}

Outcome<std::string> parse_bootstrap(std::string_view text) {
  if (!parse_host_port(text))
    return trouble(quoted(text) + " is not ADDR:PORT, as in 203.0.113.9:4400 or node.example:4400", Exit::usage);
  return std::string(text);
}

Outcome<RelayMode> parse_relay(std::string_view text) {
  if (text == "on") return RelayMode::on;
  if (text == "off") return RelayMode::off;
  if (text == "auto") return RelayMode::automatic;
  return trouble(quoted(text) + " is not on, off or auto", Exit::usage);
}

Outcome<node::Strangers> parse_strangers(std::string_view text) {
  if (text == "ring") return node::Strangers::ring;
  if (text == "request") return node::Strangers::request;
  if (text == "refuse") return node::Strangers::refuse;
  return trouble(quoted(text) + " is not ring, request or refuse", Exit::usage);
}

Outcome<bool> parse_switch(std::string_view text) {
  if (text == "on" || text == "true" || text == "1") return true;
  if (text == "off" || text == "false" || text == "0") return false;
  return trouble(quoted(text) + " is not on or off", Exit::usage);
}

node::NodeConfig Settings::node_config() const {
  node::NodeConfig out;
  out.peer.network = crypto::network_id(network);
  out.peer.role = relay == RelayMode::on ? overlay::Role::supernode : overlay::Role::leaf;
  out.peer.circuit_bits_per_second = circuit_kbps * 1000;
  if (lan) out.peer.lan = relay == RelayMode::off ? overlay::LanMode::listen : overlay::LanMode::serve;
  out.auto_answer = auto_answer;
  out.strangers = strangers;
  out.ring_timeout = std::chrono::seconds(ring_s);
  out.codec = codec;
  out.bitrate = bitrate_kbps * 1000;
  out.frame = std::chrono::milliseconds(frame_ms);
  out.low_delay = low_delay;
  return out;
}

Done apply_environment(const std::function<const char*(const char*)>& get, Settings& settings) {
  const auto text = [&](const char* variable) -> std::optional<std::string_view> {
    const char* value = get(variable);
    if (value == nullptr || value[0] == '\0') return std::nullopt;
    return value;
  };
  if (const auto value = text("LINNET_LISTEN")) {
    settings.listen.clear();
    for (const auto& item : split(*value)) {
      const auto endpoint = parse_listen(item);
      if (!endpoint) return wrong("LINNET_LISTEN", endpoint.error());
      settings.listen.push_back(*endpoint);
    }
  }
  if (const auto value = text("LINNET_BOOTSTRAP")) {
    settings.bootstrap.clear();
    for (const auto& item : split(*value)) {
      const auto name = parse_bootstrap(item);
      if (!name) return wrong("LINNET_BOOTSTRAP", name.error());
      settings.bootstrap.push_back(*name);
    }
  }
  if (const auto value = text("LINNET_RELAY")) {
    const auto mode = parse_relay(*value);
    if (!mode) return wrong("LINNET_RELAY", mode.error());
    settings.relay = *mode;
  }
  for (const auto& [variable, target] :
       {std::pair{"LINNET_LAN", &settings.lan}, std::pair{"LINNET_AUTO_ANSWER", &settings.auto_answer}}) {
    const auto value = text(variable);
    if (!value) continue;
    const auto on = parse_switch(*value);
    if (!on) return wrong(variable, on.error());
    *target = *on;
  }
  if (const auto value = text("LINNET_STRANGERS")) {
    const auto policy = parse_strangers(*value);
    if (!policy) return wrong("LINNET_STRANGERS", policy.error());
    settings.strangers = *policy;
  }
  if (const auto value = text("LINNET_NETWORK")) settings.network = *value;
  if (const auto value = text("LINNET_LOG")) {
    if (*value != "error" && *value != "warn" && *value != "info" && *value != "debug")
      return wrong("LINNET_LOG", {quoted(*value) + " is not error, warn, info or debug", Exit::usage});
    settings.log_level = *value;
  }
  if (const auto value = text("LINNET_RING_TONE"))
    settings.ring_tone =
        *value == "on" || *value == "off" ? std::string(*value) : std::filesystem::absolute(*value).string();
  if (const auto value = text("LINNET_AUDIO")) settings.sound = *value != "none";
  const auto path = [](std::string_view value) { return std::filesystem::absolute(value).string(); };
  if (const auto value = text("LINNET_PLAY")) settings.play = path(*value);
  if (const auto value = text("LINNET_RECORD")) settings.record = path(*value);
  return {};
}

}  // namespace linnet::io
