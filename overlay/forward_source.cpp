#include "overlay/forward_source.h"

#include <algorithm>

namespace linnet::overlay {

Result<Path> ForwardSources::open(const crypto::Suite& suite, Rng& rng, const Endpoint& supernode, std::uint64_t tag,
                                  const crypto::SessionKey& leaf) {
  const Path path{PathKind::forward, supernode, tag, false};
  for (auto& r : routes_) {
    if (r.tag != tag || r.supernode != supernode) continue;
    if (r.leaf != leaf) r = Route{supernode, tag, rng.u64(), leaf, crypto::Mac1(suite, leaf)};
    return path;
  }
  if (routes_.size() >= kCapacity) return fail(Fault::full);
  routes_.push_back({supernode, tag, rng.u64(), leaf, crypto::Mac1(suite, leaf)});
  return path;
}

void ForwardSources::close(const crypto::SessionKey& leaf) {
  std::erase_if(routes_, [&](const Route& r) { return r.leaf == leaf; });
}

std::optional<Transmit> ForwardSources::wrap(const Path& path, ByteView inner) const {
  for (const auto& r : routes_) {
    if (r.tag == path.id && r.supernode == path.endpoint) {
      return Transmit{r.supernode, write_to_leaf(r.mac1, r.tag, r.token, inner)};
    }
  }
  return std::nullopt;
}

std::optional<std::uint64_t> ForwardSources::token_of(const Path& path) const {
  for (const auto& r : routes_) {
    if (r.tag == path.id && r.supernode == path.endpoint) return r.token;
  }
  return std::nullopt;
}

std::optional<Path> ForwardSources::path_of(const Endpoint& supernode, std::uint64_t token) const {
  for (const auto& r : routes_) {
    if (r.token == token && r.supernode == supernode) return Path{PathKind::forward, supernode, r.tag, false};
  }
  return std::nullopt;
}

}  // namespace linnet::overlay
