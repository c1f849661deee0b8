// The check list (RFC 8445, section 6.1.2): pairs of a local and a remote candidate in the order in which they are
// tried.
#pragma once

#include <optional>
#include <vector>

#include "base/fifo.h"
#include "base/time.h"
#include "nat/ice_candidate.h"

namespace linnet::nat::ice {

inline constexpr std::size_t kMaxPairs = 100;

enum class Role : std::uint8_t { controlling, controlled };
enum class State : std::uint8_t { frozen, waiting, in_progress, succeeded, failed };

enum class PairId : std::uint32_t {};

struct Pair {
  PairId id{};
  std::size_t local = 0;  // indices of the candidates
  std::size_t remote = 0;
  std::uint64_t priority = 0;
  State state = State::frozen;
  int checks = 0;            // begun without ever an answer
  bool nominated = false;    // its USE-CANDIDATE was answered, by them or by us
  bool to_nominate = false;  // controlling: the next check says USE-CANDIDATE; controlled: chosen once it succeeds
  Time asked{};              // controlled: when the latest USE-CANDIDATE came
  std::optional<Duration> rtt;
  Duration longest{};        // the round trip is at most this, where answers came to one of several sendings
  Time heard = Time::min();  // latest answer
  Time refresh = kNever;     // next consent check

  bool valid() const { return state == State::succeeded; }
};

// Section 6.1.2.3: 2^32 MIN(G,D) + 2 MAX(G,D) + (G > D ? 1 : 0), G the controlling side's priority.
std::uint64_t pair_priority(std::uint32_t controlling, std::uint32_t controlled);
// Same family, link-local only with link-local, a circuit only with itself, what connects by TCP only with what listens
// (RFC 6544, section 6.2), and no port 0.
bool can_pair(const Candidate& local, const Candidate& remote);

class CheckList {
 public:
  CheckList(const Candidates& local, const Candidates& remote) : local_(&local), remote_(&remote) {}

  // Null when they cannot pair, or the list is full of better ones. A pair with the same base and remote address is
  // that pair (section 6.1.2.4).
  Pair* add(Role role, std::size_t local, std::size_t remote);
  Pair* find(PairId id);
  const Pair* find(PairId id) const;
  Pair* find(Base base, const Endpoint& remote, std::uint64_t circuit);

  // The triggered ones first (section 6.1.4.2).
  Pair* next();
  // One relayed pair comes before all others, once: a call starts on it. Null when it has begun, or there is none.
  Pair* first_relayed();
  void trigger(Pair& pair);
  bool triggered(const Pair& pair) const;
  bool anything_left() const;
  // Of this foundation there is an answer: the frozen ones are worth trying (section 7.2.5.3.3).
  void unfreeze_like(const Pair& pair);
  // What is not begun will not be: all, or those of lower priority than this.
  void drop_unbegun(std::optional<std::uint64_t> below);
  void drop_of_remote(std::size_t remote);
  // Anew, after the role or a candidate has changed.
  void prioritise(Role role);

  std::vector<Pair>& pairs() { return pairs_; }
  const std::vector<Pair>& pairs() const { return pairs_; }
  std::size_t count(State state) const;
  bool relayed(const Pair& pair) const;
  // Where its checks go.
  Endpoint destination(const Pair& pair) const;

 private:
  bool same_foundation(const Pair& a, const Pair& b) const;
  bool foundation_is_busy(const Pair& pair) const;
  std::uint64_t priority_of(Role role, const Pair& pair) const;
  bool make_room(std::uint64_t priority);
  Pair* best(State state);

  const Candidates* local_;
  const Candidates* remote_;
  std::vector<Pair> pairs_;
  Fifo<PairId> triggered_;
  std::uint32_t last_id_ = 0;
  bool relayed_begun_ = false;
};

}  // namespace linnet::nat::ice
