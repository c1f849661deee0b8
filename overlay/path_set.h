// The ways to one peer: challenged, proven, preferred, lost. Bytes to a path that is not proven never exceed the bytes
// that came from it, plus three challenges of 64 bytes where our own side asked for the path (RFC 9000, sections 8.1
// and 9).
#pragma once

#include <optional>
#include <vector>

#include "base/rng.h"
#include "overlay/path.h"
#include "overlay/recovery.h"

namespace linnet::overlay {

inline constexpr std::size_t kChallengePacket = 64;
inline constexpr int kMaxChallenges = 3;

struct PathState {
  static constexpr Duration kUnknown{-1};  // a round trip that was never measured

  Path path;
  bool proven = false;
  bool chosen = false;           // by the owner, before all others
  bool asked = false;            // by our own side: may be challenged before anything came from it
  std::uint8_t number = 0;       // ours, of a path that was asked for; said in challenges
  std::uint8_t peer_number = 0;  // the peer's for it; 0: the peer never said that it wants this path
  bool peer_sends = false;       // the peer's newest frames, other than probes, came this way
  bool probing = false;
  bool doubted = false;         // this round: it was good, and its end is to be known soon
  bool again = false;           // this round is the second, since nothing came by any path in the first
  bool answers = false;         // a challenge waits for its response
  bool answer_alive = false;    // it came by another path
  bool says_both = false;       // frame::Both waits to go this way
  std::uint8_t challenges = 0;  // of this round of probing
  std::uint64_t token = 0;      // of this round; see frame::Challenge
  Time challenged_at[kMaxChallenges]{};
  Time next_at =
      kNever;  // next challenge, or the end of this round; when not probing: the next round or, unproven, forgetting
  Time heard = Time::min();
  std::uint64_t received = 0;
  std::uint64_t sent = 0;
  // The last round that ended without an answer: one that is only late still tells that the path stands.
  std::uint64_t late_token = 0;
  Time late_since{};
  std::uint64_t answer = 0;  // token of the challenge to be answered
  Duration rtt = kUnknown;

  // How many bytes may go out now.
  std::uint64_t budget() const;
};

class PathSet {
 public:
  static constexpr std::size_t kMax = 12;
  static constexpr Duration kLate = std::chrono::seconds(4);  // as long as a full queue and its next one hold
  struct Failed {
    Path path;
    bool was_proven = false;
  };
  struct Proof {
    bool newly = false;
    Duration rtt{};
  };

  PathState* find(const Path& path);
  const PathState* find(const Path& path) const;
  // Null when the table is full of better ones.
  PathState* add(const Path& path);
  void remove(const Path& path);

  PathState& current() { return paths_[current_]; }
  const PathState& current() const { return paths_[current_]; }
  const Path& current_path() const { return paths_[current_].path; }
  // One of those here.
  void set_current(const Path& path);

  // The owner's choice from now on, if it is here.
  void choose(const Path& path);
  // Our side wants this path.
  void ask(PathState& state);
  // A proven path other than this that the peer knows by this number.
  PathState* known_as(std::uint8_t peer_number, const Path& except);
  // Begins a round of challenges unless one is going on.
  void probe(Time now, PathState& state, Rng& rng);
  // The peer's challenge came this way, so it stands: a first one of ours, that may have gone before it did, goes
  // again.
  void stands(Time now, PathState& state);
  // The challenge this path may send now in a packet of `size` bytes, or nothing.
  std::optional<std::uint64_t> challenge(Time now, PathState& state, Duration rtt, std::size_t size);
  std::optional<Proof> answered(Time now, PathState& state, std::uint64_t token);
  // The same for a response that came another way than the challenge went: it says that a proven path is alive, and
  // proves none anew.
  void confirmed(Time now, std::uint64_t token);
  // Ends rounds that got no answer; proven paths among them are proven no more, after a second round where the peer was
  // not heard at all: then the network changed, and takes a moment to know where we are. Starts rounds on quiet proven
  // paths. `heard`: the latest packet of the peer.
  std::vector<Failed> on_timeout(Time now, Time heard, Duration keepalive, Rng& rng);

  // direct > circuit > turn > forward; datagrams before a stream; then the shorter round trip, by a margin.
  static bool better(const PathState& a, const PathState& b);
  // The best proven path but `except`.
  PathState* best(const Path& except);

  Time next_timeout(Duration keepalive) const;
  std::vector<PathState>& all() { return paths_; }
  const std::vector<PathState>& all() const { return paths_; }

 private:
  static void prove(Time now, PathState& state, Duration rtt);
  template <class Unwanted>
  void erase_if(Unwanted unwanted);

  std::vector<PathState> paths_;
  std::uint8_t current_ = 0;
  std::uint8_t last_number_ = 0;
};

}  // namespace linnet::overlay
