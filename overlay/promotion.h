// Whether and when a node that may be promoted (PeerConfig::promotable) is a supernode (protocol.md section 3;
// docs/decisions/029). What is done about it is done by Peer (peer_role.cpp).
#pragma once

#include "overlay/context.h"

namespace linnet::overlay {

class Promotion {
 public:
  // joining: it looks for its place among supernodes, and is served by its homes as before. handing_over: it serves and
  // seeks homes again. closing: its circuits were told to end, and still carry.
  enum class Stage : std::uint8_t { leaf, joining, serving, handing_over, closing };

  static constexpr Duration kJoin = std::chrono::seconds(10);      // who finds no other supernode by then is none
  static constexpr Duration kOldHomes = std::chrono::minutes(10);  // by which who knows an old record reaches us
  static constexpr Duration kHandOver = std::chrono::seconds(8);
  static constexpr Duration kClosing = std::chrono::seconds(1);
  static constexpr Duration kStep = std::chrono::milliseconds(250);
  static constexpr Duration kAllFull = std::chrono::seconds(30);  // jittered: not everybody who waits is needed
  // Where many serve, one that had next to nobody to serve for so long may end its role; of those whom that is true of
  // one in kLots at each look, so that they see what the end of others changes.
  static constexpr Duration kIdle = std::chrono::hours(1);
  static constexpr Duration kLookIdle = std::chrono::minutes(10);  // jittered
  static constexpr std::uint64_t kLots = 8;
  static constexpr Duration kLookAtOldHomes = std::chrono::seconds(30);
  // After a demotion, doubled with each that follows on less than kMostRest of service.
  static constexpr Duration kFirstRest = std::chrono::minutes(10);
  static constexpr Duration kMostRest = std::chrono::hours(1);

  explicit Promotion(const PeerConfig& config) : most_leaves_(config.max_leaves) {}

  Stage stage() const { return stage_; }
  const std::optional<Fit>& fit() const { return fit_; }
  void set_fit(std::optional<Fit> fit) { fit_ = fit && fit->leaves > 0 ? fit : std::nullopt; }
  // Its owner wants it to serve, fit or not, wherever it stands; until set_fit() is told otherwise.
  void wish(bool wished) { wished_ = wished; }
  bool wished() const { return wished_; }
  bool offers() const { return stage_ == Stage::leaf && fit_ && !resting_; }
  std::size_t max_leaves() const { return fit_ ? std::min<std::size_t>(most_leaves_, fit_->leaves) : most_leaves_; }
  // It is both, for a while: questions go to the homes as long as there are any.
  bool between() const { return stage_ != Stage::leaf && stage_ != Stage::serving; }
  bool ends() const { return stage_ == Stage::handing_over || stage_ == Stage::closing; }
  bool serves() const { return announced_; }

  void called(Time now) { called_ = now; }
  // Every supernode is full. True: it was so for long enough.
  bool all_full(const Context& c, bool full);
  void begin(Time now);
  void joined(Time now, Duration record_life);
  // By its settings, from its start.
  void serves_already(Time now);
  void hand_over(Time now);
  void close(Time now, bool circuits);
  // True: it had been one to its owner.
  bool end(Time now);

  // `idle`: hardly anybody is served. True: it has been so for long enough, and it is this one's turn.
  bool idle_look_due(Time now) const { return idle_look_at_ <= now; }
  bool superfluous(const Context& c, bool idle);
  bool over(Time now) const { return until_ <= now; }
  bool step_due(Time now);
  // Once: the old homes need not answer for us any more.
  bool old_homes_over(Time now);
  // From then on, as long as something rests on the sessions with them.
  bool look_due(Time now) const { return look_at_ <= now; }
  void look_again(Time now, bool rests) { look_at_ = rests ? now + kLookAtOldHomes : kNever; }
  void rested(Time now) { resting_ = resting_ && now < rests_until_; }
  Time next_timeout() const;
  StandbyReport report() const;

 private:
  std::size_t most_leaves_;
  std::optional<Fit> fit_;
  Stage stage_ = Stage::leaf;
  bool announced_ = false;
  bool wished_ = false;
  Time since_{};
  Time until_ = kNever;  // of joining, handing over, closing
  Time step_at_ = kNever;
  Time old_homes_until_ = kNever;
  Time look_at_ = kNever;
  Time full_until_ = kNever;  // promoted by itself then
  Time idle_look_at_ = kNever;
  Time idle_since_ = kNever;
  bool resting_ = false;
  Time rests_until_{};
  Duration rest_ = kFirstRest;
  std::optional<Time> called_;
};

}  // namespace linnet::overlay
