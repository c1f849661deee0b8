// Session: which way to send. The initiator prefers (direct, circuit, forward; then the round trip), the responder
// follows the way the initiator's newest frames come. So two ends with different views do not chase each other.
#include "overlay/session.h"

namespace linnet::overlay {
namespace {

// On a line that is full answers wait, or are lost, while the peer is heard: a proven path that answered no round of
// challenges is asked a second time. To make a circuit anew costs more than that.
void ask_again(Time now, Time heard, PathSet& paths, Rng& rng) {
  for (auto& path : paths.all()) {
    const bool over = path.probing && path.next_at <= now && path.challenges >= kMaxChallenges;
    if (!over || !path.proven || path.again || heard < path.challenged_at[0]) continue;
    path.probing = false;
    path.late_token = path.token;
    path.late_since = path.challenged_at[0];
    paths.probe(now, path, rng);
    path.again = true;
  }
}

}  // namespace

void Session::heard_on(SessionContext& context, Time now, const Path& path, bool newest) {
  auto* state = paths_.find(path);
  if (state == nullptr) return;
  if (newest) {
    for (auto& other : paths_.all()) other.peer_sends = false;
    state->peer_sends = true;
  }
  if (state->proven) {
    consider(context, now, *state, false);
  } else {
    paths_.probe(now, *state, context.rng);
    if (newest && state->path != paths_.current_path()) doubt(context, now);
  }
}

// Who stands on the way and sends our packets on from an address of his own, sooner than they come by themselves, makes
// us see the peer there, and the peer see us. So a check (number 0) that comes by a path which we neither use nor want
// is answered where we are; and the number of a path tells that a challenge was meant for another than it came by.
void Session::on_challenge(Time now, const Path& path, const frame::Challenge& challenge) {
  auto* by = paths_.find(path);
  if (by == nullptr) return;
  paths_.stands(now, *by);
  auto* on = by;
  if (challenge.number() == 0) {
    if (!by->proven && !by->asked) on = &paths_.current();
  } else if (auto* meant = paths_.known_as(challenge.number(), path)) {
    on = meant;
  } else {
    by->peer_number = challenge.number();
  }
  on->answers = true;
  on->answer = challenge.token;
  on->answer_alive = on != by;
}

void Session::on_response(SessionContext& context, Time now, const Path& path, std::uint64_t token) {
  auto* state = paths_.find(path);
  if (state == nullptr) return;
  const auto proof = paths_.answered(now, *state, token);
  if (!proof) return paths_.confirmed(now, token);
  if (proof->newly) {
    context.paths.add(path, id_);
    context.events.push_back(PathProven{id_, path, proof->rtt});
  }
  context.events.push_back(PathAnswered{id_, path, proof->rtt});
  if (path == paths_.current_path() && !rtt_.known()) rtt_.sample(proof->rtt);
  consider(context, now, *state, proof->newly);
}

void Session::consider(SessionContext& context, Time now, PathState& path, bool newly) {
  auto& current = paths_.current();
  if (path.path == current.path) return;
  const bool wanted = path.asked || (path.peer_number != 0 && paths_.known_as(path.peer_number, path.path) == nullptr);
  const bool better = path.chosen || (newly && !current.chosen && PathSet::better(path, current));
  const bool move = !current.proven || (wanted && (initiator_ ? better : path.peer_sends));
  if (move) return move_to(context, now, path.path);
  if (path.peer_sends) doubt(context, now);
}

// The peer's newest frames come another way than ours go. Its NAT may have changed its mind, then our way leads nowhere
// any more; or somebody sends packets on: our way stays as long as it answers (RFC 9000, section 9.3.3). The
// initiator's challenge also tells a responder that lost sight of it which path is wanted.
void Session::doubt(SessionContext& context, Time now) {
  constexpr Duration kBetween = std::chrono::seconds(1);
  auto& current = paths_.current();
  if (!current.proven || current.probing || now < doubt_from_) return;
  doubt_from_ = now + kBetween;
  paths_.probe(now, current, context.rng);
  current.doubted = true;
}

void Session::move_to(SessionContext& context, Time, const Path& to) {
  const auto from = paths_.current_path();
  if (from == to) return;
  paths_.set_current(to);
  rtt_ = RttEstimator();
  if (const auto rtt = paths_.current().rtt; rtt != PathState::kUnknown) rtt_.sample(rtt);
  window_ = CongestionWindow();
  if (initiator_) ping_due_ = true;  // so that the peer follows even when there is nothing to say
  context.events.push_back(PathChanged{id_, from, to});
}

void Session::path_timeouts(SessionContext& context, Time now) {
  bool current_failed = false;
  if (context.config.slow) ask_again(now, heard_, paths_, context.rng);
  for (const auto& failed : paths_.on_timeout(now, heard_, keepalive(context.config), context.rng)) {
    if (failed.path == paths_.current_path()) {
      current_failed = true;
      continue;
    }
    if (!failed.was_proven) continue;
    context.paths.remove(failed.path, id_);
    context.events.push_back(PathLost{id_, failed.path});
  }
  if (current_failed) lost_current(context, now);
}

void Session::lost_current(SessionContext& context, Time now) {
  const auto old = paths_.current_path();
  auto* next = paths_.best(old);
  if (next == nullptr) return;  // nothing else to go by: the session lives or dies on this one
  context.paths.remove(old, id_);
  context.events.push_back(PathLost{id_, old});
  move_to(context, now, next->path);
  paths_.remove(old);
  resend(flight_.take_all());
  probes_ = 0;
}

// Two probe timeouts: ask on every proven path, this one included. Who does not answer is lost.
void Session::suspect(SessionContext& context, Time now) {
  if (paths_.best(paths_.current_path()) == nullptr) return;
  for (auto& path : paths_.all()) {
    if (path.proven) paths_.probe(now, path, context.rng);
  }
}

void Session::note_relay(const Endpoint& endpoint) {
  if (is_relay(endpoint)) return;
  if (!relays_) relays_ = std::make_unique<std::vector<Endpoint>>();
  if (relays_->size() >= kMaxRelays) relays_->erase(relays_->begin());
  relays_->push_back(endpoint);
}

bool Session::is_relay(const Endpoint& endpoint) const {
  return relays_ &&
         std::any_of(relays_->begin(), relays_->end(), [&](const Endpoint& e) { return same_place(e, endpoint); });
}

// A TURN server sends on as if it were the peer: what is known of it tells such a path from a direct one.
Path Session::as_known(const Path& path) const {
  if (path.kind != PathKind::direct) return path;
  const bool relayed = path.endpoint.socket == kByTurn || is_relay(path.endpoint);
  return relayed ? Path{PathKind::turn, path.endpoint, 0, false} : path;
}

void Session::ask_both(SessionContext& context, Time now, const frame::Both& both) {
  if (!open()) return;
  both_ = std::make_unique<frame::Both>(both);
  for (auto& path : paths_.all()) {
    if (!path.proven) continue;
    path.says_both = true;
    if (!both.urgent) continue;
    const bool fresh = !path.probing;
    paths_.probe(now, path, context.rng);
    path.doubted = path.doubted || fresh;
  }
}

void Session::try_path(SessionContext& context, Time now, const Path& path) {
  if (!open()) return;
  auto* state = paths_.find(path);
  if (state == nullptr) state = paths_.add(path);
  if (state == nullptr) return;
  // A path that failed just now rests until it is forgotten, unless it was heard since.
  const bool resting = state->asked && !state->proven && !state->probing && state->next_at != kNever;
  if (resting && state->budget() < kChallengePacket) return;
  paths_.ask(*state);
  paths_.probe(now, *state, context.rng);
  // Challenges tell the peer nothing of where we are; a ping from elsewhere does (heard_on).
  if (path == paths_.current_path()) ping_due_ = true;
}

void Session::use_path(SessionContext& context, Time now, const Path& path) {
  if (!open()) return;
  const auto* known = paths_.find(path);
  const bool proven = known != nullptr && known->proven;
  if (!proven || !known->asked) try_path(context, now, path);
  paths_.choose(path);
  if (proven && initiator_) move_to(context, now, path);
}

void Session::drop_path(SessionContext& context, Time now, const Path& path) {
  if (!open() || paths_.find(path) == nullptr) return;
  if (path == paths_.current_path()) {
    auto* next = paths_.best(path);
    if (next == nullptr) return;  // the last one stays until the session ends
    move_to(context, now, next->path);
    resend(flight_.take_all());
  }
  context.paths.remove(path, id_);
  paths_.remove(path);
}

}  // namespace linnet::overlay
