// node/io: any bytes as config.toml, and after a line "%%" any variables, NAME=VALUE a line. What is refused names its
// place and changes nothing; what is taken makes a valid node, and a reload takes over all that it may.
#include "node/io/settings/config.h"

#include <map>

#include "node/io/settings/reload.h"
#include "require.h"

namespace {

using namespace linnet;
using linnet::fuzz::require;

std::map<std::string, std::string, std::less<>> variables_in(std::string_view lines) {
  std::map<std::string, std::string, std::less<>> out;
  while (!lines.empty()) {
    const auto end = lines.find('\n');
    const auto line = lines.substr(0, end);
    if (const auto equals = line.find('='); equals != std::string_view::npos)
      out.emplace(line.substr(0, equals), line.substr(equals + 1));
    lines.remove_prefix(end == std::string_view::npos ? lines.size() : end + 1);
  }
  return out;
}

void reload(const io::Settings& running, const io::Settings& read) {
  const auto taken = io::take_over(running, read);
  require(io::compare(running, taken).restart.empty());
  require(io::compare(taken, read).now.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 64 * 1024) return 0;
  const auto input = text(ByteView(data, size));
  const auto end = input.find("%%\n");
  io::Settings settings;
  const auto read = io::parse_config(input.substr(0, end), "config.toml", settings);
  if (!read) {
    require(read.error().text.rfind("config.toml:", 0) == 0);
    require(settings.network == "linnet" && settings.listen.empty());
    return 0;
  }
  if (end != std::string_view::npos) {
    const auto variables = variables_in(input.substr(end + 3));
    const auto get = [&](const char* name) {
      const auto it = variables.find(std::string_view(name));
      return it == variables.end() ? nullptr : it->second.c_str();
    };
    if (const auto set = io::apply_environment(get, settings); !set)
      require(set.error().text.rfind("LINNET_", 0) == 0 && set.error().exit == io::Exit::usage);
  }
  const auto node = settings.node_config();
  require(node.bitrate >= 6'000 && node.bitrate <= 64'000);
  require(node.peer.circuit_bits_per_second >= 8'000);
  reload(io::Settings{}, settings);
  reload(settings, io::Settings{});
  return 0;
}
