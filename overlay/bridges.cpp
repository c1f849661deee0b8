#include "overlay/bridges.h"

#include <algorithm>
#include <tuple>

namespace linnet::overlay {
namespace {

constexpr Duration kSweepBridges = std::chrono::seconds(1);

const Bridges::Client& client_of(const auto& asked) { return asked.client; }
template <class Carried>
const Bridges::Client& client_of(const std::pair<const std::uint64_t, Carried>& entry) {
  return entry.second.client;
}

// Room for one more of this client, and of its neighbours.
template <class Entries>
bool bridge_room(const Entries& entries, const Bridges::Client& client, std::size_t most, std::size_t of_client) {
  const auto& ip = client.at.ip;
  std::size_t own = 0, near = 0;
  for (const auto& e : entries) {
    const auto& other = client_of(e);
    own += other.session == client.session ? 1 : 0;
    near += ip.is_global() && other.at.ip.is_global() && other.at.ip.prefix() == ip.prefix() ? 1 : 0;
  }
  return entries.size() < most && own < of_client && near < most / Bridges::kPrefixShare;
}

}  // namespace

Bridges::Place Bridges::place_of(const Client& client) {
  const auto& ip = client.at.ip;
  return ip.is_global() ? Place{ip.prefix(), {}} : Place{{}, ip};
}

std::vector<Bridges::Far> Bridges::fars() const {
  std::vector<Far> out;
  const auto add = [&](const auto& one) {
    const auto by = place_of(one.client);
    const auto at = std::find_if(out.begin(), out.end(), [&](const Far& f) { return f.key == one.far.session; });
    if (at == out.end()) {
      out.push_back({one.far.session, by, one.since, false});
      return;
    }
    at->shared = at->shared || at->by != by;
    if (one.since < at->since) std::tie(at->since, at->by) = std::tie(one.since, by);
  };
  for (const auto& [token, f] : forwards_) add(f);
  for (const auto& a : asked_) add(a);
  return out;
}

// Makes it where it may: of those that brought in most the oldest goes, first what others do not use.
bool Bridges::far_room(const Client& client, const dht::Contact& far) {
  const auto all = fars();
  if (std::any_of(all.begin(), all.end(), [&](const Far& f) { return f.key == far.session; })) return true;
  const auto held = [&](const Place& by) {
    return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [&](const Far& f) { return f.by == by; }));
  };
  const auto own = held(place_of(client));
  if (own >= kFarOfPrefix) return false;
  if (all.size() < kFar) return true;
  const auto rank = [&](const Far& f) { return std::tuple(kFar - held(f.by), f.shared, f.since); };
  const auto& out =
      *std::min_element(all.begin(), all.end(), [&](const Far& a, const Far& b) { return rank(a) < rank(b); });
  if (own > 0 || held(out.by) < 2) return false;
  put_out(out.key);
  return true;
}

void Bridges::put_out(const crypto::SessionKey& far) {
  std::erase_if(forwards_, [&](const auto& f) { return f.second.far.session == far; });
  std::erase_if(asked_, [&](const Asked& a) {
    if (a.far.session == far) put_out_.push_back(a);
    return a.far.session == far;
  });
}

void Bridges::sweep_from(Time now) { sweep_at_ = std::min(sweep_at_, now + kSweepBridges); }

Status Bridges::open(Time now, const Client& client, const dht::Contact& far, std::uint64_t tag, std::uint64_t token) {
  if (const auto at = forwards_.find(token); at != forwards_.end()) {
    auto& known = at->second;
    if (known.client.session != client.session || known.tag != tag) return fail(Fault::full);
    known.used = now;
    return {};
  }
  if (!bridge_room(forwards_, client, kForwards, kForwardsOfClient) || !far_room(client, far)) return fail(Fault::full);
  forwards_.emplace(token, Carried{client, far, tag, now, now});
  to_reach_.push_back(far);
  sweep_from(now);
  return {};
}

std::optional<Endpoint> Bridges::onward(Time now, const Endpoint& from, std::uint64_t tag, std::uint64_t token) {
  const auto at = forwards_.find(token);
  if (at == forwards_.end() || at->second.tag != tag || at->second.client.at != from) return std::nullopt;
  at->second.used = now;
  return at->second.far.endpoint;
}

std::optional<Endpoint> Bridges::back(Time now, const Endpoint& from, std::uint64_t token) {
  const auto at = forwards_.find(token);
  if (at == forwards_.end() || !same_place(at->second.far.endpoint, from)) return std::nullopt;
  at->second.used = now;
  return at->second.client.at;
}

Status Bridges::open_circuit(Time now, const Client& client, const dht::Contact& far, std::uint64_t tag,
                             const control::PairNonce& nonce) {
  if (find(far.session, nonce) != nullptr || !bridge_room(asked_, client, kCircuits, kCircuitsOfClient) ||
      !far_room(client, far))
    return fail(Fault::full);
  Asked asked;
  asked.client = client;
  asked.far = far;
  asked.tag = tag;
  asked.nonce = nonce;
  asked.since = now;
  asked_.push_back(asked);
  to_reach_.push_back(far);
  sweep_from(now);
  return {};
}

