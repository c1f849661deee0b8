#include <algorithm>
#include <charconv>

#include "nat/turn_pair.h"
#include "node/io/files.h"
#include "node/io/net/interfaces.h"
#include "node/io/net/resolver.h"
#include "node/io/settings/config.h"
#include "node/io/settings/table.h"
#include "node/io/settings/words.h"

namespace linnet::io {
namespace {

std::string quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

}  // namespace

Outcome<Endpoint> parse_listen(std::string_view text) {
  const auto endpoint = parse_endpoint(text);
  if (!endpoint) return trouble(quoted(text) + " is not ADDR:PORT, as in 0.0.0.0:4400 or [::]:4400", Exit::usage);
  return *endpoint;
}

Outcome<std::string> parse_bootstrap(std::string_view text) {
  if (!parse_host_port(text) && !is_domain(text))
    return trouble(quoted(text) + " is not ADDR:PORT, as in 203.0.113.9:4400 or node.example:4400, nor a domain",
                   Exit::usage);
  return std::string(text);
}

Outcome<RelayMode> parse_relay(std::string_view text) {
  if (const auto mode = value_of<RelayMode>(text)) return *mode;
  return trouble(quoted(text) + " is not on, off or auto", Exit::usage);
}

// Of a name that a client can send (RFC 8489, section 14.3).
Outcome<std::string> parse_turn_user(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0 || colon + 1 == text.size() || colon > 508 || text.size() > 1024)
    return trouble("a user of TURN is NAME:PASSWORD", Exit::usage);
  return std::string(text);
}

Outcome<std::string> parse_turn_secret(std::string_view text) {
  if (text.size() < nat::turn::kLeastSecret || text.size() > nat::turn::kMostSecret)
    return trouble("a secret of TURN has 16 to 256 bytes, as of: openssl rand -hex 24", Exit::usage);
  return std::string(text);
}

bool fits_turn_name(std::string_view name) {
  constexpr std::size_t kMost = 128;
  const auto seen = [](char c) { return static_cast<unsigned char>(c) > ' ' && c != '\x7f'; };
  return !name.empty() && name.size() <= kMost && std::all_of(name.begin(), name.end(), seen);
}

Outcome<std::chrono::seconds> parse_life(std::string_view text) {
  const auto wrong = trouble(quoted(text) + " is not a time of 1s to 90d, as in 90s, 10m, 12h or 7d", Exit::usage);
  std::int64_t number = 0;
  const auto* end = text.data() + text.size();
  const auto [stopped, failed] = std::from_chars(text.data(), end, number);
  if (failed != std::errc() || number < 1 || number > kLongestLife.count()) return wrong;
  const std::string_view unit(stopped, static_cast<std::size_t>(end - stopped));
  const std::int64_t each = unit.empty() || unit == "s" ? 1
                            : unit == "m"               ? 60
                            : unit == "h"               ? 3600
                            : unit == "d"               ? 86'400
                                                        : 0;
  if (each == 0 || number * each > kLongestLife.count()) return wrong;
  return std::chrono::seconds(number * each);
}

Outcome<bool> parse_switch(std::string_view text) {
  if (text == "on" || text == "true" || text == "1") return true;
  if (text == "off" || text == "false" || text == "0") return false;
  return trouble(quoted(text) + " is not on or off", Exit::usage);
}

nat::turn::Policy Settings::relay_policy() const {
  nat::turn::Policy out;
  for (const auto& range : private_ranges) {
    if (const auto parsed = nat::turn::Range::parse(range)) out.private_ranges.push_back(*parsed);
  }
  out.allow_loopback = allow_loopback;
  return out;
}

std::optional<nat::turn::ServerConfig> Settings::turn_config() const {
  if (turn_users.empty() && turn_secret.empty()) return std::nullopt;
  nat::turn::ServerConfig out;
  out.realm = turn_realm;
  out.secret = turn_secret;
  for (const auto& user : turn_users) {
    const auto colon = user.find(':');
    out.users.push_back({user.substr(0, colon), user.substr(colon + 1)});
  }
  out.policy = relay_policy();
  return out;
}

node::NodeConfig Settings::node_config() const {
  node::NodeConfig out;
  out.peer.network = crypto::network_id(network);
  out.peer.role = relay == RelayMode::on ? overlay::Role::supernode : overlay::Role::leaf;
  out.peer.promotable = true;  // when it is told that it is fit, or to serve
  out.peer.circuit_bits_per_second = circuit_kbps * 1000;
  out.peer.peer_bits_per_second = peer_kbps.value_or(0) * 1000;
  out.peer.prefix_bits_per_second = prefix_kbps.value_or(0) * 1000;
  if (month_gb) out.peer.month_bytes = *month_gb * 1'000'000'000;
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

void apply_proxy_environment(const std::function<const char*(const char*)>& get, Settings& settings) {
  const auto first = [&](std::initializer_list<const char*> names) {
    for (const char* name : names) {
      if (const char* given = get(name); given != nullptr && given[0] != '\0') return std::string(given);
    }
    return std::string();
  };
  if (settings.proxy.empty()) settings.proxy = first({"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"});
  settings.no_proxy = first({"no_proxy", "NO_PROXY"});
}

Done apply_environment(const std::function<const char*(const char*)>& get, Settings& settings) {
  for (const auto& setting : setting_table()) {
    const char* given = setting.variable == nullptr ? nullptr : get(setting.variable);
    if (given == nullptr || given[0] == '\0') continue;
    auto wanted = setting.read({Value::Word{given}, absolute(".")}, settings);
    std::erase(wanted, '"');                           // of a file
    const bool secret = setting.key() == "net.proxy";  // may hold a password
    if (!wanted.empty())
      return trouble(std::string(setting.variable) + ": " + (secret ? "it" : quoted(given)) + " is not " + wanted,
                     Exit::usage);
  }
  return {};
}

}  // namespace linnet::io
