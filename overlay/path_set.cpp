#include "overlay/path_set.h"

#include <algorithm>

namespace linnet::overlay {

namespace {

constexpr Duration kFirstProbe = std::chrono::milliseconds(60);
constexpr Duration kForgetFailed = std::chrono::seconds(5);
constexpr Duration kRttMargin = std::chrono::milliseconds(1);
constexpr std::uint64_t kNoBudget = ~std::uint64_t{0};
constexpr std::uint64_t kNotRandom = 0xff;  // of a token: number and count (frame::Challenge)

int rank(const Path& path) {
  const int datagrams = on_stream(path) ? 0 : 1;
  switch (path.kind) {
    case PathKind::direct: return 6 + datagrams;
    case PathKind::circuit: return 4 + datagrams;
    case PathKind::turn: return 2 + datagrams;
    case PathKind::forward: break;
  }
  return datagrams;
}

}  // namespace

std::uint64_t PathState::budget() const {
  if (proven) return kNoBudget;
  const auto allowed = received + (asked ? kMaxChallenges * kChallengePacket : 0);
  return allowed > sent ? allowed - sent : 0;
}

PathState* PathSet::find(const Path& path) {
  const auto at = std::find_if(paths_.begin(), paths_.end(), [&](const PathState& s) { return s.path == path; });
  return at == paths_.end() ? nullptr : &*at;
}

const PathState* PathSet::find(const Path& path) const {
  const auto at = std::find_if(paths_.begin(), paths_.end(), [&](const PathState& s) { return s.path == path; });
  return at == paths_.end() ? nullptr : &*at;
}

void PathSet::set_current(const Path& path) { current_ = static_cast<std::uint8_t>(find(path) - paths_.data()); }

// Never the current one.
template <class Unwanted>
void PathSet::erase_if(Unwanted unwanted) {
  for (std::size_t i = paths_.size(); i-- > 0;) {
    if (i == current_ || !unwanted(paths_[i])) continue;
    paths_.erase(paths_.begin() + static_cast<std::ptrdiff_t>(i));
    if (i < current_) --current_;
  }
}

PathState* PathSet::add(const Path& path) {
  if (paths_.size() >= kMax) {
    // What the peer made us try goes first; what our own side asked for, or what is proven, stays.
    const auto out = std::find_if(paths_.begin(), paths_.end(),
                                  [&](const PathState& s) { return !s.proven && !s.asked && &s != &paths_[current_]; });
    if (out == paths_.end()) return nullptr;
    remove(Path(out->path));
  }
  PathState state;
  state.path = path;
  paths_.push_back(state);
  return &paths_.back();
}

void PathSet::remove(const Path& path) {
  erase_if([&](const PathState& s) { return s.path == path; });
}

void PathSet::choose(const Path& path) {
  for (auto& state : paths_) state.chosen = state.path == path;
}

void PathSet::ask(PathState& state) {
  state.asked = true;
  if (state.number != 0) return;
  constexpr std::uint8_t kNumbers = 63;  // paths are far fewer, but those that failed take a new one each time
  const auto used = [&] {
    return std::any_of(paths_.begin(), paths_.end(), [&](const PathState& s) { return s.number == last_number_; });
  };
  do {
    last_number_ = static_cast<std::uint8_t>(last_number_ % kNumbers + 1);
  } while (used());
  state.number = last_number_;
}

PathState* PathSet::known_as(std::uint8_t peer_number, const Path& except) {
  const auto at = std::find_if(paths_.begin(), paths_.end(), [&](const PathState& s) {
    return s.proven && s.peer_number == peer_number && s.path != except;
  });
  return peer_number == 0 || at == paths_.end() ? nullptr : &*at;
}

void PathSet::probe(Time now, PathState& state, Rng& rng) {
  if (state.probing) return;
  state.probing = true;
  state.doubted = false;
  state.again = false;
  state.challenges = 0;
  state.token = rng.u64() & ~kNotRandom;
  state.next_at = now;
}

std::optional<std::uint64_t> PathSet::challenge(Time now, PathState& state, Duration rtt, std::size_t size) {
  if (!state.probing || state.challenges >= kMaxChallenges || state.next_at > now) return std::nullopt;
  if (state.budget() < size) return std::nullopt;
  const int which = state.challenges++;
  state.challenged_at[which] = now;
  state.next_at = now + std::max(kFirstProbe, 2 * rtt) * (state.doubted ? 1 : 1 << which);
  return state.token | std::uint64_t{state.number} << 2 | static_cast<std::uint64_t>(which);
}

void PathSet::stands(Time now, PathState& state) {
  if (state.probing && !state.proven && state.challenges == 1) state.next_at = now;
}

std::optional<PathSet::Proof> PathSet::answered(Time now, PathState& state, std::uint64_t token) {
  const auto which = static_cast<int>(token & 3);
  if (state.late_token != 0 && (token & ~kNotRandom) == state.late_token && now - state.late_since < kLate) {
    Proof late{!state.proven, now - state.late_since};
    prove(now, state, late.rtt);
    return late;
  }
  if (!state.probing || (token & ~kNotRandom) != state.token || which >= state.challenges) return std::nullopt;
  Proof proof{!state.proven, std::max(now - state.challenged_at[which], Duration(1))};
  prove(now, state, proof.rtt);
  return proof;
}

void PathSet::prove(Time now, PathState& state, Duration rtt) {
  state.probing = false;
  state.proven = true;
  state.challenges = 0;
  state.late_token = 0;
  state.heard = now;
  state.rtt = rtt;
  state.next_at = kNever;
}

void PathSet::confirmed(Time now, std::uint64_t token) {
  for (auto& state : paths_) {
    if (state.proven && answered(now, state, token)) return;
  }
}

std::vector<PathSet::Failed> PathSet::on_timeout(Time now, Time heard, Duration keepalive, Rng& rng) {
  std::vector<Failed> failed;
  for (auto& state : paths_) {
    const bool current = &state == &paths_[current_];
    if (!state.probing && state.proven && !current) {
      if (state.heard + keepalive <= now) probe(now, state, rng);
    } else if (state.probing && state.next_at <= now && state.challenges > 0 &&
               (state.challenges >= kMaxChallenges || state.budget() < kMinDataPacket)) {
      state.probing = false;
      state.late_token = state.token;
      state.late_since = state.challenged_at[0];
      if (state.proven && !current && !state.again && heard < state.challenged_at[0]) {
        probe(now, state, rng);
        state.again = true;
        continue;
      }
      failed.push_back({state.path, state.proven});
      state.challenges = kMaxChallenges;
      state.next_at = current ? kNever : now + kForgetFailed;
      if (!current) {
        state.proven = false;
      } else if (!state.proven) {
        probe(now, state, rng);  // the handshake's own path: go on while its budget lasts
      }
    }
  }
  erase_if([&](const PathState& s) { return !s.proven && !s.probing && s.next_at <= now; });
  return failed;
}

bool PathSet::better(const PathState& a, const PathState& b) {
  if (rank(a.path) != rank(b.path)) return rank(a.path) > rank(b.path);
  if (a.rtt == PathState::kUnknown || b.rtt == PathState::kUnknown) return false;
  return a.rtt * 5 / 4 + kRttMargin < b.rtt;
}

PathState* PathSet::best(const Path& except) {
  PathState* found = nullptr;
  for (auto& state : paths_) {
    if (!state.proven || state.path == except) continue;
    if (found == nullptr || better(state, *found)) found = &state;
  }
  return found;
}

Time PathSet::next_timeout(Duration keepalive) const {
  Time at = kNever;
  for (const auto& state : paths_) {
    if (!state.probing && state.proven) {
      if (&state != &paths_[current_]) at = std::min(at, state.heard + keepalive);
      continue;
    }
    // A challenge that waits for budget waits for a packet, not for the clock.
    if (state.probing && state.challenges == 0 && state.budget() < kMinDataPacket) continue;
    at = std::min(at, state.next_at);
  }
  return at;
}

}  // namespace linnet::overlay
