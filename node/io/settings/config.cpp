#include "node/io/settings/config.h"

#include <algorithm>
#include <map>

#include "node/io/files.h"
#include "node/io/near.h"
#include "node/io/net/turn_uri.h"
#include "node/io/settings/table.h"
#include "node/io/settings/toml.h"

namespace linnet::io {
namespace {

using Path = std::filesystem::path;

Value value_in(const toml::node& node, const Path& folder) {
  Value out{Value::Other{}, folder};
  if (const auto* flag = node.as_boolean()) out.is = flag->get();
  if (const auto* number = node.as_integer()) out.is = number->get();
  if (const auto* text = node.as_string()) out.is = text->get();
  const auto* array = node.as_array();
  if (array == nullptr) return out;
  std::vector<std::string> list;
  for (const auto& item : *array) {
    const auto* text = item.as_string();
    if (text == nullptr) return out;
    list.push_back(text->get());
  }
  out.is = std::move(list);
  return out;
}

std::string place(const std::string& file, const toml::source_position& at) {
  return file + ":" + std::to_string(at.line) + ":" + std::to_string(at.column) + " ";
}

std::string dotted(std::string_view section, std::string_view name) {
  return section.empty() ? std::string(name) : std::string(section) + "." + std::string(name);
}

bool is_section(std::string_view name) {
  for (const auto& setting : setting_table())
    if (!name.empty() && setting.section == name) return true;
  return false;
}

// Keys of one section; at the top the sections too.
std::vector<std::string_view> known_names(std::string_view section) {
  std::vector<std::string_view> out;
  for (const auto& setting : setting_table()) {
    if (setting.section == section) out.push_back(setting.name);
    if (section.empty() && !setting.section.empty()) out.push_back(setting.section);
  }
  return out;
}

// Where each key was read last, "config.toml:3:8 ": for what only shows when all of them are.
using Places = std::map<std::string, std::string>;

class Reading {
 public:
  Reading(const std::string& file, const Path& folder, Settings& settings, Places& places)
      : file_(file), folder_(folder), settings_(settings), places_(places) {}

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
    for (const auto& setting : setting_table()) {
      if (setting.section != section || setting.name != key.str()) continue;
      const std::string wanted = setting.read(value_in(value, folder_), settings_);
      const auto at = place(file_, value.source().begin);
      if (!wanted.empty()) return trouble(at + "\"" + setting.key() + "\" must be " + wanted);
      places_[setting.key()] = at;
      return {};
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
  Places& places_;
};

// toml++ bounds how deep values are nested, but not how many segments a key has: it goes down one call for each. And
// what it says of a letter beyond ASCII outside quotes helps nobody. A quote that follows a number or a word opens
// nothing for it.
constexpr std::size_t kMaxText = 32 * 1024;
constexpr int kMaxDots = 32;  // of a line, outside quotes

// How many octets from here are inside quotes or a comment; 0: none.
std::size_t quoted_length(std::string_view text) {
  const char c = text.front();
  if (c == '#') return std::min(text.find('\n'), text.size());
  if (c != '"' && c != '\'') return 0;
  const std::string three(3, c);
  const bool lines = text.starts_with(three);
  for (std::size_t i = lines ? 3 : 1; i < text.size(); ++i) {
    if (text[i] == '\\' && c == '"') {
      ++i;
    } else if (lines && text.substr(i).starts_with(three)) {
      i += 3;
      for (int more = 0; more < 2 && i < text.size() && text[i] == c; ++more) ++i;  // two may stand before the three
      return i;
    } else if (!lines && (text[i] == c || text[i] == '\n')) {
      return i + 1;
    }
  }
  return text.size();
}

Done check_bounds(std::string_view text, const std::string& name) {
  if (text.size() > kMaxText) return trouble(name + ": more than " + std::to_string(kMaxText / 1024) + " KiB");
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);  // a byte order mark
  toml::source_position at{1, 1};
  int dots = 0;
  char before = '\n';
  while (!text.empty()) {
    const char c = text.front();
    const bool opens = std::string_view(" \t\r\n=[,.{").find(before) != std::string_view::npos;
    if ((c == '"' || c == '\'') && !opens) return trouble(place(name, at) + "a quote in the middle of a word");
    if (c == '.' && ++dots > kMaxDots)
      return trouble(place(name, at) + "more than " + std::to_string(kMaxDots) + " dots");
    if (static_cast<unsigned char>(c) >= 0x80) return trouble(place(name, at) + "a letter that needs quotes");
    for (auto n = std::max<std::size_t>(1, quoted_length(text)); n > 0; --n) {
      ++at.column;
      if (text.front() == '\n') {
        at = {at.line + 1, 1};
        dots = 0;
      }
      before = text.front();
      text.remove_prefix(1);
    }
  }
  return {};
}

Done parse(std::string_view text, const std::string& name, const Path& folder, Settings& settings, Places& places) {
  if (auto bounded = check_bounds(text, name); !bounded) return bounded;
  const toml::parse_result parsed = toml::parse(text);
  if (!parsed) {
    const auto& error = parsed.error();
    return trouble(place(name, error.source().begin) + std::string(error.description()));
  }
  Settings changed = settings;
  if (auto read = Reading(name, folder, changed, places).table("", parsed.table()); !read) return read;
  settings = std::move(changed);
  return {};
}

// A certificate is trusted for its authority, for itself, or not at all; and only TLS has one. What would be ignored
// without a word is refused: its author believes to be protected by it.
Done check_turn_client(const Settings& s, const Places& places) {
  const auto refuse = [&](const std::string& key, const std::string& why) {
    const auto at = places.find("turn-client." + key);
    return trouble((at == places.end() ? "" : at->second) + "\"turn-client." + key + "\" " + why);
  };
  if (s.turn_insecure && !s.turn_fingerprint.empty())
    return refuse("insecure",
                  "does not go with \"turn-client.fingerprint\": the certificate is looked at or it is not");
  if (s.turn_insecure && !s.turn_ca.empty())
    return refuse("insecure", "does not go with \"turn-client.ca\": the certificate is looked at or it is not");
  if (s.turn_server.empty()) return {};
  if (s.turn_user.empty()) return refuse("server", "needs \"turn-client.user\", the name that the server knows you by");
  if (s.turn_password.empty()) return refuse("server", "needs \"turn-client.password\"");
  const auto server = TurnUri::parse(s.turn_server);
  if (!server || server->transport == Transport::tls) return {};
  const std::string plain = "is of use with TLS only, and \"turn-client.server\" has none: write turns:HOST";
  if (!s.turn_ca.empty()) return refuse("ca", plain);
  if (!s.turn_fingerprint.empty()) return refuse("fingerprint", plain);
  return {};
}

}  // namespace

std::vector<std::string> config_keys() {
  std::vector<std::string> out;
  for (const auto& setting : setting_table()) out.push_back(setting.key());
  return out;
}

std::vector<const char*> config_variables() {
  std::vector<const char*> out;
  for (const auto& setting : setting_table())
    if (setting.variable != nullptr) out.push_back(setting.variable);
  return out;
}

Done parse_config(std::string_view text, const std::string& name, Settings& settings) {
  Places places;
  Settings changed = settings;
  if (auto read = parse(text, name, {}, changed, places); !read) return read;
  if (auto sound = check_turn_client(changed, places); !sound) return sound;
  settings = std::move(changed);
  return {};
}

Done read_config_files(const std::vector<std::filesystem::path>& files, Settings& settings) {
  Places places;
  for (const auto& file : files) {
    const auto bytes = read_file(file, kMaxText + 1);
    if (!bytes) return tl::unexpected(bytes.error());
    if (!*bytes) continue;
    // The person's own file by its name; one of the system by its place.
    const auto name = file == files.back() ? file.filename() : file;
    if (auto read = parse(text(**bytes), name.string(), file.parent_path(), settings, places); !read) return read;
  }
  return check_turn_client(settings, places);
}

}  // namespace linnet::io
