// hosts.db: the supernodes this node remembers. A cache: a damaged one is worth nothing and starts empty.
#pragma once

#include <filesystem>

#include "node/io/trouble.h"
#include "overlay/host_cache.h"

namespace linnet::io {

overlay::HostCache load_hosts(const std::filesystem::path& path);
Done save_hosts(const std::filesystem::path& path, const overlay::HostCache& cache);

}  // namespace linnet::io