void Bridges::settle(const Context& c, Attachments& attachments, CircuitTable& circuits) {
  for (const auto& asked : std::exchange(put_out_, {})) {
    if (asked.stage == Asked::Stage::standing) circuits.close(asked.circuit);
    refuse(asked, control::CircuitEnd::full);
    give_up(c, attachments, asked);
  }
  for (const auto& far : std::exchange(to_reach_, {})) attachments.reach(c, far.endpoint, far.session);
  for (auto& asked : asked_) {
    if (asked.stage != Asked::Stage::reaching) continue;
    const auto session = attachments.session_with(asked.far.session);
    if (!session) continue;
    const auto open = control::write(control::CircuitOpen{asked.nonce, asked.tag, std::nullopt});
    if (!c.sessions.send(c.now, *session, Channel::control, open)) continue;
    attachments.hold(asked.far.session);
    asked.held = true;
    asked.stage = Asked::Stage::asked;
  }
}

Bridges::Asked* Bridges::find(const crypto::SessionKey& far, const control::PairNonce& nonce) {
  const auto it = std::find_if(asked_.begin(), asked_.end(),
                               [&](const Asked& a) { return a.far.session == far && crypto::same(a.nonce, nonce); });
  return it == asked_.end() ? nullptr : &*it;
}

void Bridges::refuse(const Asked& asked, control::CircuitEnd why) {
  out_.push_back({asked.client.session, control::CircuitClosed{asked.nonce, why}});
}

void Bridges::release(const Context& c, Attachments& attachments, const Asked& asked) {
  if (asked.held) attachments.release(c, asked.far.session);
}

// The far supernode is told: it allows our session so many circuits, for all whom we carry.
void Bridges::give_up(const Context& c, Attachments& attachments, const Asked& asked) {
  const auto session = asked.held ? attachments.session_with(asked.far.session) : std::nullopt;
  if (session)
    (void)c.sessions.send(c.now, *session, Channel::control, control::write(control::CircuitClosed{asked.nonce}));
  release(c, attachments, asked);
}

bool Bridges::on_ready(const Context& c, Attachments& attachments, CircuitTable& circuits, const Supernode& from,
                       const control::CircuitReady& ready) {
  auto* asked = from.key ? find(*from.key, ready.nonce) : nullptr;
  const auto session = from.session();
  if (asked == nullptr || asked->stage != Asked::Stage::asked || !session) return false;
  const auto stands =
      circuits.join(c.now, ready.circuit, {asked->client.session, asked->client.at}, {*session, from.way}, ready.nonce);
  if (stands) {
    asked->stage = Asked::Stage::standing;
    asked->circuit = ready.circuit;
    out_.push_back({asked->client.session, control::CircuitReady{ready.nonce, ready.circuit}});
    return true;
  }
  refuse(*asked, stands.error() == Fault::too_big ? control::CircuitEnd::month : control::CircuitEnd::full);
  give_up(c, attachments, *asked);
  asked_.erase(asked_.begin() + (asked - asked_.data()));
  return true;
}

bool Bridges::on_closed(const Context& c, Attachments& attachments, CircuitTable& circuits, const Supernode& from,
                        const control::CircuitClosed& closed) {
  auto* asked = from.key ? find(*from.key, closed.nonce) : nullptr;
  if (asked == nullptr) return false;
  if (asked->stage == Asked::Stage::standing) circuits.close(asked->circuit);
  refuse(*asked, closed.why);
  release(c, attachments, *asked);
  asked_.erase(asked_.begin() + (asked - asked_.data()));
  return true;
}

void Bridges::on_down(const Context& c, Attachments& attachments, SessionId client) {
  std::erase_if(forwards_, [&](const auto& f) { return f.second.client.session == client; });
  std::erase_if(asked_, [&](const Asked& a) {
    if (a.client.session != client) return false;
    give_up(c, attachments, a);
    return true;
  });
}

void Bridges::moved(SessionId client, const Endpoint& at) {
  for (auto& [token, f] : forwards_) {
    if (f.client.session == client) f.client.at = at;
  }
  for (auto& a : asked_) {
    if (a.client.session == client) a.client.at = at;
  }
}

void Bridges::handle_timeout(const Context& c, Attachments& attachments, const CircuitTable& circuits) {
  if (c.now < sweep_at_) return;
  std::erase_if(forwards_, [&](const auto& f) { return c.now - f.second.used >= kIdle; });
  std::erase_if(asked_, [&](const Asked& a) {
    const bool standing = a.stage == Asked::Stage::standing;
    if (standing ? circuits.stands(a.circuit) : c.now - a.since < kAnswer) return false;
    if (!standing) refuse(a, control::CircuitEnd::nobody);  // of one that stood the table's owner tells
    give_up(c, attachments, a);
    return true;
  });
  sweep_at_ = forwards_.empty() && asked_.empty() ? kNever : c.now + kSweepBridges;
}

std::optional<Bridges::Say> Bridges::poll() {
  if (out_.empty()) return std::nullopt;
  return out_.take();
}

}  // namespace linnet::overlay
