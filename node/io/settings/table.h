// Every setting as one row of a table. A new one is a member of Settings (config.h), a row in table.cpp, and its place
// in docs/config.md and docs/man/linnet.toml.5; a test fails while those are missing. Private to settings/.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "node/io/settings/config.h"

namespace linnet::io {

// A value as a file or a variable gives it, before anybody knows what it should be.
struct Value {
  struct Word {  // of a variable: "on", "a.example:1, b.example:2"
    std::string text;
  };
  struct Other {};  // what no setting is: a date, a table, a list of numbers
  std::variant<Other, bool, std::int64_t, std::string, std::vector<std::string>, Word> is;
  std::filesystem::path folder;  // that a relative path starts from
};

struct Setting {
  std::string_view section;  // "call" of [call]; empty at the top
  std::string_view name;
  const char* variable;  // LINNET_...; null: none
  enum class When : std::uint8_t { now, restart } when;
  bool personal;  // names addresses or files: a log says only that it changed
  // Takes the value over, or returns what would have been right.
  std::string (*read)(const Value& value, Settings& settings);
  // As the file spells it.
  std::string (*text)(const Settings& settings);
  void (*carry)(const Settings& from, Settings& to);

  std::string key() const {
    return section.empty() ? std::string(name) : std::string(section) + "." + std::string(name);
  }
};

// In the order of docs/config.md.
std::span<const Setting> setting_table();

}  // namespace linnet::io
