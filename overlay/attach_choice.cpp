// Which supernodes become homes and anchor, what becomes of those that are full, and what others may ask of the
// attachments.
#include <algorithm>
#include <tuple>

#include "dht/place.h"
#include "overlay/attach.h"
#include "overlay/recovery.h"

namespace linnet::overlay {
namespace {

constexpr std::ptrdiff_t kAtOnePlace = 2;

}  // namespace

// The nearest, with distinct prefixes where there is a choice. Who failed is none until it answers again: else homes,
// and with them our record, would come and go with each attempt.
std::vector<dht::Contact> Attachments::pick_homes(const Context& c) const {
  const auto failing = [&](const dht::Contact& k) {
    const auto* s = by_key(k.session);
    return s && s->failing();
  };
  const auto crowded = [](const std::vector<dht::Contact>& chosen, const dht::Contact& k) {
    return std::any_of(chosen.begin(), chosen.end(),
                       [&](const dht::Contact& x) { return dht::one_place(x.position, k.position); });
  };
  std::vector<dht::Contact> out;
  for (const bool spread : {true, false}) {
    for (const auto& k : known_) {
      if (out.size() >= c.config.homes) return out;
      const bool taken = std::find(out.begin(), out.end(), k) != out.end();
      if (taken || failing(k) || (spread && crowded(out, k))) continue;
      out.push_back(k);
    }
  }
  return out;
}

// Too many are known. The farthest goes, but first who has two nearer ones at its own place: however many somebody has
// of one network, they do not push out all others.
void Attachments::forget_farthest() {
  for (std::size_t i = known_.size(); i-- > kAtOnePlace;) {
    const auto end = known_.begin() + static_cast<std::ptrdiff_t>(i);
    const auto nearer_ones = std::count_if(
        known_.begin(), end, [&](const dht::Contact& k) { return dht::one_place(k.position, known_[i].position); });
    if (nearer_ones < kAtOnePlace) continue;
    known_.erase(end);
    return;
  }
  known_.pop_back();
}

// The supernode with the shortest round trip that is no home, among those that we have a session with; else the next
// nearest. An anchor that serves stays.
void Attachments::pick_anchor(const Context& c) {
  for (auto& s : supernodes_) {
    if (s.wanted_anchor && !s.wanted_home && s.tag()) return;
  }
  for (auto& s : supernodes_) s.wanted_anchor = false;
  Supernode* best = nullptr;
  std::optional<Duration> shortest;
  for (auto& s : supernodes_) {
    if (s.wanted_home || !s.session() || !s.contact || s.failing()) continue;
    const auto rtt = c.sessions.rtt(*s.session()).value_or(std::chrono::seconds(1));
    if (shortest && *shortest <= rtt) continue;
    best = &s;
    shortest = rtt;
  }
  if (best) {
    best->wanted_anchor = true;
    return;
  }
  for (const auto& k : known_) {
    auto* s = find(k.endpoint, k.session);
    if (s && (s->wanted_home || s->failing())) continue;
    if (!s) s = add(c, k.endpoint, k.session);
    if (!s) return;
    s->contact = k;
    s->wanted_anchor = true;
    return;
  }
}

// Those that would be homes if they answered.
void Attachments::try_again(const Context& c) {
  std::size_t sound = 0;
  std::size_t tried = 0;
  for (const auto& k : known_) {
    auto* s = find(k.endpoint, k.session);
    if (!s || !s->failing()) {
      if (++sound >= c.config.homes) return;
    } else if (s->turned_away()) {
      continue;
    } else if (s->refusals > 0 && std::holds_alternative<Connected>(s->state)) {
      attach(c, *s);
    } else if (std::holds_alternative<Idle>(s->state)) {
      connect(c, *s);
      if (++tried > c.config.homes) return;
    }
  }
}

// It is full, and answers: another one is tried at once, this one again and again, later each time and never too late
// for a place that became free.
void Attachments::turn_away(const Context& c, Supernode& s) {
  const auto most = any_serves() ? kMostAskAgainServed : kMostAskAgain;
  const auto pause = std::min<Duration>(most, kFirstAskAgain * (1LL << std::min(s.refusals, 20U)));
  s.asked_again = c.now + pause / 4 + c.jittered(pause / 2);  // from half of it to all of it
  ++s.refusals;
  s.wanted_home = s.wanted_anchor = false;
  s.used = c.now;
}

// Who served us is lost, and nobody else does.
void Attachments::ask_again_soon(const Context& c) {
  if (any_serves()) return;
  for (auto& s : supernodes_) {
    if (s.turned_away()) s.asked_again = std::min(s.asked_again, c.now + c.jittered(kMostAskAgain / 2));
  }
}

void Attachments::on_refused(const Context& c, SessionId session, const control::AttachRefused& message) {
  auto* s = find(session);
  if (!s || !std::holds_alternative<Attaching>(s->state)) return;
  turn_away(c, *s);
  if (s->holders > 0) {  // a link stands on it
    s->state = Connected{session, c.now};
  } else {
    c.sessions.close(c.now, session);
    s->state = Idle{};
  }
  changed_ = true;
  learn(c, message.alternatives, s->endpoint.ip);
}

void Attachments::choose(const Context& c) {
  const auto homes = pick_homes(c);
  for (auto& s : supernodes_) s.wanted_home = false;
  for (const auto& k : homes) {
    auto* s = find(k.endpoint, k.session);
    if (!s) s = add(c, k.endpoint, k.session);
    if (!s) continue;
    s->contact = k;
    s->wanted_home = true;
  }
  if (homes.size() >= c.config.homes) pick_anchor(c);
  for (auto& s : supernodes_) {
    if (!s.wanted()) continue;
    if (std::holds_alternative<Idle>(s.state) && hold_until_ <= c.now) connect(c, s);
    if (std::holds_alternative<Connected>(s.state)) attach(c, s);
  }
  try_again(c);
  if (settled()) release_unwanted(c);
}

bool Attachments::settled() const {
  bool any = false;
  for (const auto& s : supernodes_) {
    if (!s.wanted()) continue;
    any = any || s.tag();
    if (!s.tag() && !s.waiting()) return false;
  }
  return any;
}

// A former home is kept until those that take its place answer for us.
void Attachments::release_unwanted(const Context& c) {
  for (auto& s : supernodes_) {
    if (s.wanted() || !s.tag()) continue;
    const auto session = *s.session();
    (void)c.sessions.send(c.now, session, Channel::control, control::write(control::Detach{}));
    s.state = Connected{session, c.now};
    s.used = c.now;
    changed_ = true;
  }
}

std::optional<SessionId> Attachments::session_with(const crypto::SessionKey& key) const {
  const auto* s = by_key(key);
  return s ? s->session() : std::nullopt;
}

std::vector<dht::Home> Attachments::record_homes() const {
  std::vector<dht::Home> out;
  const auto add_home = [&](const Supernode& s) {
    if (out.size() < dht::kMaxHomes) out.push_back({s.contact->endpoint, *s.key, *s.tag()});
  };
  for (const auto& k : known_) {
    const auto* s = by_key(k.session);
    if (s && s->wanted_home && s->tag()) add_home(*s);
  }
  for (const auto& s : supernodes_) {
    if (s.wanted_anchor && !s.wanted_home && s.tag() && s.contact) add_home(s);
  }
  // While the wanted ones are not there yet, former homes still answer for us.
  for (const auto& s : supernodes_) {
    if (!s.wanted() && s.tag() && s.contact) add_home(s);
  }
  return out;
}

std::vector<SessionId> Attachments::for_questions(const Context& c, std::size_t n) const {
  using Rank = std::tuple<bool, bool, SessionId>;
  std::vector<Rank> ranks;
  for (const auto& s : supernodes_) {
    const auto session = s.session();
    if (!session) continue;
    ranks.emplace_back(c.sessions.silent(c.now, *session), !s.tag(), *session);
  }
  n = std::min(n, ranks.size());
  std::partial_sort(ranks.begin(), ranks.begin() + static_cast<std::ptrdiff_t>(n), ranks.end());
  std::vector<SessionId> out;
  for (std::size_t i = 0; i < n; ++i) out.push_back(std::get<SessionId>(ranks[i]));
  return out;
}

std::vector<SessionId> Attachments::for_publishing(const Context& c, std::size_t n) const {
  std::vector<SessionId> out;
  for (const bool silent : {false, true}) {
    for (const auto& k : known_) {
      const auto* s = by_key(k.session);
      if (s && s->tag() && out.size() < n && c.sessions.silent(c.now, *s->session()) == silent)
        out.push_back(*s->session());
    }
  }
  for (const auto session : for_questions(c, n)) {
    if (out.size() < n && std::find(out.begin(), out.end(), session) == out.end()) out.push_back(session);
  }
  return out;
}

std::optional<SessionId> Attachments::session_at(const Endpoint& endpoint) const {
  for (const auto& s : supernodes_) {
    const bool there = same_place(s.endpoint, endpoint) || s.way == endpoint;
    if (there && s.session()) return s.session();
  }
  return std::nullopt;
}

bool Attachments::serves(const Endpoint& endpoint) const {
  return std::any_of(supernodes_.begin(), supernodes_.end(), [&](const Supernode& s) {
    const bool there = same_place(s.endpoint, endpoint) || s.way == endpoint;
    return there && s.session().has_value();
  });
}

Endpoint Attachments::way_to(const dht::Home& home) const {
  if (const auto* s = by_key(home.session); s && s->session()) return s->way;
  std::optional<Way> stream;
  for (const auto& s : supernodes_) {
    if (!s.session()) continue;
    if (s.way.transport == Transport::udp) return home.endpoint;
    stream = way_of(s.way);
  }
  return stream ? by(*stream, home.endpoint) : home.endpoint;
}

bool Attachments::any_up() const {
  return std::any_of(supernodes_.begin(), supernodes_.end(),
                     [](const Supernode& s) { return s.session().has_value() && !s.own_links; });
}

bool Attachments::any_connecting() const {
  return std::any_of(supernodes_.begin(), supernodes_.end(), [](const Supernode& s) { return s.connecting(); });
}

bool Attachments::any_full() const {
  return std::any_of(supernodes_.begin(), supernodes_.end(),
                     [](const Supernode& s) { return s.refusals > 0 && !s.tag(); });
}

std::vector<Observed> Attachments::observed() const {
  std::vector<Observed> out;
  for (const auto& s : supernodes_) {
    if (s.observed && s.session() && s.observed->transport == Transport::udp && !on_stream({{}, s.way, 0, false}))
      out.push_back({*s.observed, s.way});
  }
  return out;
}

}  // namespace linnet::overlay
