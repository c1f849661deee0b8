#include "overlay/attach.h"

#include <algorithm>

#include "overlay/hello.h"

namespace linnet::overlay {
namespace {

constexpr Duration kConnectTime = std::chrono::seconds(4);
constexpr Duration kFirstBackOff = std::chrono::milliseconds(200);
constexpr Duration kFirstBackOffServed = std::chrono::seconds(3);  // others answer for us: nothing is urgent
constexpr Duration kMaxBackOff = std::chrono::seconds(60);
constexpr Duration kAttachAnswer = std::chrono::seconds(5);
constexpr Duration kUnused = std::chrono::seconds(60);
constexpr Duration kFirstEvaluation = std::chrono::seconds(1);
constexpr Duration kMaxEvaluation = std::chrono::seconds(60);
// Over which the leaves of a lost supernode take another, for each that they have left.
constexpr Duration kSpread = std::chrono::seconds(6);
constexpr Duration kSpreadAlone = std::chrono::milliseconds(300);  // those that have no other
constexpr unsigned kGivenUp = 6;                                   // failures, while others serve us
constexpr Duration kLookAround = std::chrono::milliseconds(200);
constexpr Duration kStreamsSoon = std::chrono::milliseconds(100);  // where datagrams brought no answer before
constexpr Duration kDatagramsAgain = std::chrono::seconds(30);

Duration doubled(Duration first, unsigned times, Duration most) {
  return std::min<Duration>(most, first * (1LL << std::min(times, 20U)));
}

}  // namespace

std::optional<SessionId> Supernode::session() const {
  if (const auto* s = std::get_if<Connected>(&state)) return s->session;
  if (const auto* s = std::get_if<Attaching>(&state)) return s->session;
  if (const auto* s = std::get_if<Attached>(&state)) return s->session;
  return std::nullopt;
}

std::optional<std::uint64_t> Supernode::tag() const {
  const auto* s = std::get_if<Attached>(&state);
  return s ? std::optional(s->tag) : std::nullopt;
}

Supernode* Attachments::find(SessionId session) {
  for (auto& s : supernodes_) {
    const auto* connecting = std::get_if<Connecting>(&s.state);
    if (connecting ? connecting->session == session : s.session() == session) return &s;
  }
  return nullptr;
}

const Supernode* Attachments::by_key(const crypto::SessionKey& key) const {
  for (const auto& s : supernodes_) {
    if (s.key == key) return &s;
  }
  return nullptr;
}

Supernode* Attachments::find(const Endpoint& endpoint, const std::optional<crypto::SessionKey>& key) {
  for (auto& s : supernodes_) {
    if (key ? s.key == key : s.endpoint == endpoint) return &s;
  }
  return nullptr;
}

Supernode* Attachments::add(const Context& c, const Endpoint& endpoint, const std::optional<crypto::SessionKey>& key) {
  if (supernodes_.size() >= kCapacity) forget_unused(c);
  if (supernodes_.size() >= kCapacity) return nullptr;
  supernodes_.reserve(supernodes_.size() + 1);  // few, seldom new, and large
  auto& s = supernodes_.emplace_back();
  s.endpoint = endpoint;
  s.key = key;
  s.used = c.now;
  return &s;
}

void Attachments::reach(const Context& c, const Endpoint& endpoint, const std::optional<crypto::SessionKey>& key) {
  if (key == c.identity.session_key()) return;
  auto* s = find(endpoint, key);
  if (!s) s = add(c, endpoint, key);
  if (!s) return;
  s->used = c.now;
  // Who asks has a pace of his own, so back-off does not hold him up.
  if (std::holds_alternative<Idle>(s->state) || s->waiting()) connect(c, *s);
}

void Attachments::seek(const Context& c, const Endpoint& endpoint, const std::optional<crypto::SessionKey>& key) {
  const auto* s = find(endpoint, key);
  if (!s || !s->turned_away()) reach(c, endpoint, key);
}

void Attachments::connect(const Context& c, Supernode& s) {
  ConnectTo to;
  to.remote = s.key;
  for (const auto& at : all_ways({c.config.tcp, c.config.proxy}, s.endpoint, favourite_))
    to.paths.push_back({PathKind::direct, at, 0, false});
  if (favourite_) to.streams_after = kStreamsSoon;
  to.hello = hello_;
  to.give_up = kConnectTime;
  const auto session = c.sessions.connect(c.now, std::move(to));
  if (session) {
    s.state = Connecting{*session};
  } else {
    set_back(c, s, false);
  }
}

void Attachments::hold(const crypto::SessionKey& key) {
  for (auto& s : supernodes_) {
    if (s.key == key) ++s.holders;
  }
}

void Attachments::release(const Context& c, const crypto::SessionKey& key) {
  for (auto& s : supernodes_) {
    if (s.key != key) continue;
    if (s.holders > 0) --s.holders;
    s.used = c.now;
  }
}

// Nobody signs where a supernode is. Of one that we have a session with we know it ourselves.
dht::Contact Attachments::known_better(const dht::Contact& told) const {
  const auto* s = by_key(told.session);
  return s && s->session() && s->contact ? *s->contact : told;
}

void Attachments::learn(const Context& c, const std::vector<dht::Contact>& contacts,
                        const std::optional<IpAddress>& by) {
  const auto target = dht::id_of(crypto::user_key(c.identity.address));
  for (const auto& told : contacts) {
    if (told.session == c.identity.session_key()) continue;
    if (by && !dht::may_tell(told.endpoint.ip, *by)) continue;
    const auto contact = by ? known_better(told) : told;
    const auto same = [&](const dht::Contact& k) { return k.device == contact.device || k.session == contact.session; };
    if (const auto it = std::find_if(known_.begin(), known_.end(), same); it != known_.end()) {
      if (*it == contact) continue;
      if (!dht::verify(c.suite, c.config.network, contact)) continue;
      known_.erase(it);
    } else if (!dht::verify(c.suite, c.config.network, contact)) {
      continue;
    }
    const auto at = std::find_if(known_.begin(), known_.end(), [&](const dht::Contact& k) {
      return dht::nearer(target, contact.position, k.position);
    });
    known_.insert(at, contact);
  }
  while (known_.size() > kKnown) forget_farthest();
  known_.shrink_to_fit();  // it seldom changes, and is the largest thing a leaf has
  if (c.config.role == Role::leaf) choose(c);
}

std::optional<dht::Contact> Attachments::on_up(const Context& c, const SessionUp& up) {
  auto* s = find(up.session);
  if (!s) return std::nullopt;
  const auto greeting = read_greeting(c.suite, c.config.network, up.remote, up.hello);
  auto contact = greeting ? std::optional(greeting->contact) : std::nullopt;
  const bool far = contact && contact->serves_its_link() && !is_near(up.path.endpoint.ip);
  if (!contact || far || up.remote == c.identity.session_key()) {  // no supernode, none for us, or ourselves
    c.sessions.close(c.now, up.session);
    s->state = Waiting{c.now + c.jittered(kMaxBackOff)};
    return std::nullopt;
  }
  s->own_links = contact->serves_its_link();
  const auto heard = home_of(up.path.endpoint, contact->endpoint);
  time_said_ = TimeSaid{heard.ip, up.remote, greeting->time};
  if (s->own_links) contact->endpoint = heard;  // it is where we hear it
  // Its place follows from its address: the one that answered counts, not one of its choice. Near us it may know a
  // wider one than that by which we reached it.
  if (heard.ip.is_global() && !same_place(contact->endpoint, heard)) {
    contact->endpoint = heard;
    contact->position = dht::position(contact->endpoint.ip, contact->device);
  }
  if (!s->key) {
    if (find(s->endpoint, up.remote)) return merge(c, *s, up, *contact);
    s->key = up.remote;
  }
  s->contact = *contact;
  went_up(c, *s, up);
  const bool own_links = s->own_links;
  if (own_links && c.config.lan != LanMode::listen) return std::nullopt;  // we serve our links ourselves
  learn(c, {*contact}, std::nullopt);
  if (c.config.role == Role::leaf && evaluations_ == 0) evaluate(c);
  if (own_links) return std::nullopt;  // nobody to remember
  return *contact;
}

void Attachments::went_up(const Context& c, Supernode& s, const SessionUp& up) {
  s.failures = 0;
  s.ends = false;
  s.udp_probes = 0;
  s.state = Connected{up.session, c.now};
  if (keepalive_) c.sessions.set_keepalive(c.now, up.session, *keepalive_);
  take_way(c, s, up.path.endpoint);
  changed_ = true;
}

// Datagrams were tried first: where a stream answered, they did not come through.
void Attachments::take_way(const Context& c, Supernode& s, const Endpoint& way) {
  s.way = way;
  const bool stream = way.transport != Transport::udp;
  s.datagrams_at = stream ? c.now + c.jittered(kDatagramsAgain) : kNever;
  s.udp_probes = stream ? s.udp_probes + 1 : 0;
  favourite_ = stream ? std::optional(way_of(way)) : std::nullopt;
}

Attachments::UdpReach Attachments::udp_reach() const {
  UdpReach out;
  for (const auto& s : supernodes_) {
    if (!s.session()) continue;
    const bool answered = s.way.transport == Transport::udp;
    out.probes += answered ? 1 : s.udp_probes;
    out.answers += answered ? 1 : 0;
  }
  return out;
}

// A bare address turned out to be a supernode that we know by its key: one session is enough.
std::optional<dht::Contact> Attachments::merge(const Context& c, Supernode& bare, const SessionUp& up,
                                               const dht::Contact& contact) {
  supernodes_.erase(supernodes_.begin() + (&bare - supernodes_.data()));
  auto& known = *find(up.path.endpoint, up.remote);
  if (known.session()) {
    c.sessions.close(c.now, up.session);
    return contact;
  }
  if (const auto* connecting = std::get_if<Connecting>(&known.state)) c.sessions.close(c.now, connecting->session);
  known.contact = contact;
  known.endpoint = home_of(up.path.endpoint, contact.endpoint);
  went_up(c, known, up);
  if (c.config.role == Role::leaf) choose(c);
  return contact;
}

std::optional<dht::Contact> Attachments::on_down(const Context& c, const SessionDown& down) {
  auto* s = find(down.session);
  if (!s) return std::nullopt;
  const bool stood = s->session().has_value();
  const bool served = s->tag().has_value();
  const auto contact = s->contact;
  const bool first = s->failures == 0;
  if (stood && down.reason == DownReason::refused) {
    turn_away(c, *s);
    s->state = Idle{};
  } else {
    // Whether it still has no place for us nobody knows: it does not answer.
    s->refusals = 0;
    s->asked_again = kNever;
    set_back(c, *s, down.reason == DownReason::forgotten);
  }
  changed_ = changed_ || stood;
  if (c.config.role == Role::leaf) {
    if (served) lost_home(c);
    if (served) ask_again_soon(c);
    give_up(c, *s);
    choose(c);
    if ((stood || first) && knows_too_few(c))
      evaluate_at_ = std::min(evaluate_at_, std::max(c.now, hold_until_) + c.jittered(kLookAround));
  }
  return contact;
}

bool Attachments::any_serves() const {
  return std::any_of(supernodes_.begin(), supernodes_.end(), [](const Supernode& s) { return s.tag(); });
}

bool Attachments::knows_too_few(const Context& c) const {
  const auto sound = std::count_if(known_.begin(), known_.end(), [&](const dht::Contact& k) {
    const auto* s = by_key(k.session);
    return !s || !s->failing();
  });
  return static_cast<std::size_t>(sound) <= c.config.homes;
}

// All leaves of a supernode lose it at once, and their next nearest is often the same one.
void Attachments::lost_home(const Context& c) {
  const auto left = std::count_if(supernodes_.begin(), supernodes_.end(), [](const Supernode& x) { return x.tag(); });
  const auto spread = left > 0 ? kSpread * left : kSpreadAlone;
  const auto until = c.now + Duration(static_cast<std::int64_t>(c.rng.unit() * static_cast<double>(micros(spread))));
  hold_until_ = hold_until_ > c.now ? std::min(hold_until_, until) : until;
}

// `back`: it says that it started anew.
void Attachments::set_back(const Context& c, Supernode& s, bool back) {
  s.state = Idle{};  // it does not serve us any more
  const auto first = any_serves() && !back ? kFirstBackOffServed : kFirstBackOff;
  s.state = Waiting{c.now + c.jittered(doubled(first, s.failures, kMaxBackOff))};
  ++s.failures;
}

// It was asked often enough, by us who have others: who meets it again tells of it.
void Attachments::give_up(const Context& c, Supernode& s) {
  if (s.failures < kGivenUp || !any_serves()) return;
  s.used = c.now;  // it is remembered for a while as one that failed
  std::erase_if(known_, [&](const dht::Contact& k) { return k.session == s.key; });
}

void Attachments::attach(const Context& c, Supernode& s) {
  const auto* connected = std::get_if<Connected>(&s.state);
  if (!connected) return;
  const auto session = connected->session;
  if (c.sessions.send(c.now, session, Channel::control, control::write(attach_message(c))))
    s.state = Attaching{session, c.now};
}

control::Attach Attachments::attach_message(const Context& c) const {
  control::Attach out;
  out.place = dht::id_of(crypto::user_key(c.identity.address));
  if (keepalive_) out.keepalive = std::chrono::ceil<std::chrono::seconds>(*keepalive_);
  out.standby = standby_;
  return out;
}

// Who attaches again keeps its tag.
void Attachments::attach_again(const Context& c, const Supernode& s) const {
  if (s.tag() || std::holds_alternative<Attaching>(s.state))
    (void)c.sessions.send(c.now, *s.session(), Channel::control, control::write(attach_message(c)));
}

void Attachments::set_keepalive(const Context& c, Duration every) {
  keepalive_ = every;
  for (const auto& s : supernodes_) {
    const auto session = s.session();
    if (!session) continue;
    c.sessions.set_keepalive(c.now, *session, every);
    attach_again(c, s);
  }
}

void Attachments::on_attached(const Context& c, SessionId session, const control::Attached& message) {
  auto* s = find(session);
  if (!s || !std::holds_alternative<Attaching>(s->state)) return;
  s->state = Attached{session, message.tag};
  s->refusals = 0;
  s->asked_again = kNever;
  s->observed = message.observed;
  changed_ = true;
  choose(c);
}

// Its router opened it a port, or another one, or closed it. As in its greeting: where we hear it at a global address
// it is there, whatever it says.
void Attachments::hear_of_itself(const Context& c, Supernode& s, const std::vector<dht::Contact>& contacts) {
  const auto own =
      std::find_if(contacts.begin(), contacts.end(), [&](const dht::Contact& k) { return k.session == s.key; });
  if (own == contacts.end() || !s.contact || s.own_links || *own == *s.contact || own->serves_its_link()) return;
  if (s.way.ip.is_global() || own->device != s.contact->device || !dht::verify(c.suite, c.config.network, *own)) return;
  s.contact = *own;
  std::erase_if(known_, [&](const dht::Contact& k) { return k.session == s.key; });
  changed_ = true;
}

void Attachments::on_nodes(const Context& c, SessionId session, const control::Nodes& message) {
  auto* s = find(session);
  if (s) hear_of_itself(c, *s, message.contacts);
  if (!s || message.request != evaluation_ || evaluation_ == 0) return;
  evaluation_ = 0;
  unanswered_ = 0;
  learn(c, message.contacts, s->endpoint.ip);
  evaluate_at_ = c.now + c.jittered(doubled(kFirstEvaluation, evaluations_, kMaxEvaluation));
}

void Attachments::evaluate(const Context& c) {
  std::vector<SessionId> sessions;  // in no order that follows from the network: each has its turn
  for (const bool attached : {true, false}) {
    for (const auto& s : supernodes_) {
      if (s.session() && s.tag().has_value() == attached) sessions.push_back(*s.session());
    }
  }
  // When no answer comes another is asked, later each time: they may all have too much to do.
  evaluate_at_ = c.now + c.jittered(doubled(kFirstEvaluation, unanswered_, kMaxEvaluation));
  if (sessions.empty() || c.sessions.slow()) return;  // a call needs the line for itself
  evaluation_ = c.rng.u64() | 1;
  ++evaluations_;
  ++unanswered_;
  const auto target = dht::id_of(crypto::user_key(c.identity.address));
  const auto session = sessions[turn_++ % sessions.size()];
  (void)c.sessions.send(c.now, session, Channel::control, control::write(control::FindNodes{evaluation_, target}));
}

void Attachments::on_path(const Context& c, const PathChanged& changed) {
  auto* s = find(changed.session);
  if (!s || changed.to.kind != PathKind::direct) return;
  take_way(c, *s, changed.to.endpoint);
  changed_ = true;
}

void Attachments::try_datagrams(const Context& c, bool free) {
  for (auto& s : supernodes_) {
    if (s.datagrams_at > c.now) continue;
    s.datagrams_at = c.now + c.jittered(kDatagramsAgain);
    const auto session = s.session();
    if (!session || !free) continue;
    ++s.udp_probes;
    c.sessions.try_path(c.now, *session, {PathKind::direct, s.home(), 0, false});
  }
}

void Attachments::handle_timeout(const Context& c) {
  bool again = false;
  for (auto& s : supernodes_) {
    if (const auto* w = std::get_if<Waiting>(&s.state); w && w->until <= c.now) {
      s.state = Idle{};
      again = true;
      if (s.holders > 0) connect(c, s);
    } else if (const auto* a = std::get_if<Attaching>(&s.state); a && c.now - a->asked > kAttachAnswer) {
      s.state = Connected{a->session, c.now};
      again = true;
    }
  }
  if (hold_until_ != Time::min() && hold_until_ <= c.now) {
    hold_until_ = Time::min();
    again = true;
  }
  for (auto& s : supernodes_) {
    if (s.asked_again > c.now) continue;
    s.asked_again = kNever;
    again = true;
  }
  if (again && c.config.role == Role::leaf) choose(c);
  if (evaluate_at_ <= c.now) evaluate(c);
  forget_unused(c);
}

Time Attachments::next_timeout() const {
  Time next = hold_until_ == Time::min() ? evaluate_at_ : std::min(evaluate_at_, hold_until_);
  for (const auto& s : supernodes_) {
    if (const auto* w = std::get_if<Waiting>(&s.state)) next = std::min(next, w->until);
    if (const auto* a = std::get_if<Attaching>(&s.state)) next = std::min(next, a->asked + kAttachAnswer + Duration(1));
    const bool unused = std::holds_alternative<Connected>(s.state) && !s.wanted() && s.holders == 0;
    if (unused) next = std::min(next, s.used + kUnused + Duration(1));
    if (s.session()) next = std::min(next, s.datagrams_at);
    next = std::min(next, s.asked_again);
  }
  return next;
}

void Attachments::forget_unused(const Context& c) {
  const auto unused = [&](Supernode& s) {
    if (s.wanted() || s.holders > 0 || c.now - s.used <= kUnused) return false;
    const bool remembered = s.turned_away() && supernodes_.size() < kCapacity;
    if (std::holds_alternative<Idle>(s.state)) return !remembered;
    if (!std::holds_alternative<Connected>(s.state)) return false;
    c.sessions.close(c.now, *s.session());
    s.state = Idle{};
    return !remembered;
  };
  std::erase_if(supernodes_, unused);
}

void Attachments::drop_idle(const Context& c) {
  for (auto& s : supernodes_) {
    if (s.wanted() || s.holders > 0 || !s.session()) continue;
    c.sessions.close(c.now, *s.session());
    s.state = Idle{};
    changed_ = true;
  }
}

std::vector<SessionId> Attachments::introduce_again(const Context& c) {
  std::vector<SessionId> gone;
  for (auto& s : supernodes_) {
    s.refusals = 0;  // it may have been for what we said of us
    if (s.turned_away()) s.asked_again = c.now;
    const auto* connecting = std::get_if<Connecting>(&s.state);
    const auto session = connecting ? std::optional(connecting->session) : s.session();
    if (!session) continue;
    c.sessions.close(c.now, *session);
    gone.push_back(*session);
    s.used = c.now;
    connect(c, s);
  }
  changed_ = changed_ || !gone.empty();
  return gone;
}

void Attachments::leave(const Context& c) {
  for (auto& s : supernodes_) {
    if (const auto session = s.session()) {
      if (s.tag()) (void)c.sessions.send(c.now, *session, Channel::control, control::write(control::Detach{}));
      c.sessions.close(c.now, *session);
    }
  }
  supernodes_.clear();
  known_.clear();
  evaluate_at_ = kNever;
}

}  // namespace linnet::overlay
