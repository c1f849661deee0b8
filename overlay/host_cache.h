// Supernodes that this node remembers, at most 200 (protocol.md section 3). A value; node/io writes it to hosts.db.
#pragma once

#include <optional>
#include <vector>

#include "base/time.h"
#include "dht/contact.h"
#include "overlay/ways.h"

namespace linnet::overlay {

struct CachedHost {
  dht::Contact contact;
  Wall last_success{};
  std::array<Wall, kWays> successes{};  // the last one by each way, 0: none
  std::uint32_t rtt_us = 0;
  std::uint32_t failures = 0;  // since the last success
  bool tried = false;          // we had a session with it ourselves; otherwise somebody told us
};

class HostCache {
 public:
  static constexpr std::size_t kCapacity = 200;
  static constexpr std::size_t kPerPrefix = 10;  // of global addresses

  void heard_of(const dht::Contact& contact);
  void succeeded(const dht::Contact& contact, Way way, Wall now, Duration rtt);
  void failed(const dht::Contact& contact);

  // Candidates to bootstrap from: tried before new, recent before old, few failures before many.
  std::vector<CachedHost> best(std::size_t n) const;
  // The way that worked last, with whomever: this network may be the same one.
  std::optional<Way> latest_way() const;
  const std::vector<CachedHost>& hosts() const { return hosts_; }
  std::size_t size() const { return hosts_.size(); }

  Bytes save() const;
  static Result<HostCache> load(ByteView bytes);

 private:
  std::vector<CachedHost> hosts_;
};

}  // namespace linnet::overlay
