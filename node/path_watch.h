// Which way a call's voice goes, told honestly, and what each change of it cost.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "node/call_view.h"
#include "overlay/path.h"

namespace linnet::node {

// lan: the peer's own loopback, link-local or private endpoint; direct: its global one; relayed: circuit, TURN or
// FORWARD.
PathWord word_of(const overlay::Path& path);
// By what it goes: "udp", "tcp" or "tls" straight to the peer; "circuit", "circuit over tcp", "forward", "turn".
std::string by_word(const overlay::Path& path);

class PathWatch {
 public:
  static constexpr std::size_t kMaxChanges = 64;
  static constexpr Duration kStale =
      std::chrono::seconds(3);  // nothing heard for longer: nobody knows whether it works
  static constexpr Duration kAround = std::chrono::seconds(1);  // silence until then still belongs to the change

  PathWatch() = default;
  PathWatch(Time began, std::optional<overlay::Path> path) : began_(began), path_(path) {}

  // `concealed_ms`: what the media session has had to conceal so far (media::Stats).
  void voice_came(double concealed_ms);
  void moved(Time now, const overlay::Path& to, double concealed_ms);
  void handle_timeout(Time now, double concealed_ms);
  Time next_timeout() const { return open_ ? open_->until : kNever; }

  // No UDP gets through on our side: the packets go over TCP as far as the supernode, or all the way.
  bool over_stream() const { return path_ && overlay::on_stream(*path_); }
  PathWord word() const { return path_ ? word_of(*path_) : PathWord::unknown; }
  // By the TURN server of our own settings; the endpoint is the peer's then.
  bool by_our_turn() const { return path_ && path_->endpoint.socket == overlay::kByTurn; }
  bool by_turn() const { return path_ && path_->kind == overlay::PathKind::turn; }
  std::string via() const { return path_ ? path_->endpoint.to_string() : std::string(); }
  // Changes so far; one whose surroundings are not over yet has the gap up to now.
  std::vector<PathChange> changes(double concealed_ms) const;

 private:
  struct Open {
    Time until{};
    std::size_t change = 0;
    double concealed_before = 0;
  };
  std::optional<Duration> gap(double concealed_ms) const;

  Time began_{};
  std::optional<overlay::Path> path_;
  std::vector<PathChange> changes_;
  std::optional<Open> open_;
  std::optional<double> quiet_baseline_;  // concealed_ms when voice last flowed; none before the first packet
};

}  // namespace linnet::node
