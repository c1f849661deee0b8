// What all sessions of a node share. Handed into calls; a session holds no pointer to its owner.
#pragma once

#include <algorithm>
#include <deque>
#include <unordered_map>
#include <vector>

#include "overlay/sessions.h"

namespace linnet::overlay {

// Which session a proven path belongs to. Two sessions of the same pair of nodes may share one: the newest counts.
class PathIndex {
 public:
  void add(const Path& path, SessionId session) {
    remove(path, session);
    sessions_[path].push_back(session);
  }
  void remove(const Path& path, SessionId session) {
    const auto at = sessions_.find(path);
    if (at == sessions_.end()) return;
    std::erase(at->second, session);
    if (at->second.empty()) sessions_.erase(at);
  }
  std::optional<SessionId> find(const Path& path) const {
    const auto at = sessions_.find(path);
    if (at == sessions_.end()) return std::nullopt;
    return at->second.back();
  }
  std::size_t size() const { return sessions_.size(); }

 private:
  std::unordered_map<Path, std::vector<SessionId>> sessions_;
};

struct SessionContext {
  const SessionsConfig& config;
  const crypto::Suite& suite;
  Rng& rng;
  const crypto::Identity& identity;
  Sessions::Counters& counters;
  std::deque<SessionsEvent>& events;
  std::deque<PacketOut>& out;
  PathIndex& paths;
  std::size_t& open;        // sessions the owner may use
  std::size_t& reassembly;  // bytes of messages that are not whole yet, of all sessions
};

}  // namespace linnet::overlay
