// A call as people and scripts see it: what the live line, `status --json`, `call --json` and `log --json` print.
// Unknown is std::nullopt and printed as `?` or null, never as a default.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "crypto/address.h"
#include "node/command.h"

namespace linnet::node {

enum class Direction : std::uint8_t { outgoing, incoming };
enum class CallState : std::uint8_t { resolving, connecting, inviting, ringing, incoming, talking, held, ended };
enum class PathWord : std::uint8_t { unknown, lan, direct, relayed };
enum class CallResult : std::uint8_t {
  ended,
  declined,
  busy,
  no_answer,
  unreachable,
  not_found,
  cancelled,
  identity,
  failed
};

std::string_view to_string(CallState state);
std::string_view to_string(PathWord path);      // "lan", "direct", "relayed", "unknown"
std::string_view to_string(CallResult result);  // "ended", "declined", "busy", "no-answer", ...

struct PathChange {
  Duration at{};     // since the command
  std::string from;  // path words
  std::string to;
  std::optional<Duration> gap;  // longest silence around the change
};

// A running call.
struct CallView {
  CallId id{};
  Direction direction{};
  crypto::Address peer;
  CallState state{};
  PathWord path = PathWord::unknown;
  std::string via;        // the peer's endpoint when direct, the supernode's when relayed; empty when unknown
  std::string reason;     // why relayed
  bool verified = false;  // pinned account
  bool compared = false;  // the safety numbers were compared
  std::string note;       // a warning about who this is; empty: none
  bool muted = false;
  std::string digits;          // that the peer keyed
  bool protected_now = false;  // voice goes or comes two ways at once
  bool on_hold = false;        // by us
  bool held_by_peer = false;
  std::optional<Duration> talking_for;
  std::optional<double> rtt_ms, loss_pct, jitter_ms, mos;
  std::optional<Duration> last_heard;          // since the last packet of the peer
  std::optional<double> mic_dbfs, heard_dbfs;  // how loud the own microphone and the peer are (media/level.h)
  std::string codec;
  std::optional<int> complexity;  // of the encoder (media/complexity.h)
  std::string conference;         // its name, or its number; of one that rings: that it invites to; empty: it is a call
                                  // of two
};

// How a call came about, step by step, and what its paths came to: `linnet call --explain`.
struct CallExplain {
  // Of this node, counted from its start, not from the command: it knew what its NAT does, and it was online first.
  // Nothing: not yet when the call was over.
  std::optional<double> detected_ms, joined_ms;
  double node_age_ms = 0;                                // at the command
  std::optional<double> found_ms, linked_ms, direct_ms;  // since the command: looked up, a sealed link stood, direct
  std::string our_nat, their_nat;                        // short names, empty when not known
  std::string reason;                                    // why the path is what it is, when it ended
  struct Candidate {
    std::string endpoint;
    std::string result;
  };
  std::vector<Candidate> circuits, candidates;   // tried by us, at the end of the call
  std::optional<std::vector<Candidate>> theirs;  // tried by them, as they said last; nothing: they did not say
};

// A call that is over: one row of history.
struct CallSummary {
  CallId id{};
  Direction direction{};
  crypto::Address peer;
  CallResult result{};
  std::string text;                      // one plain sentence for a person about why, empty when it just ended
  Wall started{};                        // wall time of the command or of the INVITE
  std::optional<double> ring_ms;         // command to 180
  std::optional<double> setup_ms;        // command to 200
  std::optional<double> first_voice_ms;  // command to the first decoded voice
  PathWord path = PathWord::unknown;
  std::string via;
  std::string codec;
  double seconds = 0;  // of talking
  std::uint64_t packets_sent = 0;
  std::uint64_t packets_received = 0;
  std::optional<double> loss_pct, jitter_ms, rtt_ms, mos, max_gap_ms;
  std::optional<Time> play_start;    // first sample played to the person
  std::optional<Time> record_start;  // first sample taken from them
  std::vector<PathChange> path_changes;
  bool protected_once = false;  // loss was met by voice that came two ways at once
  // Supernodes one after another that led to the record; 0: it was there. Nothing where nobody was looked up.
  std::optional<std::size_t> lookup_hops;
  std::string conference;  // that it was, or would have been; empty: a call of two
  CallExplain explain;
};

}  // namespace linnet::node
