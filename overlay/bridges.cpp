#include "overlay/bridges.h"

#include <algorithm>
#include <set>

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

bool Bridges::far_room(const dht::Contact& far) const {
  std::set<crypto::SessionKey> all{far.session};
  for (const auto& [token, f] : forwards_) all.insert(f.far.session);
  for (const auto& a : asked_) all.insert(a.far.session);
  return all.size() <= kFar;
}

void Bridges::sweep_from(Time now) { sweep_at_ = std::min(sweep_at_, now + kSweepBridges); }

Status Bridges::open(Time now, const Client& client, const dht::Contact& far, std::uint64_t tag, std::uint64_t token) {
  if (const auto at = forwards_.find(token); at != forwards_.end()) {
    auto& known = at->second;
    if (known.client.session != client.session || known.tag != tag) return fail(Fault::full);
    known.used = now;
    return {};
  }
  if (!far_room(far) || !bridge_room(forwards_, client, kForwards, kForwardsOfClient)) return fail(Fault::full);
  forwards_.emplace(token, Carried{client, far, tag, now});
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
  if (find(far.session, nonce) != nullptr || !far_room(far) ||
      !bridge_room(asked_, client, kCircuits, kCircuitsOfClient))
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

void Bridges::settle(const Context& c, Attachments& attachments) {
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
  release(c, attachments, *asked);
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
    release(c, attachments, a);
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
    release(c, attachments, a);
    return true;
  });
  sweep_at_ = forwards_.empty() && asked_.empty() ? kNever : c.now + kSweepBridges;
}

std::optional<Bridges::Say> Bridges::poll() {
  if (out_.empty()) return std::nullopt;
  return out_.take();
}

}  // namespace linnet::overlay
