#include "node/io/settings/config.h"

#include <array>
#include <charconv>

#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include "node/io/files.h"
#include "node/io/near.h"

namespace linnet::io {
namespace {

// One key of the file: where it stands, and how its value is taken over. `take` returns what would have been right, or
// empty.
struct Key {
  std::string_view section;
  std::string_view name;
  std::string (*take)(const toml::node& value, Settings& settings, const std::filesystem::path& folder);
};

using Path = std::filesystem::path;

template <std::uint64_t Low, std::uint64_t High>
std::optional<std::uint64_t> whole(const toml::node& value) {
  const auto* number = value.as_integer();
  if (number == nullptr || number->get() < 0) return std::nullopt;
  const auto n = static_cast<std::uint64_t>(number->get());
  if (n < Low || n > High) return std::nullopt;
  return n;
}

template <class Take>
std::string each_string(const toml::node& value, std::string wanted, Take&& take) {
  const auto* array = value.as_array();
  if (array == nullptr) return wanted;
  for (const auto& item : *array) {
    const auto* text = item.as_string();
    if (text == nullptr) return wanted;
    if (std::string why = take(text->get()); !why.empty()) return why;
  }
  return {};
}

std::string take_text(const toml::node& value, std::string& target) {
  const auto* text = value.as_string();
  if (text == nullptr || text->get().empty()) return "a text in quotes";
  target = text->get();
  return {};
}

std::string take_path(const toml::node& value, const Path& folder, std::string& target) {
  std::string text;
  if (std::string why = take_text(value, text); !why.empty()) return why;
  target = (folder / text).lexically_normal().string();
  return {};
}

std::string take_bool(const toml::node& value, bool& target) {
  const auto* boolean = value.as_boolean();
  if (boolean == nullptr) return "true or false";
  target = boolean->get();
  return {};
}

// ADDR/BITS
bool is_range(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return false;
  const auto ip = IpAddress::parse(text.substr(0, slash));
  const auto digits = text.substr(slash + 1);
  unsigned bits = 0;
  const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
  return ip && failed == std::errc() && end == digits.data() + digits.size() && bits <= (ip->is_v4() ? 32U : 128U);
}

constexpr std::array<Key, 26> kKeys{{
    {"", "listen",
     [](const toml::node& v, Settings& s, const Path&) {
       s.listen.clear();
       return each_string(v, R"(a list as in ["0.0.0.0:4400"])", [&](const std::string& text) -> std::string {
         const auto endpoint = parse_listen(text);
         if (!endpoint) return "a list of ADDR:PORT, as in [\"0.0.0.0:4400\"]";
         s.listen.push_back(*endpoint);
         return {};
       });
     }},
    {"", "bootstrap",
     [](const toml::node& v, Settings& s, const Path&) {
       s.bootstrap.clear();
       return each_string(v, R"(a list as in ["node.example:4400"])", [&](const std::string& text) -> std::string {
         const auto name = parse_bootstrap(text);
         if (!name) return "a list of ADDR:PORT, as in [\"node.example:4400\"]";
         s.bootstrap.push_back(*name);
         return {};
       });
     }},
    {"", "lan", [](const toml::node& v, Settings& s, const Path&) { return take_bool(v, s.lan); }},
    {"", "network", [](const toml::node& v, Settings& s, const Path&) { return take_text(v, s.network); }},
    {"", "log",
     [](const toml::node& v, Settings& s, const Path&) -> std::string {
       std::string level;
       take_text(v, level);
       if (level != "error" && level != "warn" && level != "info" && level != "debug")
         return R"("error", "warn", "info" or "debug")";
       s.log_level = level;
       return {};
     }},
    {"relay", "mode",
     [](const toml::node& v, Settings& s, const Path&) -> std::string {
       std::string text;
       take_text(v, text);
       const auto mode = parse_relay(text);
       if (!mode) return R"("on", "off" or "auto")";
       s.relay = *mode;
       return {};
     }},
    {"relay", "bandwidth",
     [](const toml::node& v, Settings& s, const Path&) -> std::string {
       const auto n = whole<8, 1'000'000>(v);
       if (!n) return "kbit/s a circuit, 8 to 1000000";
       s.circuit_kbps = *n;
       return {};
     }},
    {"relay", "month",
     [](const toml::node& v, Settings& s, const Path&) -> std::string {
       const auto n = whole<0, 1'000'000>(v);
       if (!n) return "gigabytes a month";
       s.month_gb = *n;
       return {};
     }},
    {"relay", "private",
     [](const toml::node& v, Settings& s, const Path&) {
       s.private_ranges.clear();
       return each_string(v, R"(a list of ranges, as in ["10.0.0.0/8"])", [&](const std::string& text) -> std::string {
         if (!is_range(text)) return R"(a list of ranges, as in ["10.0.0.0/8"])";
         s.private_ranges.push_back(text);
         return {};
       });
     }},
    {"call", "auto_answer", [](const toml::node& v, Settings& s, const Path&) { return take_bool(v, s.auto_answer); }},
    {"call", "strangers",
     [](const toml::node& v, Settings& s, const Path&) -> std::string {
       std::string text;
       take_text(v, text);
       const auto policy = parse_strangers(text);
       if (!policy) return R"("ring", "request" or "refuse")";
       s.strangers = *policy;
       return {};
     }},
    {"call", "play", [](const toml::node& v, Settings& s, const Path& folder) { return take_path(v, folder, s.play); }},
    {"call", "record",
     [](const toml::node& v, Settings& s, const Path& folder) { return take_path(v, folder, s.record); }},
    {"call", "codec",
     [](const toml::node& v, Settings& s, const Path&) -> std::string {
       std::string text;
       take_text(v, text);
       if (text == "opus")
         s.codec = node::CodecChoice::opus;
       else if (text == "pcmu")
         s.codec = node::CodecChoice::pcmu;
       else if (text == "pcma")
         s.codec = node::CodecChoice::pcma;
       else if (text == "l16")
         s.codec = node::CodecChoice::l16;
       else
         return R"("opus", "pcmu", "pcma" or "l16")";
       return {};
     }},
    {"call", "bitrate",
     [](const toml::node& v, Settings& s, const Path&) -> std::string {
       const auto n = whole<6, 64>(v);
       if (!n) return "kbit/s, 6 to 64";
       s.bitrate_kbps = static_cast<std::uint32_t>(*n);
       return {};
     }},
    {"media", "low_delay", [](const toml::node& v, Settings& s, const Path&) { return take_bool(v, s.low_delay); }},
    {"call", "frame",
     [](const toml::node& v, Settings& s, const Path&) -> std::string {
       const auto n = whole<10, 60>(v);
       if (!n || (*n != 10 && *n != 20 && *n != 40 && *n != 60)) return "10, 20, 40 or 60 (ms)";
       s.frame_ms = static_cast<std::uint32_t>(*n);
       return {};
     }},
    {"call", "ring",
     [](const toml::node& v, Settings& s, const Path&) -> std::string {
       const auto n = whole<5, 600>(v);
       if (!n) return "seconds, 5 to 600";
       s.ring_s = static_cast<std::uint32_t>(*n);
       return {};
     }},
    {"call", "ring_tone",
     [](const toml::node& v, Settings& s, const Path& folder) -> std::string {
       std::string text;
       take_text(v, text);
       if (text.empty()) return R"("on", "off" or a WAV file)";
       s.ring_tone = text == "on" || text == "off" ? text : (folder / text).lexically_normal().string();
       return {};
     }},
    {"call", "ringback", [](const toml::node& v, Settings& s, const Path&) { return take_bool(v, s.ringback); }},
    {"audio", "device",
     [](const toml::node& v, Settings& s, const Path&) -> std::string {
       std::string text;
       if (!take_text(v, text).empty()) return R"("default", "none" or the name of a device (linnet audio ls))";
       s.sound = text != "none";
       if (text == "none" || text == "default") text.clear();
       s.sound_choice = {text, text};
       return {};
     }},
    {"audio", "microphone",
     [](const toml::node& v, Settings& s, const Path&) { return take_text(v, s.sound_choice.microphone); }},
    {"audio", "loudspeaker",
     [](const toml::node& v, Settings& s, const Path&) { return take_text(v, s.sound_choice.loudspeaker); }},
    {"audio", "echo",
     [](const toml::node& v, Settings& s, const Path&) -> std::string {
       std::string text;
       take_text(v, text);
       const auto choice = media::parse_echo_choice(text);
       if (!choice) return R"("auto", "webrtc", "speex" or "off")";
       s.sound_processing.echo = *choice;
       return {};
     }},
    {"audio", "noise",
     [](const toml::node& v, Settings& s, const Path&) { return take_bool(v, s.sound_processing.noise); }},
    {"audio", "gain",
     [](const toml::node& v, Settings& s, const Path&) { return take_bool(v, s.sound_processing.gain); }},
}};

std::string place(const std::string& file, const toml::source_position& at) {
  return file + ":" + std::to_string(at.line) + ":" + std::to_string(at.column) + " ";
}

std::string dotted(std::string_view section, std::string_view name) {
  return section.empty() ? std::string(name) : std::string(section) + "." + std::string(name);
}

bool is_section(std::string_view name) {
  for (const auto& key : kKeys)
    if (!name.empty() && key.section == name) return true;
  return false;
}

// Keys of one section; at the top the sections too.
std::vector<std::string_view> known_names(std::string_view section) {
  std::vector<std::string_view> out;
  for (const auto& key : kKeys)
    if (key.section == section && !key.name.empty()) out.push_back(key.name);
  if (section.empty()) out.insert(out.end(), {"relay", "call", "media", "audio"});
  return out;
}

class Reading {
 public:
  Reading(const std::string& file, const Path& folder, Settings& settings)
      : file_(file), folder_(folder), settings_(settings) {}

