#include "overlay/links.h"

#include <algorithm>

namespace linnet::overlay {
namespace {

constexpr Duration kIdle = std::chrono::seconds(2);
constexpr Duration kIdleShown = std::chrono::seconds(60);

}  // namespace

Link* Links::find(SessionId session) {
  const auto it = links_.find(session);
  return it == links_.end() ? nullptr : &it->second;
}

const Link* Links::find(SessionId session) const {
  const auto it = links_.find(session);
  return it == links_.end() ? nullptr : &it->second;
}

// Homes that we have a session with come first: nothing is to be set up there.
static std::vector<dht::Home> ordered(const Attachments& attachments, std::vector<dht::Home> homes) {
  std::stable_partition(homes.begin(), homes.end(),
                        [&](const dht::Home& h) { return attachments.session_with(h.session).has_value(); });
  return homes;
}

// One that serves its own links and heard of us before we heard of it: it stands where its DHT answered.
static std::vector<dht::Home> met(const LinkRooms& rooms, const FoundDevice& device) {
  if (!rooms.link_dht) return {};
  const auto near = rooms.link_dht->nearest(dht::position({}, device.record.device()), 1);
  if (near.empty() || near[0].device != device.record.device() || near[0].session != device.body.session) return {};
  return {{near[0].endpoint, near[0].session, 0}};
}

std::vector<Path> Links::first_paths(const Context& c, const LinkRooms& rooms, const FoundDevice& device,
                                     const std::vector<dht::Home>& homes) const {
  std::vector<Path> out;
  for (const auto& home : homes) {
    if (home.session == device.body.session) {  // a supernode's person
      for (const auto& at : all_ways({c.config.tcp, c.config.proxy}, home.endpoint, rooms.attachments.favourite())) {
        const Path path{PathKind::direct, at, 0, false};
        out.insert(on_stream(path) ? out.end() : out.begin(), path);
      }
    } else if (home.session == c.identity.session_key()) {  // our own leaf
      const auto* leaf = rooms.leaves ? rooms.leaves->by_key(device.body.session) : nullptr;
      if (leaf && leaf->session) out.insert(out.begin(), Path{PathKind::direct, leaf->endpoint, 0, false});
    } else if (const auto path =
                   rooms.forwards.open(c.suite, c.rng, rooms.attachments.way_to(home), home.tag, device.body.session)) {
      out.push_back(*path);
    }
  }
  return out;
}

// Where datagrams do not pass and none of the other's homes is ours, it may be that we reach none of them: streams to
// ports of convention alone may get out here, and they may have none. Ways by two of our own supernodes then, tried
// last.
void Links::add_bridges(const Context& c, const LinkRooms& rooms, const FoundDevice& device, Link& link,
                        std::vector<Path>& paths) const {
  if (!rooms.attachments.favourite()) return;
  for (const auto& leg : link.legs) {
    if (rooms.attachments.session_with(leg.home.session)) return;
  }
  const auto ours = rooms.attachments.for_questions(c, kLegs);
  const auto homes = link.legs.size();
  for (std::size_t i = 0; i < std::min({homes, ours.size(), kLegs}); ++i) {
    const auto* own = rooms.attachments.by_session(ours[i]);
    if (own == nullptr || !own->key) continue;
    CircuitLeg leg(link.legs[i].home);
    leg.via = own->key;
    if (const auto path = open_forward(c, rooms, device.body.session, leg)) paths.push_back(*path);
    link.legs.push_back(std::move(leg));
  }
}

Result<SessionId> Links::connect(const Context& c, const LinkRooms& rooms, const crypto::Address& address,
                                 const FoundDevice& device, bool cold, const Bytes& hello) {
  for (auto& [session, link] : links_) {
    if (cold || link.remote.session != device.body.session || !link.initiator || link.remote.address != address)
      continue;
    link.used = c.now;
    const auto path = c.sessions.current_path(session);
    if (link.up && path) events_.push_back(LinkUp{session, true, link.remote, *path});
    return session;
  }
  if (links_.size() >= kCapacity) return fail(Fault::full);
  auto here = located(rooms.neighbours, device.body.homes, c.identity.session_key());
  if (here.empty()) here = met(rooms, device);
  const auto homes = ordered(rooms.attachments, here);
  ConnectTo to;
  to.remote = device.body.session;
  to.paths = first_paths(c, rooms, device, homes);
  to.hello = hello;
  to.give_up = c.config.connect_timeout;
  if (to.paths.empty()) return fail(Fault::not_found);
  Link link;
  link.initiator = true;
  link.used = c.now;
  link.remote = {address,
                 crypto::Address::key_name(address.user(), device.record.account()),
                 device.record.account(),
                 device.record.device(),
                 device.body.session,
                 device.record.certificate.epoch};
  for (const auto& home : homes) {
    if (home.session == device.body.session || home.session == c.identity.session_key()) continue;
    link.legs.emplace_back(home);
  }
  add_bridges(c, rooms, device, link, to.paths);
  const auto session = c.sessions.connect(c.now, std::move(to));
  if (!session) return session;
  link.session = *session;
  std::size_t first = 0;
  for (auto& leg : link.legs) {
    const auto& home = leg.home;
    if (leg.via || ++first > kLegs) continue;
    rooms.attachments.reach(c, home.endpoint, home.session);  // at once, beside the handshake
    rooms.attachments.hold(home.session);
    leg.held = true;
  }
  links_.emplace(*session, std::move(link));
  return session;
}

void Links::on_up(const Context& c, const LinkRooms& rooms, const SessionUp& up) {
  auto* link = find(up.session);
  if (!link) return;
  link->up = true;
  link->used = c.now;
  link->proven.push_back(up.path);
  hints_.clear();
  c.sessions.hide(up.session, up.path.kind != PathKind::direct && !link->shown);
  // The home that answered carries the circuit.
  std::stable_partition(link->legs.begin(), link->legs.end(),
                        [&](const CircuitLeg& l) { return goes_by(rooms, l, up.path.endpoint); });
  events_.push_back(LinkUp{up.session, true, link->remote, up.path});
  advance(c, rooms, *link);
}

Status Links::on_person(const Context& c, const SessionUp& up, const PersonHello& hello) {
  if (links_.size() >= kCapacity) return fail(Fault::full);
  Link link;
  link.session = up.session;
  link.up = true;
  link.used = c.now;
  link.proven.push_back(up.path);
  c.sessions.hide(up.session, up.path.kind != PathKind::direct);
  const auto& account = hello.record.account();
  link.remote = {hello.address, crypto::Address::key_name(hello.address.user(), account),
                 account,       hello.record.device(),
                 up.remote,     hello.record.certificate.epoch};
  // Where a circuit may stand should the caller's not be enough.
  for (const auto& home : hello.body.homes) {
    if (home.session != up.remote && home.session != c.identity.session_key()) link.legs.emplace_back(home);
  }
  events_.push_back(LinkUp{up.session, false, link.remote, up.path});
  links_.emplace(up.session, std::move(link));
  hints_.clear();
  return {};
}

// Not called for a link that the owner closed himself.
void Links::on_down(const Context& c, const LinkRooms& rooms, const SessionDown& down) {
  const auto it = links_.find(down.session);
  if (it == links_.end()) return;
  const auto link = std::move(it->second);
  links_.erase(it);
  LinkDown event{down.session, down.reason, tries(rooms, link)};
  forget(c, rooms, link);
  events_.push_back(std::move(event));
}

void Links::forget(const Context& c, const LinkRooms& rooms, const Link& link) {
  for (const auto& leg : link.legs) {
    if (leg.held) rooms.attachments.release(c, leg.asked());
  }
  const auto same = [&](const auto& entry) { return entry.second.remote.session == link.remote.session; };
  if (std::none_of(links_.begin(), links_.end(), same)) rooms.forwards.close(link.remote.session);
  if (link.slow) c.sessions.set_slow(any_slow());
}

void Links::close(const Context& c, const LinkRooms& rooms, SessionId session) {
  const auto it = links_.find(session);
  if (it == links_.end()) return;
  const auto link = std::move(it->second);
  c.sessions.close(c.now, session);
  links_.erase(it);
  forget(c, rooms, link);
  events_.push_back(LinkDown{session, DownReason::closed, {}});
}

void Links::close_idle(const Context& c, const LinkRooms& rooms) {
  std::vector<SessionId> idle;
  for (const auto& [session, link] : links_) {
    if (!link.kept && c.now - link.used >= (link.shown ? kIdleShown : kIdle)) idle.push_back(session);
  }
  for (const auto session : idle) close(c, rooms, session);
}

void Links::close_all(const Context& c, const LinkRooms& rooms) {
  while (!links_.empty()) close(c, rooms, links_.begin()->first);
}

void Links::keep(const Context& c, SessionId session, bool kept) {
  auto* link = find(session);
  if (!link || link->kept == kept) return;
  link->kept = kept;
  link->legs_at = kept ? c.now + kLookAtLegs : kNever;
  if (!kept) set_room(c, session, Room::both);
}

// A circuit that both ends agreed on inside their session, proven or not: its supernode has a session with us, so
// nobody is flooded through it, and who is called would say his first word a round trip later.
static std::optional<Path> first_agreed(const Link& link) {
  for (const auto& leg : link.legs) {
    if (leg.path) return leg.path;
  }
  return link.answered.empty() ? std::nullopt : std::optional(link.answered.front().second);
}

std::optional<Path> Links::voice_path(const Context& c, SessionId session) const {
  const auto* link = find(session);
  const auto current = link ? c.sessions.current_path(session) : std::nullopt;
  if (!current || current->kind != PathKind::forward) return current;
  const auto other =
      std::find_if(link->proven.begin(), link->proven.end(), [](const Path& p) { return p.kind != PathKind::forward; });
  return other == link->proven.end() ? first_agreed(*link) : std::optional(*other);
}

void Links::voice_sent(Time now, SessionId session) {
  auto* link = find(session);
  if (!link) return;
  link->used = link->voice_out = now;
  if (link->health_at == kNever) link->health_at = now + kVoiceSilence;
}

void Links::voice_heard(Time now, SessionId session) {
  auto* link = find(session);
  if (!link) return;
  link->used = link->voice_in = now;
  link->voices = std::min(link->voices + 1, kYoung);
}

Status Links::send(const Context& c, SessionId session, Channel channel, Bytes message) {
  auto* link = find(session);
  if (!link) return fail(Fault::not_found);
  if (channel == Channel::control) return fail(Fault::refused);  // ours
  link->used = c.now;
  return c.sessions.send(c.now, session, channel, std::move(message));
}

void Links::on_message(const Context& c, const LinkRooms& rooms, MessageIn in) {
  auto* link = find(in.session);
  if (!link) return;
  link->used = c.now;
  if (in.channel != Channel::control) {
    events_.push_back(LinkMessage{in.session, in.channel, std::move(in.bytes)});
    return;
  }
  const auto message = control::read(in.bytes);
  if (!message) return;
  if (const auto* offer = std::get_if<control::CircuitOffer>(&*message)) on_offer(c, rooms, *link, *offer);
}

static bool agreed(const Link& link, const Path& path) {
  return std::any_of(link.legs.begin(), link.legs.end(), [&](const CircuitLeg& l) { return l.path == path; }) ||
         std::any_of(link.answered.begin(), link.answered.end(), [&](const auto& a) { return a.second == path; });
}

// What a TURN server sends on looks as if it came straight.
std::optional<Links::OnLink> Links::proven_on(const Link& link, const Path& path) {
  const auto same = [&](const Path& known) {
    return known == path || (bare(known) && bare(path) && known.endpoint == path.endpoint);
  };
  const auto proven = std::find_if(link.proven.begin(), link.proven.end(), same);
  if (proven != link.proven.end()) return OnLink{link.session, *proven};
  return agreed(link, path) ? std::optional(OnLink{link.session, path}) : std::nullopt;
}

std::optional<Links::OnLink> Links::on(const Context& c, const Path& path) {
  const std::pair place(path.endpoint, path.id);
  const auto hint = hints_.find(place);
  if (hint != hints_.end() && c.now < hint->second.until) {
    const auto* link = find(hint->second.link);
    if (const auto found = link != nullptr ? proven_on(*link, path) : std::nullopt) return found;
  }
  for (auto it = links_.rbegin(); it != links_.rend(); ++it) {
    const auto found = proven_on(it->second, path);
    if (!found) continue;
    if (hints_.size() >= kCapacity) hints_.clear();
    hints_.insert_or_assign(place, Hint{it->first, c.now + kHintGood});
    return found;
  }
  for (auto it = links_.rbegin(); it != links_.rend(); ++it) {
    const auto& link = it->second;
    if (link.kept && c.sessions.heard_by(it->first, path)) return OnLink{it->first, path, false};
    if (link.ended == path && c.now < link.ended_until) return OnLink{it->first, path, false};
  }
  return std::nullopt;
}

bool Links::up_with(const crypto::SessionKey& key) const {
  return std::any_of(links_.begin(), links_.end(),
                     [&](const auto& entry) { return entry.second.up && entry.second.remote.session == key; });
}

std::optional<SessionId> Links::with_circuit(const Path& path) const {
  for (const auto& [session, link] : links_) {
    if (agreed(link, path)) return session;
  }
  return std::nullopt;
}

bool Links::has_circuit_at(SessionId session, const Endpoint& supernode) const {
  const auto* link = find(session);
  const auto there = [&](const Path& path) { return path.kind == PathKind::circuit && path.endpoint == supernode; };
  return link != nullptr &&
         (std::any_of(link->legs.begin(), link->legs.end(),
                      [&](const CircuitLeg& l) { return l.path && there(*l.path); }) ||
          std::any_of(link->answered.begin(), link->answered.end(), [&](const auto& a) { return there(a.second); }));
}

bool Links::any_circuit_at(const Endpoint& supernode) const {
  return std::any_of(links_.begin(), links_.end(), [&](const auto& l) { return has_circuit_at(l.first, supernode); });
}

bool Links::has_circuit(SessionId session, const Path& path) const {
  const auto* link = find(session);
  return link != nullptr && agreed(*link, path);
}

void Links::dropped(SessionId session, const Path& path) {
  if (auto* link = find(session)) std::erase(link->proven, path);
}

std::optional<PeerEvent> Links::poll_event() {
  if (events_.empty()) return std::nullopt;
  return events_.take();
}

void Links::handle_timeout(const Context& c, const LinkRooms& rooms) {
  for (auto& [session, link] : links_) tick(c, rooms, link);
}

Time Links::next_timeout() const {
  Time next = kNever;
  for (const auto& [session, link] : links_) next = std::min(next, next_of(link));
  return next;
}

std::size_t Links::memory_bytes() const {
  std::size_t out = links_.size() * (sizeof(Link) + 64);
  for (const auto& [session, link] : links_) {
    out += link.legs.capacity() * sizeof(CircuitLeg) + link.proven.capacity() * sizeof(Path);
  }
  return out;
}

}  // namespace linnet::overlay
