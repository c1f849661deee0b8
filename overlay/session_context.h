// What all sessions of a node share. Handed into calls; a session holds no pointer to its owner.
#pragma once

#include <algorithm>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/fifo.h"
#include "overlay/sessions.h"

namespace linnet::overlay {

// Which session a proven path belongs to. Two sessions of the same pair of nodes may share one: the newest counts.
class PathIndex {
 public:
  void add(const Path& path, SessionId session) {
    auto& newest = newest_[path];
    if (newest == session) return;
    const auto before = std::exchange(newest, session);
    if (before == SessionId{}) return;
    auto& older = older_[path];
    std::erase(older, session);
    older.push_back(before);
  }
  void remove(const Path& path, SessionId session) {
    const auto at = newest_.find(path);
    if (at == newest_.end()) return;
    const auto older = older_.find(path);
    if (at->second == session) {
      if (older == older_.end()) {
        newest_.erase(at);
        return;
      }
      at->second = older->second.back();
      older->second.pop_back();
    } else if (older != older_.end()) {
      std::erase(older->second, session);
    }
    if (older != older_.end() && older->second.empty()) older_.erase(older);
  }
  std::optional<SessionId> find(const Path& path) const {
    const auto at = newest_.find(path);
    if (at == newest_.end()) return std::nullopt;
    return at->second;
  }
  std::size_t size() const { return newest_.size(); }
  std::size_t memory_bytes() const {
    return newest_.size() * (sizeof(Path) + sizeof(SessionId) + 8) + newest_.bucket_count() * sizeof(void*);
  }

 private:
  std::unordered_map<Path, SessionId> newest_;              // no session is 0
  std::unordered_map<Path, std::vector<SessionId>> older_;  // where there are several, which is rare; latest last
};

struct SessionContext {
  const SessionsConfig& config;
  const crypto::Suite& suite;
  Rng& rng;
  const crypto::Identity& identity;
  Sessions::Counters& counters;
  Fifo<SessionsEvent>& events;
  Fifo<PacketOut>& out;
  PathIndex& paths;
  std::size_t& open;        // sessions the owner may use
  std::size_t& reassembly;  // bytes of messages that are not whole yet, of all sessions
};

}  // namespace linnet::overlay
