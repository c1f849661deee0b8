#include "node/io/settings/table.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "node/io/net/interfaces.h"
#include "node/io/net/tls.h"
#include "node/io/settings/words.h"
#include "overlay/proxy.h"

namespace linnet::io {
namespace {

using When = Setting::When;

std::string in_quotes(std::string_view text) { return "\"" + std::string(text) + "\""; }
std::string yes_no(bool value) { return value ? "true" : "false"; }
std::string or_none(const std::string& value) { return value.empty() ? "none" : in_quotes(value); }

template <class List, class Text>
std::string list_text(const List& list, Text&& text) {
  std::string out;
  for (const auto& item : list) out += (out.empty() ? "" : ", ") + text(item);
  return "[" + out + "]";
}

// The text of a value, of either kind; nothing for an empty one and for what is none.
std::optional<std::string> text_in(const Value& value) {
  const auto* text = std::get_if<std::string>(&value.is);
  const auto* word = std::get_if<Value::Word>(&value.is);
  if (word != nullptr) text = &word->text;
  return text == nullptr || text->empty() ? std::nullopt : std::optional(*text);
}

std::optional<std::vector<std::string>> list_in(const Value& value) {
  if (const auto* list = std::get_if<std::vector<std::string>>(&value.is)) return *list;
  const auto* word = std::get_if<Value::Word>(&value.is);
  if (word == nullptr) return std::nullopt;
  std::vector<std::string> out;
  std::string_view rest = word->text;
  while (!rest.empty()) {
    const auto comma = rest.find(',');
    auto item = rest.substr(0, comma);
    while (!item.empty() && item.front() == ' ') item.remove_prefix(1);
    while (!item.empty() && item.back() == ' ') item.remove_suffix(1);
    if (!item.empty()) out.emplace_back(item);
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
  }
  return out;
}

std::string path_in(const Value& value, const std::string& text) {
  return (value.folder / text).lexically_normal().string();
}

std::string read_flag(const Value& value, bool& target) {
  if (const auto* given = std::get_if<bool>(&value.is)) {
    target = *given;
    return {};
  }
  const auto* word = std::get_if<Value::Word>(&value.is);
  if (word == nullptr) return "true or false";
  const auto on = parse_switch(word->text);
  if (!on) return "on or off";
  target = *on;
  return {};
}

std::string read_text(const Value& value, std::string& target) {
  const auto text = text_in(value);
  if (!text) return "a text in quotes";
  target = *text;
  return {};
}

// Short, since every stranger is told (nat/turn_credentials.h).
std::string read_realm(const Value& value, std::string& target) {
  const auto text = text_in(value);
  if (!text || text->size() > 64 || text->find('"') != std::string::npos) return "a text of at most 64 letters";
  target = *text;
  return {};
}

std::string read_path(const Value& value, std::string& target) {
  const auto text = text_in(value);
  if (!text) return "a text in quotes";
  target = path_in(value, *text);
  return {};
}

template <class E>
std::string read_word(const Value& value, E& target) {
  const auto word = value_of<E>(text_in(value).value_or(""));
  if (!word) return spelled_words<E>();
  target = *word;
  return {};
}

template <class N>
std::string read_number(const Value& value, N low, N high, const char* wanted, N& target) {
  const auto* number = std::get_if<std::int64_t>(&value.is);
  if (number == nullptr || *number < 0) return wanted;
  const auto n = static_cast<std::uint64_t>(*number);
  if (n < low || n > high) return wanted;
  target = static_cast<N>(n);
  return {};
}

template <class Item, class Parse>
std::string read_list(const Value& value, const char* wanted, Parse&& parse, std::vector<Item>& target) {
  const auto list = list_in(value);
  if (!list) return wanted;
  std::vector<Item> out;
  for (const auto& text : *list) {
    const auto item = parse(text);
    if (!item) return wanted;
    out.push_back(*item);
  }
  target = std::move(out);
  return {};
}

// ADDR/BITS
std::optional<std::string> parse_range(const std::string& text) {
  const auto slash = text.find('/');
  if (slash == std::string::npos) return std::nullopt;
  const auto ip = IpAddress::parse(std::string_view(text).substr(0, slash));
  const auto digits = std::string_view(text).substr(slash + 1);
  unsigned bits = 0;
  const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
  const bool good =
      ip && failed == std::errc() && end == digits.data() + digits.size() && bits <= (ip->is_v4() ? 32U : 128U);
  return good ? std::optional(text) : std::nullopt;
}

// Never with the passwords; another password is seen all the same.
std::string users_text(const std::vector<std::string>& users) {
  return list_text(users, [](const std::string& user) {
    const auto hash = crypto::hash256({view(user)});
    return in_quotes(user.substr(0, user.find(':')) + ":#" + to_hex(ByteView(hash.bytes).first(4)));
  });
}

std::string read_turn_secret(const Value& value, std::string& target) {
  const auto secret = parse_turn_secret(text_in(value).value_or(""));
  if (!secret) return "a text of 16 to 256 bytes, as of: openssl rand -hex 24";
  target = *secret;
  return {};
}

std::string read_turn_server(const Value& value, std::string& target) {
  const auto text = text_in(value);
  if (!text || !TurnUri::parse(*text))
    return R"(a TURN server, as in "turn:turn.example:3478", "turn:turn.example?transport=tcp" or "turns:turn.example")";
  target = *text;
  return {};
}

std::string read_turn_name(const Value& value, std::string& target) {
  const auto text = text_in(value);
  if (!text || text->size() > 508) return "a text of at most 508 bytes";
  target = *text;
  return {};
}

std::string read_fingerprint(const Value& value, std::string& target) {
  const auto digits = TlsTrust::parse_fingerprint(text_in(value).value_or(""));
  if (!digits) return R"(the SHA-256 of a certificate, as in "sha256:A1:B2:...", 32 pairs of digits)";
  target = *digits;
  return {};
}

// Only that there is one, and whether it is another than before.
std::string secret_text(const std::string& value) {
  if (value.empty()) return "none";
  return in_quotes("#" + to_hex(ByteView(crypto::hash256({view(value)}).bytes).first(4)));
}

// Two devices under one key: a variable says only whether there is sound at all.
std::string read_device(const Value& value, Settings& s) {
  auto text = text_in(value);
  if (!text) return R"("default", "none" or the name of a device (linnet audio ls))";
  s.sound = *text != "none";
  if (std::holds_alternative<Value::Word>(value.is)) return {};
  if (*text == "none" || *text == "default") text->clear();
  s.sound_choice = {*text, *text};
  return {};
}

// One name for both devices; two different ones show at their own keys.
std::string device_text(const Settings& s) {
  const auto& choice = s.sound_choice;
  if (!s.sound) return "\"none\"";
  return choice.microphone == choice.loudspeaker && !choice.microphone.empty() ? or_none(choice.microphone)
                                                                               : "\"default\"";
}

// On this machine alone: there is nobody to ask for a password.
std::string read_metrics(const Value& value, std::string& target) {
  const auto text = text_in(value);
  const auto at = text ? parse_endpoint(*text) : std::nullopt;
  const bool off = text && *text == "off";
  if (!off && (!at || !at->ip.is_loopback()))
    return R"("off", or a loopback address and a port, as in "127.0.0.1:9440")";
  target = off ? "" : *text;
  return {};
}

std::string read_proxy(const Value& value, std::string& target) {
  const auto text = text_in(value);
  if (!text || (*text != "off" && !overlay::Proxy::parse(*text)))
    return R"("off", or a proxy, as in "http://proxy.example:3128" or "socks5://10.0.0.1:1080")";
  target = *text;
  return {};
}

// Never with its password.
std::string proxy_text(const std::string& value) {
  const auto proxy = overlay::Proxy::parse(value);
  return value.empty() || value == "off" || !proxy ? or_none(value == "off" ? value : "") : in_quotes(proxy->shown());
}

std::string read_ring_tone(const Value& value, Settings& s) {
  const auto text = text_in(value);
  if (!text) return R"("on", "off" or a WAV file)";
  s.ring_tone = *text == "on" || *text == "off" ? *text : path_in(value, *text);
  return {};
}

std::string read_frame(const Value& value, Settings& s) {
  constexpr auto kWanted = "10, 20, 40 or 60 (ms)";
  auto frame = s.frame_ms;
  if (auto why = read_number(value, 10U, 60U, kWanted, frame); !why.empty()) return why;
  if (frame != 10 && frame != 20 && frame != 40 && frame != 60) return kWanted;
  s.frame_ms = frame;
  return {};
}

constexpr auto kEndpoints = R"(a list of ADDR:PORT, as in ["0.0.0.0:4400"])";
constexpr auto kNames = R"(a list of ADDR:PORT, as in ["node.example:4400"])";
constexpr auto kUsers = R"(a list of NAME:PASSWORD, as in ["phone:long and secret"])";
constexpr auto kRanges = R"(a list of ranges, as in ["10.0.0.0/8"])";

using In = const Value&;
using Set = Settings&;
using Get = const Settings&;

// The member that a row carries.
#define CARRY(member) [](Get from, Set to) { to.member = from.member; }
// Rows of the common kinds.
#define FLAG(section, name, variable, when, member)                                           \
  Setting {                                                                                   \
    section, name, variable, when, false, [](In v, Set s) { return read_flag(v, s.member); }, \
        [](Get s) { return yes_no(s.member); }, CARRY(member)                                 \
  }
#define WORD(section, name, variable, when, member)                                           \
  Setting {                                                                                   \
    section, name, variable, when, false, [](In v, Set s) { return read_word(v, s.member); }, \
        [](Get s) { return in_quotes(word_of(s.member)); }, CARRY(member)                     \
  }
#define TEXT(section, name, variable, when, personal, reader, shown, member)                  \
  Setting {                                                                                   \
    section, name, variable, when, personal, [](In v, Set s) { return reader(v, s.member); }, \
        [](Get s) { return shown(s.member); }, CARRY(member)                                  \
  }
#define NUMBER(section, name, when, low, high, wanted, member)                                       \
  Setting {                                                                                          \
    section, name, nullptr, when, false,                                                             \
        [](In v, Set s) { return read_number<decltype(s.member)>(v, low, high, wanted, s.member); }, \
        [](Get s) { return std::to_string(s.member); }, CARRY(member)                                \
  }
// A number that may be left out.
#define CAP(section_key, low, high, wanted, member)                                                     \
  Setting {                                                                                             \
    "relay", section_key, nullptr, When::restart, false,                                                \
        [](In v, Set s) {                                                                               \
          std::uint64_t number = 0;                                                                     \
          auto why = read_number<std::uint64_t>(v, low, high, wanted, number);                          \
          if (why.empty()) s.member = number;                                                           \
          return why;                                                                                   \
        },                                                                                              \
        [](Get s) { return s.member ? std::to_string(*s.member) : std::string("none"); }, CARRY(member) \
  }

const Setting kTable[] = {
    {"", "listen", "LINNET_LISTEN", When::restart, true,
     [](In v, Set s) { return read_list(v, kEndpoints, parse_listen, s.listen); },
     [](Get s) { return list_text(s.listen, [](const Endpoint& e) { return in_quotes(e.to_string()); }); },
     CARRY(listen)},
    {"", "bootstrap", "LINNET_BOOTSTRAP", When::now, true,
     [](In v, Set s) { return read_list(v, kNames, parse_bootstrap, s.bootstrap); },
     [](Get s) { return list_text(s.bootstrap, in_quotes); }, CARRY(bootstrap)},
    FLAG("", "lan", "LINNET_LAN", When::restart, lan),
    TEXT("", "network", "LINNET_NETWORK", When::restart, false, read_text, in_quotes, network),
    WORD("", "log", "LINNET_LOG", When::now, log_level),
    TEXT("", "metrics", "LINNET_METRICS", When::restart, false, read_metrics, or_none, metrics),
    TEXT("net", "proxy", "LINNET_PROXY", When::restart, true, read_proxy, proxy_text, proxy),
    FLAG("net", "port_mapping", "LINNET_PORT_MAPPING", When::restart, port_mapping),
    WORD("relay", "mode", "LINNET_RELAY", When::restart, relay),
    NUMBER("relay", "bandwidth", When::restart, 8, 1'000'000, "kbit/s a circuit, 8 to 1000000", circuit_kbps),
    CAP("peer", 8, 10'000'000, "kbit/s of one peer, 8 to 10000000", peer_kbps),
    CAP("prefix", 8, 100'000'000, "kbit/s of one prefix, 8 to 100000000", prefix_kbps),
    CAP("month", 0, 1'000'000, "gigabytes a month", month_gb),
    NUMBER("relay", "stable", When::restart, 5, 86'400, "seconds, 5 to 86400", stable_s),
    NUMBER("relay", "idle", When::restart, 0, 100, "percent of a core, 0 to 100", idle_percent),
    NUMBER("relay", "gather", When::restart, 0, 1000, "microseconds, 0 to 1000", gather_us),
    {"relay", "private", nullptr, When::restart, true,
     [](In v, Set s) { return read_list(v, kRanges, parse_range, s.private_ranges); },
     [](Get s) { return list_text(s.private_ranges, in_quotes); }, CARRY(private_ranges)},
    {"turn", "users", nullptr, When::restart, true,
     [](In v, Set s) { return read_list(v, kUsers, parse_turn_user, s.turn_users); },
     [](Get s) { return users_text(s.turn_users); }, CARRY(turn_users)},
    TEXT("turn", "secret", nullptr, When::restart, true, read_turn_secret, secret_text, turn_secret),
    TEXT("turn", "realm", nullptr, When::restart, false, read_realm, in_quotes, turn_realm),
    TEXT("turn-client", "server", nullptr, When::restart, true, read_turn_server, or_none, turn_server),
    TEXT("turn-client", "user", nullptr, When::restart, true, read_turn_name, or_none, turn_user),
    TEXT("turn-client", "password", nullptr, When::restart, true, read_turn_name, secret_text, turn_password),
    TEXT("turn-client", "ca", nullptr, When::restart, true, read_path, or_none, turn_ca),
    TEXT("turn-client", "fingerprint", nullptr, When::restart, true, read_fingerprint, or_none, turn_fingerprint),
    FLAG("turn-client", "insecure", nullptr, When::restart, turn_insecure),
    FLAG("call", "auto_answer", "LINNET_AUTO_ANSWER", When::now, auto_answer),
    WORD("call", "strangers", "LINNET_STRANGERS", When::now, strangers),
    TEXT("call", "play", "LINNET_PLAY", When::now, true, read_path, or_none, play),
    TEXT("call", "record", "LINNET_RECORD", When::now, true, read_path, or_none, record),
    WORD("call", "codec", nullptr, When::now, codec),
    NUMBER("call", "bitrate", When::now, 6, 64, "kbit/s, 6 to 64", bitrate_kbps),
    {"call", "frame", nullptr, When::now, false, read_frame, [](Get s) { return std::to_string(s.frame_ms); },
     CARRY(frame_ms)},
    NUMBER("call", "ring", When::now, 5, 600, "seconds, 5 to 600", ring_s),
    {"call", "ring_tone", "LINNET_RING_TONE", When::now, true, read_ring_tone,
     [](Get s) { return in_quotes(s.ring_tone); }, CARRY(ring_tone)},
    FLAG("call", "ringback", nullptr, When::now, ringback),
    FLAG("media", "low_delay", nullptr, When::now, low_delay),
    {"audio", "device", "LINNET_AUDIO", When::restart, false, read_device, device_text,
     [](Get from, Set to) {
       to.sound = from.sound;
       to.sound_choice = from.sound_choice;
     }},
    TEXT("audio", "microphone", nullptr, When::restart, false, read_text, or_none, sound_choice.microphone),
    TEXT("audio", "loudspeaker", nullptr, When::restart, false, read_text, or_none, sound_choice.loudspeaker),
    WORD("audio", "echo", nullptr, When::restart, sound_processing.echo),
    FLAG("audio", "noise", nullptr, When::restart, sound_processing.noise),
    FLAG("audio", "gain", nullptr, When::restart, sound_processing.gain),
};

#undef NUMBER
#undef TEXT
#undef WORD
#undef FLAG
#undef CARRY

}  // namespace

std::span<const Setting> setting_table() { return kTable; }

}  // namespace linnet::io
