// What a person sets: flags, environment, files. Flag > LINNET_* > user file > system file; each layer writes over the
// one below. docs/config.md lists every key; table.cpp holds what is known of each.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "media/audio_processing.h"
#include "nat/turn_config.h"
#include "node/config.h"
#include "node/io/net/turn_uri.h"
#include "node/io/relay_mode.h"
#include "node/io/sound/sound_devices.h"
#include "node/io/trouble.h"

namespace linnet::io {

struct Settings {
  std::vector<Endpoint> listen;        // empty: every address, port 4400
  std::vector<std::string> bootstrap;  // HOST:PORT, resolved at start
  bool lan = true;
  std::string network = "linnet";
  std::string proxy;         // net.proxy, else of the environment: for streams; empty: none
  std::string no_proxy;      // of the environment
  bool port_mapping = true;  // net.port_mapping
  RelayMode relay = RelayMode::automatic;
  std::uint64_t circuit_kbps = 128;          // relay.bandwidth
  std::optional<std::uint64_t> peer_kbps;    // relay.peer; none: eight times a circuit's
  std::optional<std::uint64_t> prefix_kbps;  // relay.prefix; none: 128 times
  std::optional<std::uint64_t> month_gb;     // relay.month
  std::uint32_t gather_us = 0;               // relay.gather
  std::uint32_t stable_s = 1200;             // relay.stable
  std::uint32_t idle_percent = 25;           // relay.idle
  std::vector<std::string> private_ranges;   // relay.private: what TURN clients may reach of them
  std::vector<std::string> turn_users;       // turn.users, NAME:PASSWORD; empty: no TURN is served
  std::string turn_secret;                   // turn.secret: who has a pair made with it is a user; empty: nobody
  std::string turn_realm = "linnet";         // turn.realm
  bool allow_loopback = false;               // --relay-allow-loopback, for tests
  bool auto_answer = false;
  node::Strangers strangers = node::Strangers::ring;
  std::string play;  // absolute path of a WAV file, empty: none
  std::string record;
  node::CodecChoice codec = node::CodecChoice::opus;
  std::uint32_t bitrate_kbps = 24;
  std::uint32_t frame_ms = 20;
  bool low_delay = false;
  std::uint32_t ring_s = 60;
  std::string ring_tone = "on";  // how a call is announced: "on", "off", or the absolute path of a WAV file
  bool ringback = true;          // the caller hears that it rings there
  bool sound = true;             // audio.device = "none" makes silent calls
  SoundChoice sound_choice;      // audio.device, audio.microphone, audio.loudspeaker: empty is the default
  media::AudioProcessingConfig sound_processing;  // audio.echo, audio.noise, audio.gain
  std::string log_level = "info";                 // error, warn, info, debug
  std::string metrics;                            // a loopback ADDR:PORT; empty: nobody is told figures

  std::string turn_server;       // turn-client.server, a URI; empty: no TURN server is used
  std::string turn_user;         // turn-client.user
  std::string turn_password;     // turn-client.password
  std::string turn_ca;           // turn-client.ca: file of authorities; empty: those of the system
  std::string turn_fingerprint;  // turn-client.fingerprint, as TlsTrust has it
  bool turn_insecure = false;    // turn-client.insecure: whoever answers by TLS

  nat::turn::Policy relay_policy() const;  // where to nothing is sent that somebody else asks for
  std::optional<nat::turn::ServerConfig> turn_config() const;
  node::NodeConfig node_config() const;  // without what start-up finds out: bound addresses, bootstrap, sequence
};

// Every key of the file, "relay.mode", in the order of docs/config.md.
std::vector<std::string> config_keys();
// Every LINNET_* variable that sets one.
std::vector<const char*> config_variables();

// Reads TOML over `settings`. Errors: "config.toml:14:8 unknown key "relay.bandwith"; did you mean "bandwidth"?"
Done parse_config(std::string_view text, const std::string& name, Settings& settings);
// The files that exist, in order.
Done read_config_files(const std::vector<std::filesystem::path>& files, Settings& settings);
// Every LINNET_* variable of the table (table.cpp); a list is comma-separated. `get` returns null for what is not set.
Done apply_environment(const std::function<const char*(const char*)>& get, Settings& settings);

// HTTPS_PROXY, ALL_PROXY (in lower case first) where net.proxy says nothing, and NO_PROXY.
void apply_proxy_environment(const std::function<const char*(const char*)>& get, Settings& settings);

// Values as flags, environment and files spell them. Trouble says what would have been right.
Outcome<Endpoint> parse_listen(std::string_view text);
Outcome<std::string> parse_bootstrap(std::string_view text);
Outcome<RelayMode> parse_relay(std::string_view text);
Outcome<std::string> parse_turn_user(std::string_view text);
Outcome<std::string> parse_turn_secret(std::string_view text);
// Of a pair of a short life: 1 to 128 bytes that can be seen.
bool fits_turn_name(std::string_view name);
// "90s", "10m", "12h", "7d", or seconds without a letter; a second to 90 days.
inline constexpr std::chrono::seconds kLongestLife = std::chrono::hours(24 * 90);
Outcome<std::chrono::seconds> parse_life(std::string_view text);
Outcome<bool> parse_switch(std::string_view text);  // on, off

}  // namespace linnet::io
