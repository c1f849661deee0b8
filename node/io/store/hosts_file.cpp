#include "node/io/store/hosts_file.h"

#include "node/io/files.h"

namespace linnet::io {

overlay::HostCache load_hosts(const std::filesystem::path& path) {
  const auto bytes = read_file(path, 1 << 20);
  if (!bytes || !*bytes) return {};
  auto cache = overlay::HostCache::load(**bytes);
  return cache ? std::move(*cache) : overlay::HostCache();
}

Done save_hosts(const std::filesystem::path& path, const overlay::HostCache& cache) {
  return write_file(path, cache.save(), 0600, Replace::yes);
}

}  // namespace linnet::io