  Done table(std::string_view section, const toml::table& table) {
    for (const auto& [key, value] : table) {
      if (section.empty() && is_section(key.str())) {
        const auto* inner = value.as_table();
        if (inner == nullptr)
          return trouble(place(file_, value.source().begin) + "\"" + std::string(key.str()) + "\" must be a table: [" +
                         std::string(key.str()) + "]");
        if (auto read = this->table(key.str(), *inner); !read) return read;
      } else if (auto read = entry(section, key, value); !read) {
        return read;
      }
    }
    return {};
  }

 private:
  Done entry(std::string_view section, const toml::key& key, const toml::node& value) {
    for (const auto& known : kKeys) {
      if (known.name.empty() || known.section != section || known.name != key.str()) continue;
      const std::string wanted = known.take(value, settings_, folder_);
      if (wanted.empty()) return {};
      return trouble(place(file_, value.source().begin) + "\"" + dotted(section, key.str()) + "\" must be " + wanted);
    }
    std::string text = place(file_, key.source().begin) + "unknown key \"" + dotted(section, key.str()) + "\"";
    const auto names = known_names(section);
    if (const auto close = nearest(key.str(), names); !close.empty())
      text += "; did you mean \"" + std::string(close) + "\"?";
    return trouble(std::move(text));
  }

