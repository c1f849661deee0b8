// What all sessions of a node share. Handed into calls; a session holds no pointer to its owner.
#pragma once

#include <algorithm>
#include <memory>
#include <unordered_map>
#include <vector>

#include "base/fifo.h"
#include "overlay/sessions.h"

namespace linnet::overlay {

// Which session a proven path belongs to. Two sessions of the same pair of nodes may share one: the newest counts.
class PathIndex {
 public:
  void add(const Path& path, SessionId session) {
    auto& on = sessions_[path];
    if (on.newest == session) return;
    on.remove(session);
    if (on.newest != SessionId{}) {
      if (!on.older) on.older = std::make_unique<std::vector<SessionId>>();
      on.older->push_back(on.newest);
    }
    on.newest = session;
  }
  void remove(const Path& path, SessionId session) {
    const auto at = sessions_.find(path);
    if (at == sessions_.end()) return;
    at->second.remove(session);
    if (at->second.newest == SessionId{}) sessions_.erase(at);
  }
  std::optional<SessionId> find(const Path& path) const {
    const auto at = sessions_.find(path);
    if (at == sessions_.end()) return std::nullopt;
    return at->second.newest;
  }
  std::size_t size() const { return sessions_.size(); }
  std::size_t memory_bytes() const {
    return sessions_.size() * (sizeof(Path) + sizeof(On) + 16) + sessions_.bucket_count() * sizeof(void*);
  }

 private:
  // Nearly always one.
  struct On {
    SessionId newest{};                             // none is 0
    std::unique_ptr<std::vector<SessionId>> older;  // latest last

    void remove(SessionId session) {
      if (older) std::erase(*older, session);
      if (newest == session) {
        newest = SessionId{};
        if (older && !older->empty()) {
          newest = older->back();
          older->pop_back();
        }
      }
      if (older && older->empty()) older.reset();
    }
  };

  std::unordered_map<Path, On> sessions_;
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
