// Attachments of one that may be promoted, and of the leaves of one that is demoted.
#include <algorithm>

#include "overlay/attach.h"

namespace linnet::overlay {
namespace {

constexpr Duration kNoHomeAgain = std::chrono::minutes(10);
constexpr Duration kSoon = std::chrono::seconds(1);

}  // namespace

void Attachments::set_standby(const Context& c, std::uint32_t leaves) {
  if (leaves == standby_) return;
  standby_ = leaves;
  for (const auto& s : supernodes_) attach_again(c, s);
}

// It answers for us until those that take its place do; then it is detached as any other former home.
void Attachments::on_handover(const Context& c, SessionId session, const control::Handover& message) {
  auto* s = find(session);
  if (!s || s->ends) return;
  s->ends = true;
  s->wanted_home = s->wanted_anchor = false;
  s->asked_again = c.now + c.jittered(kNoHomeAgain);
  learn(c, message.alternatives, s->endpoint.ip);
  if (c.config.role == Role::leaf) choose(c);
}

// A home is where we are looked for; an anchor may be anybody, and would stay who it was first.
void Attachments::on_crowded(const Context& c, SessionId session) {
  auto* s = find(session);
  if (!s || s->ends || s->wanted_home || !s->wanted_anchor || c.config.role != Role::leaf) return;
  const bool another = std::any_of(known_.begin(), known_.end(), [&](const dht::Contact& k) {
    const auto* other = by_key(k.session);
    return !other || (other != s && !other->wanted_home && !other->failing());
  });
  if (!another) return;
  s->ends = true;
  s->wanted_anchor = false;
  s->asked_again = c.now + c.jittered(kNoHomeAgain);
  choose(c);
}

void Attachments::stop_seeking() {
  evaluate_at_ = kNever;
  evaluation_ = 0;
  hold_until_ = Time::min();
}

void Attachments::detach(const Context& c) {
  for (auto& s : supernodes_) {
    s.wanted_home = s.wanted_anchor = false;
    if (!s.tag()) continue;
    const auto session = *s.session();
    (void)c.sessions.send(c.now, session, Channel::control, control::write(control::Detach{}));
    s.state = Connected{session, c.now};
    s.used = c.now;
    changed_ = true;
  }
}

void Attachments::seek_homes(const Context& c, const std::vector<dht::Contact>& near) {
  if (!near.empty()) known_.clear();
  evaluations_ = unanswered_ = 0;
  evaluate_at_ = c.now + c.jittered(kSoon);
  learn(c, near, std::nullopt);
  choose(c);
}

void Attachments::touch(Time now, const Endpoint& way) {
  for (auto& s : supernodes_) {
    if (s.way == way) s.used = now;
  }
}

}  // namespace linnet::overlay