  const std::string& file_;
  const Path& folder_;
  Settings& settings_;
};

Done parse(std::string_view text, const std::string& name, const Path& folder, Settings& settings) {
  const toml::parse_result parsed = toml::parse(text);
  if (!parsed) {
    const auto& error = parsed.error();
    return trouble(place(name, error.source().begin) + std::string(error.description()));
  }
  Settings changed = settings;
  if (auto read = Reading(name, folder, changed).table("", parsed.table()); !read) return read;
  settings = std::move(changed);
  return {};
}

}  // namespace

std::vector<std::string> config_keys() {
  std::vector<std::string> out;
  for (const auto& key : kKeys) out.push_back(dotted(key.section, key.name));
  return out;
}

Done parse_config(std::string_view text, const std::string& name, Settings& settings) {
  return parse(text, name, {}, settings);
}

Done read_config_files(const std::vector<std::filesystem::path>& files, Settings& settings) {
  for (const auto& file : files) {
    const auto bytes = read_file(file, 256 * 1024);
    if (!bytes) return tl::unexpected(bytes.error());
    if (!*bytes) continue;
    // The person's own file by its name; one of the system by its place.
    const auto name = file == files.back() ? file.filename() : file;
    if (auto read = parse(text(**bytes), name.string(), file.parent_path(), settings); !read) return read;
  }
  return {};
}

}  // namespace linnet::io
