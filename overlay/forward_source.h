// The asking side of FORWARD: which leaf a path leads to, with whose SK mac1 is keyed, and the token by which answers
// come back.
#pragma once

#include <optional>
#include <vector>

#include "overlay/forward.h"
#include "overlay/path.h"

namespace linnet::overlay {

class ForwardSources {
 public:
  static constexpr std::size_t kCapacity = 1024;

  // A forward path to the leaf `tag` at a supernode. Fault::full.
  Result<Path> open(const crypto::Suite& suite, Rng& rng, const Endpoint& supernode, std::uint64_t tag,
                    const crypto::SessionKey& leaf);
  // All paths to this leaf are forgotten.
  void close(const crypto::SessionKey& leaf);

  std::optional<Transmit> wrap(const Path& path, ByteView inner) const;
  // The path on which an answer with this token came.
  std::optional<Path> path_of(const Endpoint& supernode, std::uint64_t token) const;
  std::optional<std::uint64_t> token_of(const Path& path) const;
  std::size_t size() const { return routes_.size(); }

 private:
  struct Route {
    Endpoint supernode;
    std::uint64_t tag;
    std::uint64_t token;
    crypto::SessionKey leaf;
    crypto::Mac1 mac1;
  };

  std::vector<Route> routes_;
};

}  // namespace linnet::overlay
