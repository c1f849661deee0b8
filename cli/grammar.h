// The command line as data: what completion and the manual are made of.
#pragma once

#include <string>
#include <vector>

namespace linnet::cli {

struct OptionInfo {
  std::vector<std::string> names;  // "--json"; empty for what is told by its place
  std::string value;               // "DIR", "on|off", "WHO"; empty for a flag
  std::string help;
  bool required = false;
};

struct CommandInfo {
  std::string name;  // "id new"; empty: the program itself, whose options stand on either side of a command
  std::string help;
  bool group = false;  // only its commands can be typed
  std::vector<OptionInfo> options;
};

// Every command, in the order of --help; a group stands before its commands.
std::vector<CommandInfo> grammar();

}  // namespace linnet::cli
