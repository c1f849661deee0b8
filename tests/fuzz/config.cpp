// node/io: any bytes as config.toml. What is refused names its place and changes nothing; what is taken makes a valid
// node.
#include "node/io/settings/config.h"

#include "require.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace linnet;
  using linnet::fuzz::require;
  if (size > 64 * 1024) return 0;
  io::Settings settings;
  const auto read = io::parse_config(linnet::text(ByteView(data, size)), "config.toml", settings);
  if (!read) {
    require(read.error().text.rfind("config.toml:", 0) == 0);
    require(settings.network == "linnet" && settings.listen.empty());
    return 0;
  }
  const auto node = settings.node_config();
  require(node.bitrate >= 6'000 && node.bitrate <= 64'000);
  require(node.peer.circuit_bits_per_second >= 8'000);
  return 0;
}
